import { atomicsWork, relaxedSimdWorks, sharedMemoryWorks, simdWorks } from "../core/runtime-probes.ts";

/** What the runtime offers, found by trying. */
export interface RuntimeFeatures {
  simd: boolean;
  relaxedSimd: boolean;
  threads: boolean;
  sharedMemory: boolean;
  /** "yes", "no", or why it is there but of no use. */
  webgpu: string;
  webnn: string;
}

interface Gpu {
  requestAdapter(): Promise<unknown>;
}
interface Ml {
  createContext(options: { deviceType: string }): Promise<unknown>;
}

/** Probes the runtime; nothing is cached, so a page that gains a feature sees it. */
export async function runtimeFeatures(): Promise<RuntimeFeatures> {
  return {
    simd: simdWorks(),
    relaxedSimd: relaxedSimdWorks(),
    threads: atomicsWork(),
    sharedMemory: sharedMemoryWorks(),
    webgpu: await probeWebGpu(),
    webnn: await probeWebNn(),
  };
}

async function probeWebGpu(): Promise<string> {
  const gpu = (globalThis.navigator as { gpu?: Gpu } | undefined)?.gpu;
  if (!gpu) return "no";
  try {
    return (await gpu.requestAdapter()) ? "yes" : "no adapter";
  } catch (error) {
    return `requestAdapter fails: ${(error as Error).message}`;
  }
}

/** A context must be made to know: navigator.ml is there in browsers where every createContext rejects. */
async function probeWebNn(): Promise<string> {
  const ml = (globalThis.navigator as { ml?: Ml } | undefined)?.ml;
  if (!ml) return "no";
  for (const deviceType of ["npu", "gpu", "cpu"]) {
    try {
      await ml.createContext({ deviceType });
      return `yes, ${deviceType}`;
    } catch {
      // The next device may work.
    }
  }
  return "createContext rejects every device";
}
