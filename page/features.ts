import { detectFeatures } from "wavepool";

/** What this browser lacks, in words for the page. */
export interface Missing {
  /** Why nothing works here. */
  readonly fatal: string | undefined;
  /** What works less well. */
  readonly notes: readonly string[];
}

export async function missingFeatures(): Promise<Missing> {
  const { simd, webgpu, audioWorklet } = await detectFeatures();
  if (!simd) {
    return {
      fatal: "this browser has no WebAssembly SIMD; update it, or use a current Chrome, Firefox or Safari",
      notes: [],
    };
  }
  const notes: string[] = [];
  if (!globalThis.crossOriginIsolated) {
    notes.push(
      "This page is not cross-origin isolated, so the model runs on one thread; serve it with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.",
    );
  }
  if (webgpu === "no") notes.push("This browser has no WebGPU; the model runs on the processor.");
  if (!audioWorklet) {
    notes.push("There are no audio worklets here, so files work, and the microphone does not.");
  }
  return { fatal: undefined, notes };
}
