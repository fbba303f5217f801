import {
  DIMENSION,
  editing,
  GRAPH,
  MODEL,
  NODE,
  readIntegers,
  SHAPE,
  TENSOR_TYPE,
  TYPE,
  VALUE,
} from "./onnx.ts";
import { ELEMENT, TENSOR } from "./tensors.ts";
import { type Field, field, join, readFields, readText, textField, varintField } from "./wire.ts";

/** What became of an encoder's graph. */
export interface FlexibleEncoder {
  readonly bytes: Uint8Array;
  /** Whether it takes windows shorter than 30 s; else `why` says what stood in the way. */
  readonly flexible: boolean;
  readonly why?: string;
}

/**
 * Edits the ONNX graph of a Whisper encoder so that its work follows the window: the positional embedding,
 * one row for each of 1500 positions, is sliced to as many rows as the convolutions give. Outputs that nobody reads (attentions)
 * go, which saves the memory they would be written to. With 3000 frames the result stays the same to the bit.
 *
 * ```
 * Add(x, positions)   becomes   Add(x, Slice(positions, 0, Shape(x)[1]))
 * ```
 *
 * A graph that is laid out otherwise comes back without the slice.
 *
 * @param model bytes of the .onnx file; not changed
 * @throws ModelFormatError when they are no ONNX model.
 */
export function flexibleEncoder(model: Uint8Array, path: string): FlexibleEncoder {
  return editing(path, () => edit(model));
}

function edit(model: Uint8Array): FlexibleEncoder {
  const modelFields = readFields(model);
  const graphField = modelFields.find(({ number }) => number === MODEL.GRAPH);
  if (!graphField) throw new RangeError("it holds no graph");
  const graph = readFields(graphField.content);
  const kept = graph.filter((field) => !isAttention(field));
  const positions = findPositions(kept);
  const add = positions && findAdd(kept, positions.name);
  const parts: Uint8Array[] = [];
  for (const entry of kept) {
    if (positions && add && entry === add.field) parts.push(...slicedAdd(add, positions));
    else if (add && (entry.number === GRAPH.INPUT || entry.number === GRAPH.OUTPUT)) {
      parts.push(...freeTime(entry));
    } else parts.push(entry.bytes);
  }
  const bytes = join(
    modelFields.flatMap((entry) => (entry === graphField ? field(MODEL.GRAPH, ...parts) : [entry.bytes])),
  );
  if (add) return { bytes, flexible: true };
  const why = positions ? "its positional embedding is not simply added" : "it has no positional embedding";
  return { bytes, flexible: false, why };
}

function isAttention({ number, content }: Field): boolean {
  return number === GRAPH.OUTPUT && valueName(content).startsWith("encoder_attentions.");
}

function valueName(value: Uint8Array): string {
  const name = readFields(value).find(({ number }) => number === VALUE.NAME);
  return name ? readText(name.content) : "";
}

interface Positions {
  name: string;
  rows: number;
}

/** The initializer [positions, width] that holds the positional embedding. */
function findPositions(graph: Field[]): Positions | undefined {
  for (const { number, content } of graph) {
    if (number !== GRAPH.INITIALIZER) continue;
    const tensor = readFields(content);
    const nameField = tensor.find((entry) => entry.number === TENSOR.NAME);
    const name = nameField ? readText(nameField.content) : "";
    if (!name.endsWith("embed_positions.weight")) continue;
    const dims = readIntegers(tensor, TENSOR.DIMS);
    if (dims.length === 2) return { name, rows: dims[0]! };
  }
  return undefined;
}

interface Addition {
  field: Field;
  /** What the positions are added to. */
  other: string;
}

function findAdd(graph: Field[], positions: string): Addition | undefined {
  const users = graph.filter(
    (entry) => entry.number === GRAPH.NODE && nodeTexts(entry, NODE.INPUT).includes(positions),
  );
  const node = users[0];
  if (users.length !== 1 || !node || nodeTexts(node, NODE.OPERATOR)[0] !== "Add") return undefined;
  const other = nodeTexts(node, NODE.INPUT).find((name) => name !== positions);
  return other === undefined ? undefined : { field: node, other };
}

function nodeTexts(node: Field, number: number): string[] {
  return readFields(node.content)
    .filter((entry) => entry.number === number)
    .map(({ content }) => readText(content));
}

/** The nodes that slice the positions, their constants, and the addition that now takes the slice. */
function slicedAdd({ field: add, other }: Addition, { name }: Positions): Uint8Array[] {
  const prefix = "wavepool/positions";
  const constants = { zero: 0, one: 1, two: 2 };
  const initializers = Object.entries(constants).flatMap(([key, value]) =>
    field(
      GRAPH.INITIALIZER,
      ...varintField(TENSOR.DIMS, 1),
      ...varintField(TENSOR.DATA_TYPE, ELEMENT.INT64),
      ...varintField(TENSOR.INT64_DATA, value),
      ...textField(TENSOR.NAME, `${prefix}/${key}`),
    ),
  );
  const node = (operator: string, inputs: string[], output: string) =>
    field(
      GRAPH.NODE,
      ...inputs.flatMap((input) => textField(NODE.INPUT, input)),
      ...textField(NODE.OUTPUT, output),
      ...textField(NODE.NAME, output),
      ...textField(NODE.OPERATOR, operator),
    );
  const [shape, length, slice] = [`${prefix}/shape`, `${prefix}/length`, `${prefix}/slice`];
  const renamed = readFields(add.content).flatMap((entry) =>
    entry.number === NODE.INPUT && readText(entry.content) === name
      ? textField(NODE.INPUT, slice)
      : [entry.bytes],
  );
  return [
    ...initializers,
    ...node("Shape", [other], shape),
    ...node("Slice", [shape, `${prefix}/one`, `${prefix}/two`], length),
    ...node("Slice", [name, `${prefix}/zero`, length, `${prefix}/zero`], slice),
    ...field(GRAPH.NODE, ...renamed),
  ];
}

/** The input's frames and the output's positions, where the file gives them as numbers, become names. */
function freeTime(entry: Field): Uint8Array[] {
  const axis = { input_features: 2, last_hidden_state: 1 }[valueName(entry.content)];
  if (axis === undefined) return [entry.bytes];
  const inside = (message: Uint8Array, number: number, change: (content: Uint8Array) => Uint8Array[]) =>
    readFields(message).flatMap((part) =>
      part.number === number ? field(number, ...change(part.content)) : [part.bytes],
    );
  let dimension = -1;
  const free = (content: Uint8Array): Uint8Array[] => {
    dimension++;
    const fixed = readFields(content).some(({ number }) => number === DIMENSION.VALUE);
    return dimension === axis && fixed
      ? textField(DIMENSION.PARAMETER, `time_axis_${entry.number}`)
      : [content];
  };
  return field(
    entry.number,
    ...inside(entry.content, VALUE.TYPE, (type) =>
      inside(type, TYPE.TENSOR, (tensor) =>
        inside(tensor, TENSOR_TYPE.SHAPE, (shape) => inside(shape, SHAPE.DIMENSION, free)),
      ),
    ),
  );
}
