import { ModelFormatError } from "../../core/errors.ts";
import {
  attributeFields,
  editing,
  elementType,
  makeNode,
  makeValue,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  prune,
  readModel,
  writeModel,
} from "./onnx.ts";
import { ELEMENT, makeWeight } from "./tensors.ts";
import { type ReadExternal, unpackModel } from "./unpack-weights.ts";

/** Sizes of a decoder that are known before it runs. */
export interface StaticSizes {
  readonly heads: number;
  readonly headWidth: number;
  /** Rows of each cache of own keys and values: the most tokens of a text. */
  readonly length: number;
  /** Rows of each cache of the encoder's keys and values: the positions of 30 s. */
  readonly positions: number;
}

/** What a run takes and gives besides caches. */
export interface StepSizes extends StaticSizes {
  /** Tokens of a run. */
  readonly tokens: number;
  readonly vocabulary: number;
  /** Whether it gives the cross-attentions too. */
  readonly attentions: boolean;
}

/** Names of the inputs that a static graph has beside those of the export. */
export const POSITION = "position";
export const ENCODER_LENGTH = "encoder_length";

const PREFIX = "wavepool/static";
/** Added to the scores of what may not be looked at: finite in float16 too, and its exponential is 0. */
const HIDDEN = -60000;
/** Operators between an attention's scores and the product that made them, and between that and its keys. */
const BETWEEN: ReadonlySet<string> = new Set([
  "Reshape",
  "Transpose",
  "Add",
  "Mul",
  "Div",
  "Cast",
  "Identity",
]);

/**
 * Makes of a merged decoder a graph in which every size is fixed, as WebNN wants it: the branch that goes on from caches
 * (`use_cache_branch` true), taken out of its If, 8-bit weights unpacked. It runs `tokens` tokens a time from any
 * place; caches have `length` rows, of which those up to the token's position count.
 *
 * ```
 * input_ids [1, tokens] int32, position [tokens] int32: the place of each token
 * encoder_length [1] int32: how many rows of the encoder's caches count
 * Concat(past, new)                    becomes   Where(row = position, new, past)
 * Softmax(scores)                      becomes   Softmax(scores + mask), mask from position or encoder_length
 * Slice(embed_positions, …)            becomes   Gather(embed_positions, position)
 * ```
 *
 * Outputs have their inputs' shapes, so that one buffer's values go into the next run as they are.
 *
 * @param model bytes of the merged decoder's .onnx file; not changed
 * @throws ModelFormatError when it is no ONNX model or laid out otherwise; the message tells what is missing.
 */
export function stepGraph(
  model: Uint8Array,
  path: string,
  sizes: StepSizes,
  readExternal?: ReadExternal,
): Uint8Array {
  const misfit = misfitOf(path);
  return editing(path, () => {
    const { parsed, graph } = takeBranch(model, "then_branch", readExternal, misfit);
    const { tokens, length, positions, heads, headWidth, vocabulary } = sizes;
    const caches = graph.inputs.filter(({ name }) => name.startsWith("past_key_values."));
    const type = caches[0] ? elementType(caches[0]) : ELEMENT.FLOAT;
    addConstants(graph, sizes, type);
    placeTokens(graph, misfit);
    const masks = maskNodes(tokens);
    const own = caches.filter(({ name }) => name.includes(".decoder."));
    for (const { name } of own) replaceGrowth(graph, name, tokens, misfit);
    maskSoftmaxes(graph, misfit);
    graph.nodes = [...masks, ...graph.nodes];
    const cacheDims = (name: string) => [
      1,
      heads,
      name.includes(".decoder.") ? length : positions,
      headWidth,
    ];
    graph.inputs = [
      makeValue("input_ids", ELEMENT.INT32, [1, tokens]),
      makeValue(POSITION, ELEMENT.INT32, [tokens]),
      makeValue(ENCODER_LENGTH, ELEMENT.INT32, [1]),
      ...caches.map(({ name }) => makeValue(name, type, cacheDims(name))),
    ];
    const logits = graph.outputs.find(({ name }) => name === "logits");
    const attentions = graph.outputs.filter(({ name }) => name.startsWith("cross_attentions."));
    if (!logits) throw misfit("it has no logits");
    graph.outputs = [
      makeValue("logits", elementType(logits), [1, tokens, vocabulary]),
      ...own.map(({ name }) => makeValue(presentName(name), type, cacheDims(name))),
      ...(sizes.attentions
        ? attentions.map(({ name }) => makeValue(name, type, [1, heads, tokens, positions]))
        : []),
    ];
    prune(graph);
    return writeModel(parsed);
  });
}

/**
 * Makes of a merged decoder the graph that computes the keys and values of an encoder's output, once a window: of
 * `encoder_hidden_states` [1, rows, width], filled up with zeros to `positions` rows.
 *
 * @throws ModelFormatError when it is no ONNX model or laid out otherwise.
 */
export function crossGraph(
  model: Uint8Array,
  path: string,
  sizes: StaticSizes & { readonly rows: number; readonly width: number },
  readExternal?: ReadExternal,
): Uint8Array {
  const misfit = misfitOf(path);
  return editing(path, () => {
    const { parsed, graph } = takeBranch(model, "else_branch", readExternal, misfit);
    const { rows, positions, heads, headWidth, width } = sizes;
    const states = graph.inputs.find(({ name }) => name === "encoder_hidden_states");
    const caches = graph.outputs.filter(({ name }) => /^present\..*\.encoder\./.test(name));
    if (!states || caches.length === 0) throw misfit("it makes no keys of the encoder's output");
    const type = elementType(caches[0]!);
    addIntegers(graph, "split", [1, rows, heads, headWidth], ELEMENT.INT64);
    if (rows < positions) addZeros(graph, "rest", type, [1, heads, positions - rows, headWidth]);
    for (const { name } of caches) {
      const transpose = maker(graph, name);
      const reshape = transpose && maker(graph, transpose.inputs[0]!);
      if (transpose?.operator !== "Transpose" || reshape?.operator !== "Reshape") {
        throw misfit(`its ${name} is not split into heads as usual`);
      }
      // The export takes the batch's size from the decoder's own stream, which is not here.
      const [split, short] = [`${name}/split`, rows < positions ? `${name}/short` : name];
      const made = [
        makeNode("Reshape", [reshape.inputs[0]!, `${PREFIX}/split`], split),
        withAttributes(makeNode("Transpose", [split], short), transpose),
        ...(rows < positions ? [makeNode("Concat", [short, `${PREFIX}/rest`], name, { axis: 2 })] : []),
      ];
      graph.nodes = graph.nodes.flatMap((node) => (node === transpose ? made : [node]));
    }
    graph.inputs = [makeValue(states.name, elementType(states), [1, rows, width])];
    graph.outputs = caches.map(({ name }) => makeValue(name, type, [1, heads, positions, headWidth]));
    prune(graph);
    return writeModel(parsed);
  });
}

/** The name of the output that is a cache's next state. */
export function presentName(past: string): string {
  return past.replace("past_key_values", "present");
}

/** The error for what is laid out otherwise. */
type Misfit = (why: string) => ModelFormatError;

function misfitOf(path: string): Misfit {
  return (why) => new ModelFormatError(`${path} cannot be given fixed sizes: ${why}`);
}

/** One branch of the graph's If, with what it uses of the graph around it. */
function takeBranch(
  model: Uint8Array,
  name: "then_branch" | "else_branch",
  readExternal: ReadExternal | undefined,
  misfit: Misfit,
): { parsed: OnnxModel; graph: OnnxGraph } {
  const parsed = readModel(model);
  const { graph } = parsed;
  const merged = graph.nodes.find(
    ({ operator, inputs }) => operator === "If" && inputs[0] === "use_cache_branch",
  );
  const branch = merged?.branches.get(name);
  if (!branch) throw misfit("it has no two branches for with and without caches");
  unpackModel(parsed, readExternal);
  graph.nodes = [...graph.nodes.filter((node) => node.operator !== "If"), ...branch.nodes];
  for (const [key, weight] of branch.weights) graph.weights.set(key, weight);
  graph.outputs = branch.outputs;
  return { parsed, graph };
}

function maker(graph: OnnxGraph, name: string): OnnxNode | undefined {
  return graph.nodes.find(({ outputs }) => outputs.includes(name));
}

function withAttributes(node: OnnxNode, from: OnnxNode): OnnxNode {
  return { ...node, rest: [...node.rest, ...attributeFields(from)] };
}

/** The position's row of the embedding, whatever way it was taken. */
function placeTokens(graph: OnnxGraph, misfit: Misfit): void {
  const taking = graph.nodes.filter(({ inputs }) => inputs[0]?.includes("embed_positions.weight"));
  const [taken] = taking;
  if (!taken || taking.length > 1) throw misfit("its positional embedding is not simply taken");
  const gather = makeNode("Gather", [taken.inputs[0]!, POSITION], taken.outputs[0]!, { axis: 0 });
  graph.nodes = graph.nodes.map((node) => (node === taken ? gather : node));
}

function addConstants(graph: OnnxGraph, { length, positions, tokens }: StepSizes, type: number): void {
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);
  addIntegers(graph, "rows", upTo(length), ELEMENT.INT32);
  addIntegers(graph, "places", upTo(length), ELEMENT.INT32, [1, 1, length, 1]);
  addIntegers(graph, "heard", upTo(positions), ELEMENT.INT32);
  addIntegers(graph, "column", [-1, 1], ELEMENT.INT64);
  addIntegers(graph, "last", [1], ELEMENT.INT32);
  for (const [key, value] of Object.entries({ hidden: HIDDEN, seen: 0, half: 0.5, one: 1 })) {
    addNumbers(graph, key, type, [], [value]);
  }
  addNumbers(graph, "ones", type, [tokens, 1], new Array(tokens).fill(1));
}

/** A constant or value of ours. */
function ours(key: string): string {
  return `${PREFIX}/${key}`;
}

/** Masks of own rows [tokens, length] and of the encoder's [positions], and the rows that a run writes. */
function maskNodes(tokens: number): OnnxNode[] {
  return [
    makeNode("Reshape", [POSITION, ours("column")], ours("now")),
    makeNode("Greater", [ours("rows"), ours("now")], ours("later")),
    makeNode("Where", [ours("later"), ours("hidden"), ours("seen")], ours("own_mask")),
    makeNode("Sub", [ENCODER_LENGTH, ours("last")], ours("end")),
    makeNode("Greater", [ours("heard"), ours("end")], ours("silent")),
    makeNode("Where", [ours("silent"), ours("hidden"), ours("seen")], ours("cross_mask")),
    // [1, 1, length, tokens]: which row takes which token.
    makeNode("Equal", [ours("places"), POSITION], ours("slot")),
    ...(tokens === 1
      ? []
      : [
          makeNode("Where", [ours("slot"), ours("one"), ours("seen")], ours("place")),
          makeNode("MatMul", [ours("place"), ours("ones")], ours("count")),
          makeNode("Greater", [ours("count"), ours("half")], ours("written")),
        ]),
  ];
}

/** A cache that grew by the new rows has them written into their places. */
function replaceGrowth(graph: OnnxGraph, past: string, tokens: number, misfit: Misfit): void {
  const present = presentName(past);
  const growth = maker(graph, present);
  const added = growth?.inputs[1];
  if (growth?.operator !== "Concat" || growth.inputs[0] !== past || added === undefined) {
    throw misfit(`its ${present} is not ${past} with more behind it`);
  }
  const made =
    tokens === 1
      ? [makeNode("Where", [ours("slot"), added, past], present)]
      : [
          makeNode("MatMul", [ours("place"), added], `${present}/placed`),
          makeNode("Where", [ours("written"), `${present}/placed`, past], present),
        ];
  graph.nodes = graph.nodes.flatMap((node) => (node === growth ? made : [node]));
}

/** Adds its mask to the scores of each attention. */
function maskSoftmaxes(graph: OnnxGraph, misfit: Misfit): void {
  let masked = 0;
  graph.nodes = graph.nodes.flatMap((node) => {
    if (node.operator !== "Softmax") return [node];
    const keys = keysOf(graph, node.inputs[0]!);
    if (keys === undefined) throw misfit(`the scores of ${node.outputs[0]} are of no cache`);
    masked++;
    const mask = keys.includes(".decoder.") ? `${PREFIX}/own_mask` : `${PREFIX}/cross_mask`;
    const scores = `${node.outputs[0]}/scores`;
    return [
      makeNode("Add", [node.inputs[0]!, mask], scores),
      withAttributes(makeNode("Softmax", [scores], node.outputs[0]!), node),
    ];
  });
  if (masked === 0) throw misfit("it has no attentions");
}

/** The cache whose keys the scores were made with. */
function keysOf(graph: OnnxGraph, scores: string): string | undefined {
  let node = maker(graph, scores);
  while (node && BETWEEN.has(node.operator)) node = maker(graph, node.inputs[0]!);
  if (node?.operator !== "MatMul") return undefined;
  for (let name = node.inputs[1]; name !== undefined; ) {
    if (/^(past_key_values|present)\./.test(name)) return name;
    const made = maker(graph, name);
    name = made && BETWEEN.has(made.operator) ? made.inputs[0] : undefined;
  }
  return undefined;
}

function addIntegers(
  graph: OnnxGraph,
  key: string,
  values: readonly number[],
  type: number,
  dims: readonly number[] = [values.length],
): void {
  const array = type === ELEMENT.INT64 ? BigInt64Array.from(values, BigInt) : Int32Array.from(values);
  const name = `${PREFIX}/${key}`;
  graph.weights.set(name, makeWeight(name, type, dims, new Uint8Array(array.buffer)));
}

function addNumbers(
  graph: OnnxGraph,
  key: string,
  type: number,
  dims: readonly number[],
  values: readonly number[],
): void {
  const array = type === ELEMENT.FLOAT16 ? Uint16Array.from(values, halfBits) : Float32Array.from(values);
  const name = `${PREFIX}/${key}`;
  graph.weights.set(name, makeWeight(name, type, dims, new Uint8Array(array.buffer)));
}

function addZeros(graph: OnnxGraph, key: string, type: number, dims: readonly number[]): void {
  const width = type === ELEMENT.FLOAT16 ? 2 : 4;
  const name = `${PREFIX}/${key}`;
  const count = dims.reduce((product, size) => product * size, width);
  graph.weights.set(name, makeWeight(name, type, dims, new Uint8Array(count)));
}

/** Bits of the few numbers above in half precision, each a normal number or 0. */
function halfBits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
  return (value < 0 ? 0x8000 : 0) + ((exponent + 15) << 10) + fraction;
}
