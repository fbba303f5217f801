/** URLs of onnxruntime-web's script and binary, each: where a bundler has given them names of its own. */
export interface RuntimeFiles {
  /** `ort-wasm-simd-threaded.mjs`, which must be a file as it is, for its threads run it again. */
  readonly mjs: string;
  /** `ort-wasm-simd-threaded.wasm` */
  readonly wasm: string;
  /** The same of the build for WebGPU and WebNN, `ort-wasm-simd-threaded.asyncify`; where it looks itself by default. */
  readonly device?: { readonly mjs: string; readonly wasm: string };
}
