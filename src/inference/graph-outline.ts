/** Field numbers of onnx.proto. */
const MODEL_GRAPH = 7;
const GRAPH_NODE = 1;
const GRAPH_INITIALIZER = 5;
const GRAPH_INPUT = 11;
const GRAPH_OUTPUT = 12;
const NODE_OP_TYPE = 4;
const NODE_ATTRIBUTE = 5;
const ATTRIBUTE_GRAPH = 6;
const INITIALIZER_NAME = 8;
const VALUE_NAME = 1;
const VALUE_TYPE = 2;
const TYPE_TENSOR = 1;
const TENSOR_SHAPE = 2;
const SHAPE_DIM = 1;
const DIM_VALUE = 1;
const DIM_PARAM = 2;
/** Wire types of protobuf. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** What a session must know of a graph before it is loaded. */
export interface GraphOutline {
  /** ONNX operators in it, those of its branches too. */
  readonly operators: ReadonlySet<string>;
  /** Its inputs, without those that are weights; free dimensions have names. */
  readonly inputs: readonly { readonly name: string; readonly dims: readonly (number | string)[] }[];
  /** Names of its outputs. */
  readonly outputs: readonly string[];
}

/**
 * Reads which operators and inputs a model has, without its weights (onnx.proto of onnx 1.16). Of bytes
 * that are no model it makes what it can; the runtime is who refuses those.
 */
export function outlineGraph(model: Uint8Array): GraphOutline {
  const operators = new Set<string>();
  const inputs: { name: string; dims: (number | string)[] }[] = [];
  const outputs: string[] = [];
  const weights = new Set<string>();
  const text = new TextDecoder();

  function readNode(node: Uint8Array): void {
    for (const [field, part] of fields(node)) {
      if (typeof part === "number") continue;
      if (field === NODE_OP_TYPE) operators.add(text.decode(part));
      if (field === NODE_ATTRIBUTE) each(part, ATTRIBUTE_GRAPH, readNodes);
    }
  }
  function readNodes(graph: Uint8Array): void {
    each(graph, GRAPH_NODE, readNode);
  }
  function readInput(value: Uint8Array): void {
    const input = { name: "", dims: [] as (number | string)[] };
    each(value, VALUE_NAME, (name) => {
      input.name = text.decode(name);
    });
    descend(value, [VALUE_TYPE, TYPE_TENSOR, TENSOR_SHAPE, SHAPE_DIM], (dim) => {
      input.dims.push(readDim(dim));
    });
    inputs.push(input);
  }
  function readDim(dim: Uint8Array): number | string {
    for (const [field, part] of fields(dim)) {
      if (field === DIM_VALUE && typeof part === "number") return part;
      if (field === DIM_PARAM && typeof part !== "number") return text.decode(part);
    }
    return "?";
  }
  each(model, MODEL_GRAPH, (graph) => {
    readNodes(graph);
    each(graph, GRAPH_INPUT, readInput);
    descend(graph, [GRAPH_OUTPUT, VALUE_NAME], (name) => void outputs.push(text.decode(name)));
    descend(graph, [GRAPH_INITIALIZER, INITIALIZER_NAME], (name) => {
      weights.add(text.decode(name));
    });
  });
  return { operators, inputs: inputs.filter(({ name }) => !weights.has(name)), outputs };
}

function each(message: Uint8Array, wanted: number, visit: (part: Uint8Array) => void): void {
  for (const [field, part] of fields(message)) {
    if (field === wanted && typeof part !== "number") visit(part);
  }
}

function descend(message: Uint8Array, path: readonly number[], visit: (part: Uint8Array) => void): void {
  const [next, ...rest] = path;
  if (next === undefined) visit(message);
  else each(message, next, (part) => descend(part, rest, visit));
}

/** The fields of a message that are integers or bytes. */
function* fields(message: Uint8Array): Generator<[number, Uint8Array | number]> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; at < message.length; shift += 7) {
      const byte = message[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < message.length) {
    const key = varint();
    switch (key & 7) {
      case VARINT:
        yield [Math.floor(key / 8), varint()];
        break;
      case FIXED64:
        at += 8;
        break;
      case BYTES: {
        const length = varint();
        yield [Math.floor(key / 8), message.subarray(at, at + length)];
        at += length;
        break;
      }
      case FIXED32:
        at += 4;
        break;
      default:
        return;
    }
  }
}
