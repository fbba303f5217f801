import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ModelFormatError } from "../../src/index.ts";
import { flexibleEncoder } from "../../src/inference/graph/flexible-encoder.ts";
import { field, join, readFields, readText, textField, varintField } from "../../src/inference/graph/wire.ts";
import { createWebSession } from "../../src/inference/web-session.ts";
import { findModel } from "../../src/models/model-files.ts";
import { whiteNoise } from "../reference/signals.ts";

const MELS = 80;
/** Two files are tested at a time, on two cores: more threads would wait for each other. */
const LOADING = { graph: "encoder", threads: 1 } as const;
const path = (await findModel("tiny")).encoder;
const original = new Uint8Array(await readFile(path));
const noise = whiteNoise(MELS * 3000, 5);

/** [mels × frames] of the same noise, as a window of so many frames. */
function features(frames: number): Float32Array {
  const view = new Float32Array(MELS * frames);
  for (let m = 0; m < MELS; m++) view.set(noise.subarray(m * 3000, m * 3000 + frames), m * frames);
  return view;
}

async function encode(
  bytes: Uint8Array,
  frames: number,
): Promise<{ dims: readonly number[]; values: Float32Array }> {
  const session = await createWebSession(bytes, { ...LOADING, path });
  const input = session.tensor("float32", features(frames), [1, MELS, frames]);
  try {
    const { last_hidden_state: output } = await session.run({ input_features: input }, ["last_hidden_state"]);
    const values = (await output!.read()).slice() as Float32Array;
    output!.release();
    return { dims: output!.dims, values };
  } finally {
    await session.release();
  }
}

/** The model with the positional embedding's first rows alone. */
function withRows(model: Uint8Array, rows: number): Uint8Array {
  const width = 384;
  const initializer = (tensor: Uint8Array) => {
    const fields = readFields(tensor);
    const name = fields.find(({ number }) => number === 8);
    if (!name || !readText(name.content).endsWith("embed_positions.weight")) return [tensor];
    const raw = fields.find(({ number }) => number === 9)!.content.subarray(0, rows * width * 4);
    const type = fields.find(({ number }) => number === 2)!;
    const dims = [...varintField(1, rows), ...varintField(1, width)];
    return [...dims, type.bytes, name.bytes, ...field(9, raw)];
  };
  return join(
    readFields(model).flatMap((entry) =>
      entry.number !== 7
        ? [entry.bytes]
        : field(
            7,
            ...readFields(entry.content).flatMap((part) => {
              if (part.number === 5) return field(5, ...initializer(part.content));
              // Outputs and intermediate values say 1500 positions; the name of the one is enough.
              return part.number === 12 || part.number === 13 ? [] : [part.bytes];
            }),
            ...field(12, ...textField(1, "last_hidden_state")),
          ),
    ),
  );
}

describe("flexibleEncoder", () => {
  const edited = flexibleEncoder(original, path);

  it("keeps the result of 30 s to the bit", async () => {
    expect(edited).toMatchObject({ flexible: true });
    const [before, after] = [await encode(original, 3000), await encode(edited.bytes, 3000)];
    expect(after.dims).toEqual(before.dims);
    expect(Buffer.compare(Buffer.from(after.values.buffer), Buffer.from(before.values.buffer))).toBe(0);
  });

  it.each([2, 150, 1000, 2998])("takes %i frames", async (frames) => {
    const { dims, values } = await encode(edited.bytes, frames);
    expect(dims).toEqual([1, frames / 2, 384]);
    expect(values.every(Number.isFinite)).toBe(true);
  });

  it("gives what a model gives whose embedding has but the first rows", async () => {
    const [cut, sliced] = [await encode(withRows(original, 500), 1000), await encode(edited.bytes, 1000)];
    expect(cut.dims).toEqual([1, 500, 384]);
    expect(Buffer.compare(Buffer.from(sliced.values.buffer), Buffer.from(cut.values.buffer))).toBe(0);
  });

  it("drops the attentions", async () => {
    const session = await createWebSession(edited.bytes, { ...LOADING, path });
    expect(session.outputs.map(({ name }) => name)).toEqual(["last_hidden_state"]);
    await session.release();
    expect(edited.bytes.length).toBeLessThan(original.length + 1000);
  });

  it("leaves the given bytes alone", async () => {
    expect(Buffer.compare(original, await readFile(path))).toBe(0);
  });

  it.each([
    ["text", new TextEncoder().encode("not an onnx file"), /is no ONNX model/],
    ["nothing", new Uint8Array(0), /holds no graph/],
    ["a file that is cut off", original.subarray(0, 1_000_000), /is no ONNX model/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => flexibleEncoder(bytes, "encoder.onnx")).toThrow(ModelFormatError);
    expect(() => flexibleEncoder(bytes, "encoder.onnx")).toThrow(message);
  });

  it("says why a graph of another layout stays as it is", () => {
    const graph = (...parts: Uint8Array[][]) => join(field(7, ...parts.flat()));
    const other = graph(textField(2, "no embedding"));
    expect(flexibleEncoder(other, "x")).toMatchObject({ flexible: false, why: /no positional embedding/ });
    const embedding = field(
      5,
      ...varintField(1, 1500),
      ...varintField(1, 384),
      ...textField(8, "model.encoder.embed_positions.weight"),
    );
    expect(flexibleEncoder(graph(embedding), "x")).toMatchObject({
      flexible: false,
      why: /not simply added/,
    });
    const node = field(
      1,
      ...textField(1, "x"),
      ...textField(1, "model.encoder.embed_positions.weight"),
      ...textField(2, "y"),
      ...textField(4, "Add"),
    );
    const { bytes, flexible } = flexibleEncoder(graph(embedding, node), "x");
    expect(flexible).toBe(true);
    const nodes = readFields(readFields(bytes)[0]!.content).filter(({ number }) => number === 1);
    const operators = nodes.map((entry) =>
      readText(readFields(entry.content).find(({ number }) => number === 4)!.content),
    );
    expect(operators).toEqual(["Shape", "Slice", "Slice", "Add"]);
  });
});
