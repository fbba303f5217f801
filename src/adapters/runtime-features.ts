import { sharedMemoryWorks } from "../core/create-core.ts";

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

/** "\0asm", version 1, one type () -> v128, one function of it. */
const V128_FUNCTION = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10];
// i32.const 0, i8x16.splat, end.
const SIMD = [...V128_FUNCTION, 8, 1, 6, 0, 65, 0, 253, 15, 11];
// i32.const 0, i8x16.splat, i32.const 0, i8x16.splat, i8x16.relaxed_swizzle, end.
const RELAXED_SIMD = [...V128_FUNCTION, 15, 1, 13, 0, 65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2, 11];
// One shared memory, one function: i32.const 0, i32.atomic.load, drop, end.
const THREADS = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 11, 1, 9, 0, 65, 0, 254,
  16, 2, 0, 26, 11,
];

interface Gpu {
  requestAdapter(): Promise<unknown>;
}
interface Ml {
  createContext(options: { deviceType: string }): Promise<unknown>;
}

/** Probes the runtime; nothing is cached, so a page that gains a feature sees it. */
export async function runtimeFeatures(): Promise<RuntimeFeatures> {
  const valid = (bytes: number[]) => WebAssembly.validate(new Uint8Array(bytes));
  return {
    simd: valid(SIMD),
    relaxedSimd: valid(RELAXED_SIMD),
    threads: valid(THREADS),
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
