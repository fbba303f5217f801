import { ModelFormatError, messageOf } from "../../core/errors.ts";
import {
  type Field,
  field,
  join,
  type Part,
  readFields,
  readText,
  readVarint,
  textField,
  varintField,
} from "./wire.ts";

/** Field numbers of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3). */
export const MODEL = { GRAPH: 7 };
export const GRAPH = { NODE: 1, INITIALIZER: 5, INPUT: 11, OUTPUT: 12, VALUE_INFO: 13 };
export const NODE = { INPUT: 1, OUTPUT: 2, NAME: 3, OPERATOR: 4, ATTRIBUTE: 5, DOMAIN: 7 };
export const ATTRIBUTE = { NAME: 1, INTEGER: 3, GRAPH: 6, INTEGERS: 8, TYPE: 20 };
export const VALUE = { NAME: 1, TYPE: 2 };
export const TYPE = { TENSOR: 1 };
export const TENSOR_TYPE = { ELEMENT: 1, SHAPE: 2 };
export const SHAPE = { DIMENSION: 1 };
export const DIMENSION = { VALUE: 1, PARAMETER: 2 };
const ATTRIBUTE_TYPE = { INTEGER: 2, INTEGERS: 7 };

/** A value that goes into a graph or comes out of it. */
export interface OnnxValue {
  readonly name: string;
  /** The whole ValueInfoProto. */
  readonly content: Uint8Array;
}

/** An initializer: the whole TensorProto, of bytes or of what writes them. */
export interface OnnxWeight {
  readonly name: string;
  readonly parts: readonly Part[];
}

/** One operation; it is replaced, not changed. */
export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The fields of a NodeProto other than inputs, outputs and branches. */
  readonly rest: readonly Uint8Array[];
  /** Graphs among its attributes, by the attributes' names. */
  readonly branches: ReadonlyMap<string, OnnxGraph>;
}

/** A graph to edit. */
export interface OnnxGraph {
  nodes: OnnxNode[];
  readonly weights: Map<string, OnnxWeight>;
  inputs: OnnxValue[];
  outputs: OnnxValue[];
  /** All other fields, without the types of values between nodes, which edits change. */
  readonly rest: readonly Uint8Array[];
}

/** A model to edit: its graph, and all else as it is. */
export interface OnnxModel {
  readonly graph: OnnxGraph;
  readonly rest: readonly Uint8Array[];
}

/**
 * Reads a model so that its graph can be edited, without a copy of its weights.
 *
 * @throws RangeError when the bytes are no ONNX model.
 */
export function readModel(bytes: Uint8Array): OnnxModel {
  const fields = readFields(bytes);
  const graph = fields.find(({ number }) => number === MODEL.GRAPH);
  if (!graph) throw new RangeError("it holds no graph");
  return {
    graph: readGraph(graph.content),
    rest: fields.filter((entry) => entry !== graph).map((entry) => entry.bytes),
  };
}

/** The bytes of a model; what writes its weights is called now, once. */
export function writeModel({ graph, rest }: OnnxModel): Uint8Array<ArrayBuffer> {
  return join([...rest, ...field<Part>(MODEL.GRAPH, ...graphParts(graph))]);
}

/**
 * Runs an edit on a model's bytes.
 *
 * @throws ModelFormatError where the edit throws a RangeError: the bytes are no ONNX model.
 */
export function editing<T>(path: string, edit: () => T): T {
  try {
    return edit();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ModelFormatError(`${path} is no ONNX model (${messageOf(cause)}); fetch the model again`, {
      cause,
    });
  }
}

function readGraph(content: Uint8Array): OnnxGraph {
  const graph: OnnxGraph & { rest: Uint8Array[] } = {
    nodes: [],
    weights: new Map(),
    inputs: [],
    outputs: [],
    rest: [],
  };
  for (const entry of readFields(content)) {
    if (entry.number === GRAPH.NODE) graph.nodes.push(readNode(entry.content));
    else if (entry.number === GRAPH.INITIALIZER) {
      const name = tensorName(entry.content);
      graph.weights.set(name, { name, parts: [entry.content] });
    } else if (entry.number === GRAPH.INPUT) graph.inputs.push(readValue(entry));
    else if (entry.number === GRAPH.OUTPUT) graph.outputs.push(readValue(entry));
    else if (entry.number !== GRAPH.VALUE_INFO) graph.rest.push(entry.bytes);
  }
  return graph;
}

function readValue({ content }: Field): OnnxValue {
  return { name: textOf(content, VALUE.NAME), content };
}

function readNode(content: Uint8Array): OnnxNode {
  const node = {
    operator: "",
    inputs: [] as string[],
    outputs: [] as string[],
    rest: [] as Uint8Array[],
    branches: new Map<string, OnnxGraph>(),
  };
  for (const entry of readFields(content)) {
    if (entry.number === NODE.INPUT) node.inputs.push(readText(entry.content));
    else if (entry.number === NODE.OUTPUT) node.outputs.push(readText(entry.content));
    else {
      if (entry.number === NODE.OPERATOR) node.operator = readText(entry.content);
      const branch = entry.number === NODE.ATTRIBUTE && find(entry.content, ATTRIBUTE.GRAPH);
      if (branch) node.branches.set(textOf(entry.content, ATTRIBUTE.NAME), readGraph(branch.content));
      else node.rest.push(entry.bytes);
    }
  }
  return node;
}

function graphParts(graph: OnnxGraph): Part[] {
  return [
    ...graph.nodes.flatMap((node) => field<Part>(GRAPH.NODE, ...nodeParts(node))),
    ...[...graph.weights.values()].flatMap(({ parts }) => field<Part>(GRAPH.INITIALIZER, ...parts)),
    ...graph.inputs.flatMap(({ content }) => field(GRAPH.INPUT, content)),
    ...graph.outputs.flatMap(({ content }) => field(GRAPH.OUTPUT, content)),
    ...graph.rest,
  ];
}

/** AttributeProto.AttributeType of a graph. */
const GRAPH_ATTRIBUTE = 5;

function nodeParts({ inputs, outputs, rest, branches }: OnnxNode): Part[] {
  return [
    ...inputs.flatMap((name) => textField(NODE.INPUT, name)),
    ...outputs.flatMap((name) => textField(NODE.OUTPUT, name)),
    ...rest,
    ...[...branches].flatMap(([name, graph]) =>
      field<Part>(
        NODE.ATTRIBUTE,
        ...textField(ATTRIBUTE.NAME, name),
        ...field<Part>(ATTRIBUTE.GRAPH, ...graphParts(graph)),
        ...varintField(ATTRIBUTE.TYPE, GRAPH_ATTRIBUTE),
      ),
    ),
  ];
}

/** Makes a node of one output; attributes are whole numbers, or lists of them, not negative. */
export function makeNode(
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number | readonly number[]>> = {},
): OnnxNode {
  const encoded = Object.entries(attributes).flatMap(([name, value]) =>
    field(
      NODE.ATTRIBUTE,
      ...textField(ATTRIBUTE.NAME, name),
      ...[value]
        .flat()
        .flatMap((one) => varintField(Array.isArray(value) ? ATTRIBUTE.INTEGERS : ATTRIBUTE.INTEGER, one)),
      ...varintField(ATTRIBUTE.TYPE, Array.isArray(value) ? ATTRIBUTE_TYPE.INTEGERS : ATTRIBUTE_TYPE.INTEGER),
    ),
  );
  const rest = [...textField(NODE.NAME, output), ...textField(NODE.OPERATOR, operator), ...encoded];
  return { operator, inputs, outputs: [output], rest: [join(rest)], branches: new Map() };
}

/** The attributes of a node, as fields to be put into another. */
export function attributeFields(node: OnnxNode): Uint8Array[] {
  return node.rest.filter((part) => readFields(part)[0]?.number === NODE.ATTRIBUTE);
}

/** A list of whole numbers among a node's attributes. */
export function integersOf(node: OnnxNode, name: string): number[] | undefined {
  for (const part of attributeFields(node)) {
    const { content } = readFields(part)[0]!;
    if (textOf(content, ATTRIBUTE.NAME) === name)
      return readIntegers(readFields(content), ATTRIBUTE.INTEGERS);
  }
  return undefined;
}

/** Numbers of a repeated field, which are packed by some writers, and a field each by others. */
export function readIntegers(message: readonly Field[], number: number): number[] {
  const values: number[] = [];
  for (const entry of message) {
    if (entry.number !== number) continue;
    let at = 0;
    while (at < entry.content.length) {
      const { value, end } = readVarint(entry.content, at);
      values.push(value);
      at = end;
    }
  }
  return values;
}

/** Type and shape of a value with free dimensions by their names, as a ValueInfoProto. */
export function makeValue(name: string, type: number, dims: readonly (number | string)[]): OnnxValue {
  const shape = dims.flatMap((dim) =>
    field(
      SHAPE.DIMENSION,
      ...(typeof dim === "number" ? varintField(DIMENSION.VALUE, dim) : textField(DIMENSION.PARAMETER, dim)),
    ),
  );
  const tensor = [...varintField(TENSOR_TYPE.ELEMENT, type), ...field(TENSOR_TYPE.SHAPE, ...shape)];
  const content = [...textField(VALUE.NAME, name), ...field(VALUE.TYPE, ...field(TYPE.TENSOR, ...tensor))];
  return { name, content: join(content) };
}

/** Number of a value's element type, 0 where it has none. */
export function elementType({ content }: OnnxValue): number {
  const type = find(content, VALUE.TYPE);
  const tensor = type && find(type.content, TYPE.TENSOR);
  const element = tensor && find(tensor.content, TENSOR_TYPE.ELEMENT);
  return element ? readVarint(element.content, 0).value : 0;
}

/** Takes away what no output needs: nodes, and weights of this graph and its branches. */
export function prune(graph: OnnxGraph): void {
  const needed = new Set(graph.outputs.map(({ name }) => name));
  const kept: OnnxNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    kept.push(node);
    for (const branch of node.branches.values()) prune(branch);
    for (const name of namesUsed(node)) needed.add(name);
  }
  graph.nodes = kept.reverse();
  for (const name of graph.weights.keys()) if (!needed.has(name)) graph.weights.delete(name);
}

/** What a node reads, its branches included. */
function namesUsed(node: OnnxNode): string[] {
  const inside = [...node.branches.values()].flatMap((branch) => [
    ...branch.outputs.map(({ name }) => name),
    ...branch.nodes.flatMap(namesUsed),
  ]);
  return [...node.inputs, ...inside];
}

function tensorName(content: Uint8Array): string {
  const NAME = 8;
  return textOf(content, NAME);
}

function find(message: Uint8Array, number: number): Field | undefined {
  return readFields(message).find((entry) => entry.number === number);
}

function textOf(message: Uint8Array, number: number): string {
  const entry = find(message, number);
  return entry ? readText(entry.content) : "";
}
