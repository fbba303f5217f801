/** Element types of Whisper exports. float16 values are the bits, in a Uint16Array. */
export type TensorType = "float32" | "float16" | "int64" | "int32" | "bool";

/**
 * Where a tensor's values lie: in JavaScript's reach, in onnxruntime-web's own memory, in a GPU buffer ("gpu"), or
 * in an MLTensor ("npu"), wherever WebNN keeps that.
 */
export type TensorLocation = "host" | "runtime" | "gpu" | "npu";

export type TensorData = Float32Array | Uint16Array | BigInt64Array | Int32Array | Uint8Array;

/** A tensor that a session takes or makes, wherever its provider keeps it. */
export interface Tensor {
  readonly type: TensorType;
  readonly dims: readonly number[];
  readonly location: TensorLocation;
  /**
   * The values. On the host and in the runtime's memory a view, valid until the tensor is released or any
   * session runs again; from a device a copy, fetched now.
   */
  read(): TensorData | Promise<TensorData>;
  /** Gives the memory back. Releasing a tensor twice does nothing. */
  release(): void;
}

/** Number of elements of a shape. */
export function elements(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** A tensor of values that the caller keeps, usually a pooled view; they are read when it is used. */
export function callersTensor(type: TensorType, data: TensorData, dims: readonly number[]): Tensor {
  return { type, dims, location: "host", read: () => data, release() {} };
}
