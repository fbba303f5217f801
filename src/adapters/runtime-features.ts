import { atomicsWork, relaxedSimdWorks, sharedMemoryWorks, simdWorks } from "../core/runtime-probes.ts";

/** What the runtime offers, found by trying. Nothing here is needed but `simd`: the rest makes things faster or live. */
export interface RuntimeFeatures {
  /** WebAssembly SIMD, without which there is no core. */
  readonly simd: boolean;
  /** Fused multiply-add in the core's kernels; without it they take the plain builds. */
  readonly relaxedSimd: boolean;
  /** Atomic instructions of WebAssembly. */
  readonly threads: boolean;
  /** Memory that workers and worklets share; pages need the cross-origin isolation headers for it. */
  readonly sharedMemory: boolean;
  /** WebAssembly that waits for promises (JSPI). */
  readonly jspi: boolean;
  /** "yes", "in software", "no", or why it is there but of no use. */
  readonly webgpu: string;
  /** "yes" and the devices that it makes contexts for, which proves no such hardware; "no", or why it is of no use. */
  readonly webnn: string;
  /** Audio worklets; only pages see them, and only in secure contexts (https, localhost). */
  readonly audioWorklet: boolean;
  /** Whether a page may ask for the microphone: a secure context again. The user may still refuse. */
  readonly microphone: boolean;
  /** Where a browser can keep models, the first of them being used; empty elsewhere and in insecure contexts. */
  readonly storage: readonly ("file system" | "cache")[];
}

interface Gpu {
  requestAdapter(): Promise<{ isFallbackAdapter?: boolean; info?: { isFallbackAdapter?: boolean } } | null>;
}
interface Ml {
  createContext(options: { deviceType: string }): Promise<{ destroy?(): void }>;
}

/**
 * Probes the runtime, each feature by using it. Nothing is cached, so a page that gains a feature sees it.
 *
 * @example
 * const { sharedMemory, webgpu } = await detectFeatures();
 * if (!sharedMemory) show("This page is served without the isolation headers: one thread only.");
 */
export async function detectFeatures(): Promise<RuntimeFeatures> {
  return {
    simd: simdWorks(),
    relaxedSimd: relaxedSimdWorks(),
    threads: atomicsWork(),
    sharedMemory: sharedMemoryWorks(),
    jspi: typeof WebAssembly !== "undefined" && "Suspending" in WebAssembly && "promising" in WebAssembly,
    webgpu: await probeWebGpu(),
    webnn: await probeWebNn(),
    audioWorklet: "AudioWorkletNode" in globalThis,
    microphone: typeof globalThis.navigator?.mediaDevices?.getUserMedia === "function",
    storage: await probeStorage(),
  };
}

async function probeWebGpu(): Promise<string> {
  const gpu = (globalThis.navigator as { gpu?: Gpu } | undefined)?.gpu;
  if (!gpu) return "no";
  try {
    const adapter = await gpu.requestAdapter();
    if (!adapter) return "no adapter";
    return (adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter) ? "in software" : "yes";
  } catch (error) {
    return `requestAdapter fails: ${(error as Error).message}`;
  }
}

/** A context must be made to know: navigator.ml is there in browsers where every createContext rejects. */
async function probeWebNn(): Promise<string> {
  const ml = (globalThis.navigator as { ml?: Ml } | undefined)?.ml;
  if (!ml) return "no";
  const devices: string[] = [];
  for (const deviceType of ["npu", "gpu", "cpu"]) {
    try {
      const context = await ml.createContext({ deviceType });
      context.destroy?.();
      devices.push(deviceType);
    } catch {
      // The next device may work.
    }
  }
  return devices.length > 0 ? `yes, ${devices.join(", ")}` : "createContext rejects every device";
}

async function probeStorage(): Promise<("file system" | "cache")[]> {
  const places: ("file system" | "cache")[] = [];
  try {
    // Where files cannot be written from pages (Safari before 26), the file system is of no use to them.
    const writable = "createWritable" in FileSystemFileHandle.prototype;
    if (writable && (await navigator.storage.getDirectory())) places.push("file system");
  } catch {
    // There is none, or it is refused: private windows, sandboxed frames.
  }
  try {
    await caches.has("wavepool"); // throws where caches may not be used
    places.push("cache");
  } catch {
    // As above.
  }
  return places;
}
