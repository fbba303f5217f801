/** What this browser lacks, in words for the page. */
export interface Missing {
  /** Why nothing works here. */
  readonly fatal: string | undefined;
  /** What works less well. */
  readonly notes: readonly string[];
}

/** A module with one SIMD instruction: browsers that cannot compile it cannot run the core. */
const SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11,
]);

export function missingFeatures(): Missing {
  if (typeof WebAssembly === "undefined" || !WebAssembly.validate(SIMD)) {
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
  if (!("gpu" in navigator)) notes.push("This browser has no WebGPU; the model runs on the processor.");
  if (typeof AudioWorkletNode === "undefined") {
    notes.push("There are no audio worklets here, so files work, and the microphone does not.");
  }
  return { fatal: undefined, notes };
}
