declare module "onnxruntime-web/ort-wasm-simd-threaded.mjs" {
  /** Emscripten's factory of onnxruntime-web's runtime. */
  const factory: (config: object) => Promise<unknown>;
  export default factory;
}
