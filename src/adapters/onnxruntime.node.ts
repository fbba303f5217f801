/** The entry with threads outside browsers. */
export * from "onnxruntime-web";
