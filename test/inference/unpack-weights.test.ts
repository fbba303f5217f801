import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ModelFormatError } from "../../src/core/errors.ts";
import { loadDecoder } from "../../src/inference/decoder.ts";
import { loadEncoder } from "../../src/inference/encoder.ts";
import {
  attributeFields,
  makeNode,
  makeValue,
  type OnnxWeight,
  prune,
  readModel,
  writeModel,
} from "../../src/inference/graph/onnx.ts";
import { ELEMENT, makeWeight, readTensor } from "../../src/inference/graph/tensors.ts";
import { unpackWeights } from "../../src/inference/graph/unpack-weights.ts";
import { outlineGraph } from "../../src/inference/graph-outline.ts";
import { createSession } from "../../src/inference/providers.ts";
import { SAMPLE } from "../reference/sample.ts";
import { seededNoise } from "../reference/signals.ts";
import { tinyModel } from "./add-graph.ts";
import { featuresOf, greedyTokens, openModel } from "./speech.ts";

const EIGHT_BIT = /Integer|Quantize|DequantizeLinear/;
/** Of the ten seconds that the sample's speech lies in. */
const FRAMES = 1000;
const HOST = ["native", "wasm"] as const;

/** A product of 8-bit weights as onnxruntime's quantize_dynamic writes it: y = x × W. */
function quantizedProduct(
  weight: OnnxWeight,
  scale: OnnxWeight,
  zeroPoint: OnnxWeight,
  rows: number,
): Uint8Array {
  const model = readModel(tinyModel([], { x: [2, rows] }, {}));
  for (const one of [weight, scale, zeroPoint]) model.graph.weights.set(one.name, one);
  const quantize = makeNode("DynamicQuantizeLinear", ["x"], "xq");
  model.graph.nodes = [
    { ...quantize, outputs: ["xq", "xs", "xz"] },
    makeNode("MatMulInteger", ["xq", "W", "xz", "zero"], "product"),
    makeNode("Cast", ["product"], "cast", { to: ELEMENT.FLOAT }),
    makeNode("Mul", ["xs", "scale"], "scales"),
    makeNode("Mul", ["cast", "scales"], "y"),
  ];
  model.graph.outputs = [makeValue("y", ELEMENT.FLOAT, [2, weightColumns(weight)])];
  return writeModel(model);
}

const weightColumns = (weight: OnnxWeight) => readTensor(weight)!.dims[1]!;
const bytesOf = (values: ArrayBufferView) =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
/** A whole weight as the file has it. */
const whole = (weight: OnnxWeight) => {
  const name = weight.name;
  const model = readModel(tinyModel([], {}, {}));
  model.graph.weights.set(name, weight);
  return readModel(writeModel(model)).graph.weights.get(name)!;
};

async function run(bytes: Uint8Array, x: Float32Array, rows: number): Promise<Float32Array> {
  const session = await createSession(bytes, { graph: "encoder", path: "y.onnx", providers: HOST });
  try {
    const { y } = await session.run({ x: session.tensor("float32", x, [2, rows]) }, ["y"]);
    const values = ((await y!.read()) as Float32Array).slice();
    y!.release();
    return values;
  } finally {
    await session.release();
  }
}

describe("unpackWeights of products", () => {
  const [ROWS, COLUMNS] = [24, 5];
  const noise = seededNoise(11);
  const random = () => (noise() + 1) / 2;
  const x = Float32Array.from({ length: 2 * ROWS }, () => 2 * random() - 1);

  it.each([
    ["signed, of one scale", ELEMENT.INT8, 1],
    ["unsigned, of one scale", ELEMENT.UINT8, 1],
    ["signed, with scales and zero points a column", ELEMENT.INT8, COLUMNS],
    ["unsigned, with scales and zero points a column", ELEMENT.UINT8, COLUMNS],
  ])("%s", async (_, type, count) => {
    const low = type === ELEMENT.INT8 ? -128 : 0;
    const integers = (length: number) => Int16Array.from({ length }, () => low + Math.floor(256 * random()));
    const packed = (values: Int16Array) =>
      bytesOf(type === ELEMENT.INT8 ? Int8Array.from(values) : Uint8Array.from(values));
    const values = integers(ROWS * COLUMNS);
    const zeros = integers(count);
    const scales = Float32Array.from({ length: count }, () => random() / 100);
    const dims = count === 1 ? [] : [count];
    const model = quantizedProduct(
      whole(makeWeight("W", type, [ROWS, COLUMNS], packed(values))),
      whole(makeWeight("scale", ELEMENT.FLOAT, dims, bytesOf(scales))),
      whole(makeWeight("zero", type, dims, packed(zeros))),
      ROWS,
    );
    const unpacked = unpackWeights(model, "y.onnx");
    expect([...outlineGraph(unpacked).operators]).toEqual(["MatMul"]);
    expect([...readModel(unpacked).graph.weights.keys()]).toEqual(["W/float32"]);
    const y = await run(unpacked, x, ROWS);
    y.forEach((value, at) => {
      const [row, column] = [Math.floor(at / COLUMNS), at % COLUMNS];
      const of = (list: ArrayLike<number>) => list[count === 1 ? 0 : column]!;
      let sum = 0;
      for (let k = 0; k < ROWS; k++) {
        sum += x[row * ROWS + k]! * (values[k * COLUMNS + column]! - of(zeros)) * of(scales);
      }
      expect(value).toBeCloseTo(sum, 4);
    });
    // And near to what the integers give, whose steps are a 255th of x's range.
    const before = await run(model, x, ROWS);
    before.forEach((value, at) => void expect(Math.abs(value - y[at]!)).toBeLessThan(0.25));
  });

  it("leaves a graph without 8-bit weights alone, and one whose weights are inputs", () => {
    const plain = tinyModel([["MatMul", ["x", "b"], ["y"]]], { x: [2, 2], b: [2, 2] }, { y: [2, 2] });
    expect(unpackWeights(plain, "y.onnx")).toBe(plain);
    const open = tinyModel([["DequantizeLinear", ["x", "s"], ["y"]]], { x: [2], s: [1] }, { y: [2] });
    expect(unpackWeights(open, "y.onnx")).toBe(open);
  });

  it("refuses what is no model", () => {
    expect(() => unpackWeights(new TextEncoder().encode("no model"), "y.onnx")).toThrow(ModelFormatError);
  });
});

/** The graph with each product of integers done on unpacked weights by onnxruntime: MatMul(x, DequantizeLinear(W)). */
function unpackedInRuns(bytes: Uint8Array): Uint8Array {
  const model = readModel(bytes);
  const { graph } = model;
  const maker = (name: string | undefined) => graph.nodes.find(({ outputs }) => outputs.includes(name ?? ""));
  graph.nodes = graph.nodes.flatMap((node) => {
    for (const [value, factor] of node.operator === "Mul" ? [node.inputs, node.inputs.toReversed()] : []) {
      const product = maker(maker(value)?.inputs[0]);
      const operator = product && { MatMulInteger: "MatMul", ConvInteger: "Conv" }[product.operator];
      if (!operator) continue;
      const quantize = maker(product.inputs[0])!;
      const scale = maker(factor)!.inputs.find((name) => name !== quantize.outputs[1])!;
      const [output] = node.outputs as [string];
      const made = makeNode(operator, [quantize.inputs[0]!, `${output}/w`], output);
      return [
        makeNode("DequantizeLinear", [product.inputs[1]!, scale, product.inputs[3]!], `${output}/w`),
        { ...made, rest: [...made.rest, ...attributeFields(product)] },
      ];
    }
    return [node];
  });
  prune(graph);
  return writeModel(model);
}

describe("unpackWeights of Whisper", () => {
  it("gives what onnxruntime makes of the same weights, to the bit", async () => {
    const model = await openModel("tiny");
    const { encoder: path } = model.files;
    const original = new Uint8Array(await readFile(path));
    const features = (await featuresOf(model, SAMPLE)).slice(0, model.config.mels * 400);
    const encode = async (bytes: Uint8Array) => {
      // Its own handling of quantised nodes would make integers of them again.
      const config = { "session.disable_quant_qdq": "1" };
      const encoder = await loadEncoder(path, model.config, { providers: HOST, bytes, config });
      const state = await encoder.encode(features);
      const values = ((await state.read()) as Float32Array).slice();
      state.release();
      await encoder.release();
      return values;
    };
    const unpacked = unpackWeights(original, path);
    expect([...outlineGraph(unpacked).operators].filter((name) => EIGHT_BIT.test(name))).toEqual([]);
    expect(Buffer.compare(original, await readFile(path))).toBe(0);
    const values = await encode(unpacked);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(await encode(unpackedInRuns(original))).toEqual(values);
  });

  it("keeps the text of speech, without a second embedding", async () => {
    const model = await openModel("base");
    const { files, config, core } = model;
    const all = await featuresOf(model, SAMPLE);
    const features = new Float32Array(config.mels * FRAMES);
    for (let m = 0; m < config.mels; m++) {
      features.set(all.subarray(m * 3000, m * 3000 + FRAMES), m * FRAMES);
    }
    const read = async (path: string) => unpackWeights(new Uint8Array(await readFile(path)), path);
    const encoder = await loadEncoder(files.encoder, config, {
      providers: HOST,
      bytes: await read(files.encoder),
    });
    const decoderBytes = await read(files.decoder);
    const { operators } = outlineGraph(decoderBytes);
    expect(operators.has("If")).toBe(true);
    expect([...operators].filter((name) => EIGHT_BIT.test(name))).toEqual([]);
    expect(decoderBytes.length).toBeLessThan(4 * 52e6 + 1e6);
    const decoder = await loadDecoder(core, files.decoder, config, { providers: HOST, bytes: decoderBytes });
    try {
      // What the 8-bit graphs make of it too; tiny's differ, for the rounding of activations moves its encodings by a third.
      expect(model.tokenizer.decode(await greedyTokens(model, encoder, decoder, features))).toBe(
        " Good morning, the train to London leaves at half past seven. Please take your seats.",
      );
    } finally {
      await encoder.release();
      await decoder.release();
    }
  });
});
