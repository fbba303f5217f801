/** Element types of pooled buffers: float32, int32, int64 and bytes. */
export type Dtype = keyof DtypeArrays;

/** The typed array that views a buffer of each element type. */
export interface DtypeArrays {
  f32: Float32Array;
  i32: Int32Array;
  i64: BigInt64Array;
  u8: Uint8Array;
}

type ArrayConstructors = {
  [D in Dtype]: {
    new (buffer: ArrayBuffer, offset: number, length: number): DtypeArrays[D];
    BYTES_PER_ELEMENT: number;
  };
};

const ARRAYS: ArrayConstructors = {
  f32: Float32Array,
  i32: Int32Array,
  i64: BigInt64Array,
  u8: Uint8Array,
};

export function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(ARRAYS, value);
}

/** Bytes of one element. */
export function elementBytes(dtype: Dtype): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** A view of `length` elements at `offset` bytes. */
export function viewOf<D extends Dtype>(
  dtype: D,
  buffer: ArrayBuffer,
  offset: number,
  length: number,
): DtypeArrays[D] {
  return new ARRAYS[dtype](buffer, offset, length);
}
