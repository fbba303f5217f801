import type { Tensor, TensorData, TensorType } from "./tensor.ts";

/** Execution providers, best first: NPU or GPU by WebNN, WebGPU, native onnxruntime, WebAssembly. */
export type ProviderName = "webnn" | "webgpu" | "native" | "wasm";

/** More threads than this slow Whisper's small matrices down. */
export const MAX_THREADS = 8;

/** Name, type and shape of an input or output; free dimensions have names. */
export interface TensorInfo {
  readonly name: string;
  readonly type: TensorType;
  readonly dims: readonly (number | string)[];
}

/** One loaded graph on one provider. */
export interface Session {
  readonly provider: ProviderName;
  /** What WebNN was asked to compute on; it may choose otherwise and does not tell. */
  readonly device?: "npu" | "gpu" | "cpu" | undefined;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** Wraps values of the caller, usually a pooled view, as an input; they are read at each run. */
  tensor(type: TensorType, data: TensorData, dims: readonly number[]): Tensor;
  /**
   * Runs the graph for the outputs in `fetches` only. Tensors made by another session are taken too; what lies
   * where this provider cannot reach is copied. The caller releases what it gets.
   *
   * @throws InferenceError naming the graph that failed.
   */
  run(feeds: Readonly<Record<string, Tensor>>, fetches: readonly string[]): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** How a graph is loaded. */
export interface SessionOptions {
  /** What error messages call it. */
  readonly graph: "encoder" | "decoder" | "voice detector";
  /** What error messages call the file. */
  readonly path: string;
  /** Session config entries of onnxruntime by their keys (onnxruntime_session_options_config_keys.h there). */
  readonly config?: Readonly<Record<string, string>>;
  /** Threads; by default as many as the cores allow. onnxruntime-web's are fixed by the first session of a realm. */
  readonly threads?: number;
  /** Shapes of inputs, for WebNN, which takes fixed sizes only; other providers keep free dimensions free. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Whether a GPU in software will do; default true. */
  readonly software?: boolean;
  /** Files that the graph keeps weights in. */
  readonly externalData?: readonly ExternalFile[];
}

/** A file that a graph keeps weights in. */
export interface ExternalFile {
  /** Path beside the graph, as the graph calls it. */
  readonly path: string;
  readonly data: Uint8Array;
}

/** A graph's bytes, with the files that it keeps weights in. */
export interface GraphBytes {
  readonly bytes: Uint8Array;
  readonly externalData: readonly ExternalFile[];
}
