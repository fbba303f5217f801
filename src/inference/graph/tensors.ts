import type { OnnxWeight } from "./onnx.ts";
import { readIntegers } from "./onnx.ts";
import { field, type Part, readFields, readText, textField, varintField } from "./wire.ts";

/** Field numbers of a TensorProto, and of the StringStringEntryProto that tells where external data lie. */
export const TENSOR = {
  DIMS: 1,
  DATA_TYPE: 2,
  FLOAT_DATA: 4,
  INT32_DATA: 5,
  INT64_DATA: 7,
  NAME: 8,
  RAW_DATA: 9,
  EXTERNAL_DATA: 13,
  DATA_LOCATION: 14,
};
const ENTRY = { KEY: 1, VALUE: 2 };
/** TensorProto.DataLocation of data in another file. */
const EXTERNAL = 1;

/** TensorProto.DataType */
export const ELEMENT = { FLOAT: 1, UINT8: 2, INT8: 3, INT32: 6, INT64: 7, BOOL: 9, FLOAT16: 10 };

/** Where a tensor's data lie outside of the model. */
export interface ExternalPlace {
  /** Path beside the model's. */
  readonly location: string;
  readonly offset: number;
  /** Bytes; undefined for the rest of the file. */
  readonly length: number | undefined;
}

/** An initializer's shape, type and data. */
export interface TensorContent {
  readonly dims: readonly number[];
  readonly type: number;
  /** Data as little-endian bytes; undefined where they are told as numbers or lie outside. */
  readonly raw: Uint8Array | undefined;
  /** Reads data that are told as numbers, float_data or int32_data, as those of small tensors are. */
  numbers(): readonly number[] | undefined;
  readonly external: ExternalPlace | undefined;
}

/** Reads an initializer; of a made one undefined, for its data are not there yet. */
export function readTensor(weight: OnnxWeight): TensorContent | undefined {
  const [content] = weight.parts;
  if (weight.parts.length !== 1 || !(content instanceof Uint8Array)) return undefined;
  return readTensorContent(content);
}

/** Reads a TensorProto. */
function readTensorContent(content: Uint8Array): TensorContent {
  const fields = readFields(content);
  const find = (number: number) => fields.find((entry) => entry.number === number)?.content;
  const isExternal = readIntegers(fields, TENSOR.DATA_LOCATION)[0] === EXTERNAL;
  return {
    dims: readIntegers(fields, TENSOR.DIMS),
    type: readIntegers(fields, TENSOR.DATA_TYPE)[0] ?? 0,
    raw: find(TENSOR.RAW_DATA),
    numbers() {
      const floats = find(TENSOR.FLOAT_DATA);
      const integers = fields.filter(({ number }) => number === TENSOR.INT32_DATA);
      if (integers.length > 0) return integers.flatMap((entry) => readInt32s(entry.content));
      return floats && readFloats(floats);
    },
    external: isExternal
      ? readPlace(fields.filter(({ number }) => number === TENSOR.EXTERNAL_DATA))
      : undefined,
  };
}

function readPlace(entries: readonly { content: Uint8Array }[]): ExternalPlace {
  const texts = new Map(
    entries.map(({ content }) => {
      const parts = readFields(content);
      const text = (number: number) =>
        readText(parts.find((entry) => entry.number === number)?.content ?? new Uint8Array(0));
      return [text(ENTRY.KEY), text(ENTRY.VALUE)];
    }),
  );
  const length = texts.get("length");
  return {
    location: texts.get("location") ?? "",
    offset: Number(texts.get("offset") ?? 0),
    length: length === undefined ? undefined : Number(length),
  };
}

function readFloats(packed: Uint8Array): number[] {
  return [...new Float32Array(new Uint8Array(packed).buffer)];
}

/** Varints of 32-bit numbers; negative ones are ten bytes long, of which the low 32 bits count. */
function readInt32s(packed: Uint8Array): number[] {
  const values: number[] = [];
  let value = 0;
  let shift = 0;
  for (const byte of packed) {
    if (shift < 32) value |= (byte & 127) << shift;
    shift += 7;
    if (byte >= 128) continue;
    values.push(value);
    value = shift = 0;
  }
  return values;
}

/** An initializer of raw data, which are bytes or written when the model is. */
export function makeWeight(name: string, type: number, dims: readonly number[], data: Part): OnnxWeight {
  return {
    name,
    parts: [
      ...dims.flatMap((dim) => varintField(TENSOR.DIMS, dim)),
      ...varintField(TENSOR.DATA_TYPE, type),
      ...textField(TENSOR.NAME, name),
      ...field<Part>(TENSOR.RAW_DATA, data),
    ],
  };
}
