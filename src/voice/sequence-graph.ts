import { ModelFormatError, messageOf } from "../core/errors.ts";
import {
  field,
  join,
  readFields,
  readText,
  readVarint,
  textField,
  varintField,
} from "../inference/graph/wire.ts";

/** Field numbers of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3). */
const MODEL = { VERSION: 1, GRAPH: 7, OPERATORS: 8 };
const GRAPH = { NODE: 1, NAME: 2, INITIALIZER: 5, INPUT: 11, OUTPUT: 12 };
const NODE = { INPUT: 1, OUTPUT: 2, OPERATOR: 4, ATTRIBUTE: 5 };
const ATTRIBUTE = { NAME: 1, INTEGER: 3, TENSOR: 5, GRAPH: 6, INTEGERS: 8, TYPE: 20 };
const TENSOR = { DIMS: 1, DATA_TYPE: 2, NAME: 8, RAW_DATA: 9 };
const OPERATORS = { VERSION: 2 };
const IR_VERSION = 8;
const OPSET = 17;
const FLOAT = 1;
const INT64 = 7;

/** Weights of the 16 kHz half, by the ends of their names, and their shapes. */
const WEIGHTS: Record<string, readonly number[]> = {
  "stft.forward_basis_buffer": [258, 1, 256],
  "encoder.0.reparam_conv.weight": [128, 129, 3],
  "encoder.0.reparam_conv.bias": [128],
  "encoder.1.reparam_conv.weight": [64, 128, 3],
  "encoder.1.reparam_conv.bias": [64],
  "encoder.2.reparam_conv.weight": [64, 64, 3],
  "encoder.2.reparam_conv.bias": [64],
  "encoder.3.reparam_conv.weight": [128, 64, 3],
  "encoder.3.reparam_conv.bias": [128],
  "decoder.rnn.weight_ih": [512, 128],
  "decoder.rnn.weight_hh": [512, 128],
  "decoder.rnn.bias_ih": [512],
  "decoder.rnn.bias_hh": [512],
  "decoder.decoder.2.weight": [1, 128, 1],
  "decoder.decoder.2.bias": [1],
};
const BASIS = "stft.forward_basis_buffer";
/** Strides of the four convolutions: from 4 spectra to one vector. */
const STRIDES = [1, 2, 2, 1];

interface Weight {
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * Silero's voice detector as a graph that takes many chunks at once. The published graph takes one chunk a run, and
 * its convolutions are so narrow that most of what a matrix kernel computes is thrown away; this one has the chunks of
 * a stream as rows of an image, and its LSTM goes over them as a sequence. Same weights, same sums but for their order.
 *
 * Inputs: `chunks` [1, 1, n, 640] (64 samples of context, 512 of the chunk, 64 that mirror its end) and `state`
 * [2, 1, 128]; outputs: `probabilities` [n, 1, 1, 1] and `nextState`.
 *
 * @param model bytes of silero_vad_v5.onnx or silero_vad_v6.onnx; not changed
 * @throws ModelFormatError when they are something else.
 */
export function sequenceGraph(model: Uint8Array, path: string): Uint8Array<ArrayBuffer> {
  try {
    return write(findWeights(model));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ModelFormatError(
      `${path} is no Silero voice detector of version 5 or 6 (${messageOf(cause)}); give silero_vad_v6.onnx of @ricky0123/vad-web`,
      { cause },
    );
  }
}

function findWeights(model: Uint8Array): (name: string) => Uint8Array {
  const tensors = new Map<string, Weight>();
  for (const { number, content } of readFields(model)) {
    if (number === MODEL.GRAPH) collectTensors(content, tensors);
  }
  const same = (a: readonly number[], b: readonly number[]) => a.join() === b.join();
  const basis = [...tensors].find(([name, { dims }]) => name.endsWith(BASIS) && same(dims, WEIGHTS[BASIS]!));
  if (!basis) throw new RangeError(`it has no ${BASIS} of ${WEIGHTS[BASIS]!.join(" × ")}`);
  const prefix = basis[0].slice(0, -BASIS.length);
  for (const [name, dims] of Object.entries(WEIGHTS)) {
    const found = tensors.get(prefix + name);
    const floats = dims.reduce((product, size) => product * size, 1);
    if (found && same(found.dims, dims) && found.bytes.length === 4 * floats) continue;
    throw new RangeError(`it has no ${name} of ${dims.join(" × ")}`);
  }
  return (name) => tensors.get(prefix + name)!.bytes;
}

/** Adds the constants and initializers of a graph and of those inside it. */
function collectTensors(graph: Uint8Array, tensors: Map<string, Weight>): void {
  for (const { number, content } of readFields(graph)) {
    if (number !== GRAPH.NODE) continue;
    const node = readFields(content);
    const output = node.find(({ number }) => number === NODE.OUTPUT);
    for (const attribute of node.filter(({ number }) => number === NODE.ATTRIBUTE)) {
      for (const { number, content } of readFields(attribute.content)) {
        if (number === ATTRIBUTE.GRAPH) collectTensors(content, tensors);
        if (number === ATTRIBUTE.TENSOR && output) tensors.set(readText(output.content), readTensor(content));
      }
    }
  }
}

function readTensor(tensor: Uint8Array): Weight {
  const dims: number[] = [];
  let bytes = new Uint8Array(0);
  for (const { number, content } of readFields(tensor)) {
    if (number === TENSOR.RAW_DATA) bytes = content as Uint8Array<ArrayBuffer>;
    if (number !== TENSOR.DIMS) continue;
    for (let at = 0; at < content.length; ) {
      const { value, end } = readVarint(content, at);
      dims.push(value);
      at = end;
    }
  }
  return { dims, bytes };
}

/** Gates of torch (input, forget, cell, output) in the order of ONNX (input, output, forget, cell). */
function reorderGates(bytes: Uint8Array): Uint8Array {
  const gate = bytes.length / 4;
  return join([0, 3, 1, 2].map((k) => bytes.subarray(k * gate, (k + 1) * gate)));
}

function write(weight: (name: string) => Uint8Array): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const tensor = (name: string, dims: readonly number[], bytes: Uint8Array, type = FLOAT) =>
    parts.push(
      ...field(
        GRAPH.INITIALIZER,
        ...dims.flatMap((size) => varintField(TENSOR.DIMS, size)),
        ...varintField(TENSOR.DATA_TYPE, type),
        ...textField(TENSOR.NAME, name),
        ...field(TENSOR.RAW_DATA, bytes),
      ),
    );
  const integers = (name: string, values: readonly number[]) =>
    tensor(name, [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer), INT64);
  const node = (
    operator: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Record<string, number | readonly number[]> = {},
  ) =>
    parts.push(
      ...field(
        GRAPH.NODE,
        ...inputs.flatMap((name) => textField(NODE.INPUT, name)),
        ...outputs.flatMap((name) => textField(NODE.OUTPUT, name)),
        ...textField(NODE.OPERATOR, operator),
        ...Object.entries(attributes).flatMap(([name, value]) => writeAttribute(name, value)),
      ),
    );

  // Magnitudes of four spectra of 256 samples a chunk.
  tensor("basis", [258, 1, 1, 256], weight(BASIS));
  node("Conv", ["chunks", "basis"], ["spectra"], { strides: [1, 128], kernel_shape: [1, 256] });
  integers("halves", [129, 129]);
  node("Split", ["spectra", "halves"], ["real", "imaginary"], { axis: 1 });
  node("Mul", ["real", "real"], ["realSquare"]);
  node("Mul", ["imaginary", "imaginary"], ["imaginarySquare"]);
  node("Add", ["realSquare", "imaginarySquare"], ["power"]);
  node("Sqrt", ["power"], ["encoded0"]);
  for (const [k, stride] of STRIDES.entries()) {
    const name = `encoder.${k}.reparam_conv`;
    const [outputs, inputs, width] = WEIGHTS[`${name}.weight`]!;
    tensor(`weight${k}`, [outputs!, inputs!, 1, width!], weight(`${name}.weight`));
    tensor(`bias${k}`, [outputs!], weight(`${name}.bias`));
    const shape = { strides: [1, stride], pads: [0, 1, 0, 1], kernel_shape: [1, 3] };
    node("Conv", [`encoded${k}`, `weight${k}`, `bias${k}`], [`convolved${k}`], shape);
    node("Relu", [`convolved${k}`], [`encoded${k + 1}`]);
  }
  integers("lastAxis", [3]);
  node("Squeeze", ["encoded4", "lastAxis"], ["vectors"]);
  node("Transpose", ["vectors"], ["sequence"], { perm: [2, 0, 1] });

  tensor("inputWeights", [1, 512, 128], reorderGates(weight("decoder.rnn.weight_ih")));
  tensor("stateWeights", [1, 512, 128], reorderGates(weight("decoder.rnn.weight_hh")));
  const biases = ["decoder.rnn.bias_ih", "decoder.rnn.bias_hh"].map((name) => reorderGates(weight(name)));
  tensor("biases", [1, 1024], join(biases));
  integers("oneEach", [1, 1]);
  node("Split", ["state", "oneEach"], ["hidden", "cell"], { axis: 0 });
  const lstm = ["sequence", "inputWeights", "stateWeights", "biases", "", "hidden", "cell"];
  node("LSTM", lstm, ["outputs", "nextHidden", "nextCell"], { hidden_size: 128 });
  node("Concat", ["nextHidden", "nextCell"], ["nextState"], { axis: 0 });

  tensor("lastWeights", [128, 1], weight("decoder.decoder.2.weight"));
  tensor("lastBias", [1], weight("decoder.decoder.2.bias"));
  node("Relu", ["outputs"], ["positive"]);
  node("MatMul", ["positive", "lastWeights"], ["products"]);
  node("Add", ["products", "lastBias"], ["logits"]);
  node("Sigmoid", ["logits"], ["probabilities"]);

  const graph = [
    ...parts,
    ...textField(GRAPH.NAME, "silero"),
    ...writeValue(GRAPH.INPUT, "chunks", [1, 1, "n", 640]),
    ...writeValue(GRAPH.INPUT, "state", [2, 1, 128]),
    ...writeValue(GRAPH.OUTPUT, "probabilities", ["n", 1, 1, 1]),
    ...writeValue(GRAPH.OUTPUT, "nextState", [2, 1, 128]),
  ];
  return join([
    ...varintField(MODEL.VERSION, IR_VERSION),
    ...field(MODEL.GRAPH, ...graph),
    ...field(MODEL.OPERATORS, ...varintField(OPERATORS.VERSION, OPSET)),
  ]);
}

function writeAttribute(name: string, value: number | readonly number[]): Uint8Array[] {
  const isOne = typeof value === "number";
  return field(
    NODE.ATTRIBUTE,
    ...textField(ATTRIBUTE.NAME, name),
    ...(isOne
      ? varintField(ATTRIBUTE.INTEGER, value)
      : value.flatMap((x) => varintField(ATTRIBUTE.INTEGERS, x))),
    ...varintField(ATTRIBUTE.TYPE, isOne ? 2 : 7),
  );
}

/** A ValueInfoProto: name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1 { value 1, or name 2 } } } }. */
function writeValue(number: number, name: string, dims: readonly (number | string)[]): Uint8Array[] {
  const shape = dims.flatMap((size) =>
    field(1, ...(typeof size === "number" ? varintField(1, size) : textField(2, size))),
  );
  const type = field(2, ...field(1, ...varintField(1, FLOAT), ...field(2, ...shape)));
  return field(number, ...textField(1, name), ...type);
}
