import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InferenceError, ModelFormatError } from "../../src/core/errors.ts";
import type { Decoder } from "../../src/inference/decoder.ts";
import { crossGraph, stepGraph } from "../../src/inference/graph/static-decoder.ts";
import { unpackWeights } from "../../src/inference/graph/unpack-weights.ts";
import { outlineGraph } from "../../src/inference/graph-outline.ts";
import { loadMergedDecoder } from "../../src/inference/merged-decoder.ts";
import { loadStaticDecoder } from "../../src/inference/static-decoder.ts";
import { callersTensor } from "../../src/inference/tensor.ts";
import { seededNoise } from "../reference/signals.ts";
import { addGraph } from "./add-graph.ts";
import { type Model, openModel } from "./speech.ts";

const HOST = { providers: ["native", "wasm"] } as const;
const WIDTH = 384;

/** What an encoder might give; decoders are compared, not judged. */
function encoded(rows: number) {
  const noise = seededNoise(rows);
  const values = Float32Array.from({ length: rows * WIDTH }, () => 2 * noise());
  return callersTensor("float32", values, [1, rows, WIDTH]);
}

/** Text that means nothing. */
const text = (length: number) => Array.from({ length }, (_, i) => (i * 7919) % 50000);

function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

describe("a static decoder", () => {
  let model: Model;
  let bytes: Uint8Array;
  let merged: Decoder;
  let fixed: Decoder;

  beforeAll(async () => {
    model = await openModel("tiny");
    const path = model.files.decoder;
    bytes = new Uint8Array(await readFile(path));
    merged = await loadMergedDecoder(model.core, path, model.config, {
      ...HOST,
      bytes: unpackWeights(bytes, path),
    });
    fixed = await loadStaticDecoder(model.core, path, model.config, { ...HOST, bytes });
  });

  afterAll(async () => {
    await merged.release();
    await fixed.release();
  });

  // Of 30 s, and of less with nothing behind it; a prompt that is run token by token, and one in pieces.
  it.each([
    [1500, 4],
    [750, 100],
    [2, 1],
  ])("says what the merged one says, of %i positions and a prompt of %i tokens", async (rows, length) => {
    const state = encoded(rows);
    const prompt = text(length);
    const [expected, result] = [await merged.start(state, prompt), await fixed.start(state, prompt)];
    expect(worst(result.logits, expected.logits)).toBeLessThan(2e-3);
    expect(result.cache.length).toBe(length);
    let caches = [expected.cache, result.cache] as const;
    for (const token of [50364, 440, 1029]) {
      const steps = [await merged.step(caches[0], token), await fixed.step(caches[1], token)] as const;
      expect(worst(steps[1].logits, steps[0].logits)).toBeLessThan(2e-3);
      for (const cache of caches) cache.release();
      caches = [steps[0].cache, steps[1].cache];
    }
    for (const cache of caches) cache.release();
  });

  it("goes on in several ways from one cache, which stays as it is", async () => {
    const { cache } = await fixed.start(encoded(100), text(3));
    const first = await fixed.step(cache, 5);
    const values = first.logits.slice();
    const other = await fixed.step(cache, 6);
    expect(worst(other.logits, values)).toBeGreaterThan(0.1);
    const again = await fixed.step(cache, 5);
    expect([...again.logits]).toEqual([...values]);
    for (const step of [first, other, again]) step.cache.release();
    cache.release();
  });

  it("gives the attentions of the merged one, over the positions that there are", async () => {
    expect(fixed.hasCrossAttentions).toBe(true);
    const state = encoded(300);
    const tokens = text(70);
    const expected = await merged.attend(state, tokens, [1, 3]);
    const result = await fixed.attend(state, tokens, [1, 3]);
    expect(worst(result.logits, expected.logits)).toBeLessThan(2e-3);
    expect(result.attentions.map(({ weights: _, ...shape }) => shape)).toEqual(
      expected.attentions.map(({ weights: _, ...shape }) => shape),
    );
    for (const [i, { weights }] of result.attentions.entries()) {
      expect(worst(weights, expected.attentions[i]!.weights)).toBeLessThan(1e-4);
    }
  });

  it("refuses a layer that there is not, and more tokens than it has room for", async () => {
    await expect(fixed.attend(encoded(2), [1], [9])).rejects.toThrow(ModelFormatError);
    await expect(fixed.start(encoded(2), text(449))).rejects.toThrow(InferenceError);
    await expect(fixed.start(encoded(2), text(449))).rejects.toThrow(/no room for more than 448 tokens/);
  });

  const sizes = { heads: 6, headWidth: 64, length: 448, positions: 1500 };

  it("is made of graphs without branches, 8-bit weights and free sizes", () => {
    const step = stepGraph(bytes, "x", { ...sizes, tokens: 1, vocabulary: 51865, attentions: false });
    const cross = crossGraph(bytes, "x", { ...sizes, rows: 500, width: WIDTH });
    for (const graph of [step, cross]) {
      const { operators, inputs } = outlineGraph(graph);
      expect([...operators].filter((name) => /If|Integer|Quantize/.test(name))).toEqual([]);
      expect(inputs.flatMap(({ dims }) => dims).filter((dim) => typeof dim === "string")).toEqual([]);
    }
    expect(outlineGraph(cross).inputs.map(({ name }) => name)).toEqual(["encoder_hidden_states"]);
    // The projections alone: two of width × width for each of four layers, and the rows that are missing.
    expect(cross.length).toBeLessThan(4 * (8 * WIDTH * (WIDTH + 1) + 1000 * WIDTH) + 20_000);
  });

  it("tells of a graph that is no merged decoder", () => {
    const step = () => stepGraph(addGraph(4), "x", { ...sizes, tokens: 1, vocabulary: 9, attentions: false });
    expect(step).toThrow(ModelFormatError);
    expect(step).toThrow(/no two branches/);
  });
});
