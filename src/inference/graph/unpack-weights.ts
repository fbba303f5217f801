import {
  attributeFields,
  editing,
  integersOf,
  makeNode,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxWeight,
  prune,
  readModel,
  writeModel,
} from "./onnx.ts";
import { ELEMENT, type ExternalPlace, makeWeight, readTensor, type TensorContent } from "./tensors.ts";
import type { Part } from "./wire.ts";

/** Products of 8-bit integers, and the operators on floats that they become. */
const PRODUCTS: Readonly<Record<string, string>> = { MatMulInteger: "MatMul", ConvInteger: "Conv" };
/** Operators that move values only, and so may come after unpacking as well as before. */
const MOVES: ReadonlySet<string> = new Set(["Gather", "Transpose"]);
/** Floats that are unpacked at a time. */
const CHUNK = 16384;

/** A graph within the graphs around it, whose values it may read. */
interface Scope {
  readonly graph: OnnxGraph;
  readonly outer: Scope | undefined;
  readonly makers: ReadonlyMap<string, OnnxNode>;
}

/** Reads the bytes that a weight keeps in another file. */
export type ReadExternal = (place: ExternalPlace) => Uint8Array;

/**
 * Unpacks the 8-bit weights of a graph to float32, for devices, which have no products of 8-bit integers. What
 * `onnxruntime.quantization.quantize_dynamic` wrote is taken back, in the branches of an If too:
 *
 * ```
 * DynamicQuantizeLinear(x) → MatMulInteger(·, W) → Cast → Mul(·, x's scale × W's scale)   becomes   MatMul(x, W')
 * the same with ConvInteger                                                               becomes   Conv(x, W')
 * Gather or Transpose(E) → DequantizeLinear                                               becomes   Gather or Transpose(E')
 * MatMul(x, Transpose(E'))                                       becomes   Gemm(x, E') with E' transposed in place
 * W' = (W − W's zero point) × W's scale, of the tensor or of each column
 * ```
 *
 * The last keeps one copy of the embedding, which gives the logits too; onnxruntime would fold another. Activations are no
 * longer rounded to 8 bits, so that results differ by that rounding. Each weight is written once, where the new
 * bytes will have it; what is laid out otherwise stays as it is.
 *
 * @param model bytes of the .onnx file; not changed, and returned where there is nothing to unpack
 * @param readExternal reads weights that lie in other files; without it those stay packed
 * @throws ModelFormatError when they are no ONNX model.
 */
export function unpackWeights(model: Uint8Array, path: string, readExternal?: ReadExternal): Uint8Array {
  return editing(path, () => {
    const parsed = readModel(model);
    if (!unpackModel(parsed, readExternal)) return model;
    prune(parsed.graph);
    return writeModel(parsed);
  });
}

/** The same on a model that is being edited, whose packed weights stay until it is pruned. Tells whether there were any. */
export function unpackModel({ graph }: OnnxModel, readExternal?: ReadExternal): boolean {
  return unpackGraph(scopeOf(graph, undefined), readExternal);
}

function scopeOf(graph: OnnxGraph, outer: Scope | undefined): Scope {
  const makers = new Map<string, OnnxNode>();
  for (const node of graph.nodes) for (const name of node.outputs) makers.set(name, node);
  return { graph, outer, makers };
}

/** Whether anything was unpacked. */
function unpackGraph(scope: Scope, readExternal: ReadExternal | undefined): boolean {
  let changed = false;
  const unpack = unpacker(readExternal);
  scope.graph.nodes = scope.graph.nodes.flatMap((node) => {
    for (const branch of node.branches.values()) {
      if (unpackGraph(scopeOf(branch, scope), readExternal)) changed = true;
    }
    const made = unpackedProduct(scope, node, unpack) ?? unpackedMove(scope, node, unpack);
    if (made) changed = true;
    return made ?? [node];
  });
  const { graph } = scope;
  if (changed) {
    const after = scopeOf(graph, scope.outer);
    graph.nodes = graph.nodes.flatMap((node) => sharedEmbedding(after, node) ?? [node]);
  }
  return changed;
}

function maker(scope: Scope | undefined, name: string | undefined): OnnxNode | undefined {
  for (let at = scope; at && name !== undefined; at = at.outer) {
    const node = at.makers.get(name);
    if (node) return node;
  }
  return undefined;
}

function owner(scope: Scope | undefined, name: string): OnnxGraph | undefined {
  for (let at = scope; at; at = at.outer) if (at.graph.weights.has(name)) return at.graph;
  return undefined;
}

type Unpack = (
  scope: Scope,
  weight: string | undefined,
  scale: string | undefined,
  zeroPoint: string | undefined,
  perColumn: boolean,
) => string | undefined;

/** Makes the float32 weight beside the packed one, once, and tells its name. */
function unpacker(readExternal: ReadExternal | undefined): Unpack {
  return (scope, weight, scale, zeroPoint, perColumn) => {
    if (weight === undefined || scale === undefined) return undefined;
    const graph = owner(scope, weight);
    if (!graph) return undefined;
    const name = `${weight}/float32`;
    if (graph.weights.has(name)) return name;
    const packed = readTensor(graph.weights.get(weight)!);
    const scales = numbersOf(constant(scope, scale), readExternal);
    const zeros = zeroPoint ? numbersOf(constant(scope, zeroPoint), readExternal) : [0];
    const columns = packed?.dims.at(-1) ?? 0;
    const fits = ({ length }: number[]) => length === 1 || (perColumn && length === columns);
    if (!packed || !scales || !zeros || !fits(scales) || !fits(zeros)) return undefined;
    const bytes = packed.raw ?? (packed.external && readExternal?.(packed.external));
    if (!bytes || (packed.type !== ELEMENT.INT8 && packed.type !== ELEMENT.UINT8)) return undefined;
    const values =
      packed.type === ELEMENT.INT8 ? new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
    graph.weights.set(
      name,
      makeWeight(name, ELEMENT.FLOAT, packed.dims, unpackedPart(values, scales, zeros)),
    );
    return name;
  };
}

function constant(scope: Scope, name: string): TensorContent | undefined {
  const weight = owner(scope, name)?.weights.get(name);
  return weight && readTensor(weight);
}

function numbersOf(
  tensor: TensorContent | undefined,
  readExternal: ReadExternal | undefined,
): number[] | undefined {
  if (!tensor) return undefined;
  const numbers = tensor.numbers();
  if (numbers) return [...numbers];
  const data = tensor.raw ?? (tensor.external && readExternal?.(tensor.external));
  if (!data) return undefined;
  // A copy: floats must lie on multiples of four.
  const bytes = new Uint8Array(data);
  if (tensor.type === ELEMENT.FLOAT) return [...new Float32Array(bytes.buffer)];
  if (tensor.type === ELEMENT.INT8) return [...new Int8Array(bytes.buffer)];
  return tensor.type === ELEMENT.UINT8 ? [...bytes] : undefined;
}

/** Writes (value − zero point) × scale in float32; scales and zero points are one, or one a column. */
function unpackedPart(values: Int8Array | Uint8Array, scales: number[], zeros: number[]): Part {
  const scale = Float32Array.from(scales);
  const columns = Math.max(scales.length, zeros.length);
  return {
    length: 4 * values.length,
    writeTo(place) {
      const chunk = new Float32Array(CHUNK);
      const bytes = new Uint8Array(chunk.buffer);
      for (let start = 0; start < values.length; start += CHUNK) {
        const count = Math.min(CHUNK, values.length - start);
        for (let i = 0; i < count; i++) {
          const column = (start + i) % columns;
          const zero = zeros[zeros.length === 1 ? 0 : column]!;
          chunk[i] = (values[start + i]! - zero) * scale[scale.length === 1 ? 0 : column]!;
        }
        place.set(bytes.subarray(0, 4 * count), 4 * start);
      }
    },
  };
}

/** What a product of integers, seen from its last multiplication, becomes. */
function unpackedProduct(scope: Scope, node: OnnxNode, unpack: Unpack): OnnxNode[] | undefined {
  if (node.operator !== "Mul") return undefined;
  for (const [value, factor] of [node.inputs, node.inputs.toReversed()]) {
    const cast = maker(scope, value);
    const scales = maker(scope, factor);
    const product = cast?.operator === "Cast" ? maker(scope, cast.inputs[0]) : undefined;
    const operator = product && PRODUCTS[product.operator];
    if (!operator || scales?.operator !== "Mul") continue;
    const [x, weight, , zeroPoint] = product.inputs;
    const quantize = maker(scope, x);
    if (quantize?.operator !== "DynamicQuantizeLinear") continue;
    const scale = scales.inputs.find((name) => name !== quantize.outputs[1]);
    if (!scales.inputs.includes(quantize.outputs[1]!)) continue;
    const unpacked = unpack(scope, weight, scale, zeroPoint, operator === "MatMul");
    if (unpacked === undefined) continue;
    const made = makeNode(operator, [quantize.inputs[0]!, unpacked], node.outputs[0]!);
    return [{ ...made, rest: [...made.rest, ...attributeFields(product)] }];
  }
  return undefined;
}

/** What the unpacking of a moved constant becomes: the same moves of an unpacked one. */
function unpackedMove(scope: Scope, node: OnnxNode, unpack: Unpack): OnnxNode[] | undefined {
  if (node.operator !== "DequantizeLinear") return undefined;
  const [, scale, zeroPoint] = node.inputs;
  const moves: OnnxNode[] = [];
  let source = node.inputs[0];
  for (let move = maker(scope, source); move && MOVES.has(move.operator); move = maker(scope, source)) {
    moves.unshift(move);
    source = move.inputs[0];
  }
  const unpacked = unpack(scope, source, scale, zeroPoint, false);
  if (unpacked === undefined) return undefined;
  const output = node.outputs[0]!;
  if (moves.length === 0) return [makeNode("Identity", [unpacked], output)];
  let from = unpacked;
  return moves.map((move, i) => {
    const to = i === moves.length - 1 ? output : `${output}/${i}`;
    const made = makeNode(move.operator, [from, ...move.inputs.slice(1)], to);
    from = to;
    return { ...made, rest: [...made.rest, ...attributeFields(move)] };
  });
}

/** The logits' product, of the embedding as it is: [1, tokens, width] × [vocabulary, width], transposed within. */
function sharedEmbedding(scope: Scope, node: OnnxNode): OnnxNode[] | undefined {
  const [output] = node.outputs;
  const transpose = maker(scope, node.inputs[1]);
  const weight = transpose?.inputs[0];
  if (node.operator !== "MatMul" || output !== "logits" || transpose?.operator !== "Transpose")
    return undefined;
  const dims = weight !== undefined && owner(scope, weight) ? madeDims(scope, weight) : undefined;
  const order = integersOf(transpose, "perm") ?? [1, 0];
  if (weight === undefined || dims?.length !== 2 || order[0] !== 1) return undefined;
  const [vocabulary, width] = dims as [number, number];
  const name = "wavepool/logits";
  const shapes = { rows: [-1, width], whole: [1, -1, vocabulary] };
  for (const [key, shape] of Object.entries(shapes)) {
    const data = new Uint8Array(BigInt64Array.from(shape, BigInt).buffer);
    scope.graph.weights.set(
      `${name}/${key}`,
      makeWeight(`${name}/${key}`, ELEMENT.INT64, [shape.length], data),
    );
  }
  return [
    makeNode("Reshape", [node.inputs[0]!, `${name}/rows`], `${name}/x`),
    makeNode("Gemm", [`${name}/x`, weight], `${name}/product`, { transB: 1 }),
    makeNode("Reshape", [`${name}/product`, `${name}/whole`], output),
  ];
}

/** Shape of a weight that was unpacked. */
function madeDims(scope: Scope, name: string): readonly number[] | undefined {
  const packed = name.endsWith("/float32") ? name.slice(0, -"/float32".length) : name;
  const weight: OnnxWeight | undefined = owner(scope, packed)?.weights.get(packed);
  return weight && readTensor(weight)?.dims;
}
