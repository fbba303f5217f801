/** Element types of pooled buffers. */
export type Dtype = keyof DtypeArrays;

/**
 * The typed array that views a buffer of each element type. `complex64` is interleaved float32, real part
 * first; `f16` are the bits of IEEE 754 half precision, as onnxruntime takes them.
 */
export interface DtypeArrays {
  f32: Float32Array;
  i16: Int16Array;
  i32: Int32Array;
  u8: Uint8Array;
  complex64: Float32Array;
  f16: Uint16Array;
  i64: BigInt64Array;
}

type ArrayConstructors = {
  [D in Dtype]: {
    new (buffer: ArrayBufferLike, offset: number, length: number): DtypeArrays[D];
    BYTES_PER_ELEMENT: number;
  };
};

/** In the order of the codes that the core keeps: append only. */
const ARRAYS: ArrayConstructors = {
  f32: Float32Array,
  i16: Int16Array,
  i32: Int32Array,
  u8: Uint8Array,
  complex64: Float32Array,
  f16: Uint16Array,
  i64: BigInt64Array,
};

/** Every element type, in the order of their codes in memory. */
export const DTYPES = Object.keys(ARRAYS) as Dtype[];

export function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(ARRAYS, value);
}

/** Entries of the typed array to one element: 2 for complex numbers. */
function entries(dtype: Dtype): number {
  return dtype === "complex64" ? 2 : 1;
}

/** Bytes of one element: 8 for `complex64`. */
export function elementBytes(dtype: Dtype): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT * entries(dtype);
}

/** A view of `elements` elements at `offset` bytes. */
export function viewOf<D extends Dtype>(
  dtype: D,
  buffer: ArrayBufferLike,
  offset: number,
  elements: number,
): DtypeArrays[D] {
  return new ARRAYS[dtype](buffer, offset, elements * entries(dtype));
}
