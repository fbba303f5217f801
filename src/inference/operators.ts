/** Field numbers of onnx.proto. */
const MODEL_GRAPH = 7;
const GRAPH_NODE = 1;
const GRAPH_INPUT = 11;
const NODE_OP_TYPE = 4;
const NODE_ATTRIBUTE = 5;
const ATTRIBUTE_GRAPH = 6;
const VALUE_TYPE = 2;
const TYPE_TENSOR = 1;
const TENSOR_SHAPE = 2;
const SHAPE_DIM = 1;
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
  /** Names of the free dimensions of its inputs. */
  readonly freeDimensions: ReadonlySet<string>;
}

/**
 * Reads which operators and free dimensions a model has, without its weights (onnx.proto of onnx 1.16). Of bytes
 * that are no model it makes what it can; the runtime is who refuses those.
 */
export function outlineGraph(model: Uint8Array): GraphOutline {
  const operators = new Set<string>();
  const freeDimensions = new Set<string>();
  const text = new TextDecoder();

  function readNode(node: Uint8Array): void {
    for (const [field, part] of fields(node)) {
      if (field === NODE_OP_TYPE) operators.add(text.decode(part));
      if (field === NODE_ATTRIBUTE) each(part, ATTRIBUTE_GRAPH, readNodes);
    }
  }
  function readNodes(graph: Uint8Array): void {
    each(graph, GRAPH_NODE, readNode);
  }
  each(model, MODEL_GRAPH, (graph) => {
    readNodes(graph);
    descend(graph, [GRAPH_INPUT, VALUE_TYPE, TYPE_TENSOR, TENSOR_SHAPE, SHAPE_DIM, DIM_PARAM], (name) => {
      if (name.length > 0) freeDimensions.add(text.decode(name));
    });
  });
  return { operators, freeDimensions };
}

function each(message: Uint8Array, wanted: number, visit: (part: Uint8Array) => void): void {
  for (const [field, part] of fields(message)) if (field === wanted) visit(part);
}

function descend(message: Uint8Array, path: readonly number[], visit: (part: Uint8Array) => void): void {
  const [next, ...rest] = path;
  if (next === undefined) visit(message);
  else each(message, next, (part) => descend(part, rest, visit));
}

/** The length-delimited fields of a message. */
function* fields(message: Uint8Array): Generator<[number, Uint8Array]> {
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
        varint();
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
