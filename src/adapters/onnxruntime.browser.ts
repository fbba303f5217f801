/** The entry of the Wasm provider alone: its .wasm has 14 MB where the default one has 28. */
export * from "onnxruntime-web/wasm";
