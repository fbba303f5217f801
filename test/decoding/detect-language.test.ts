import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { detectLanguage } from "../../src/decoding/detect-language.ts";
import { createTranscriber, ModelFormatError, type Transcriber } from "../../src/index.ts";
import type { Tensor } from "../../src/inference/tensor.ts";
import { hasEspeak, speak } from "./espeak.ts";
import { NO_TENSOR, toyDecoder, toyModel } from "./toy-decoder.ts";
import { countingCaches, createWorkbench, type Workbench } from "./workbench.ts";

const SPOKEN = [
  [
    "de",
    "Guten Morgen. Der Zug nach Hamburg fährt um halb acht von Gleis drei ab. Bitte nehmen Sie Ihre Plätze ein.",
  ],
  [
    "fr",
    "Bonjour à tous. Le train pour Paris part à sept heures et demie. Veuillez prendre vos places, s'il vous plaît.",
  ],
  [
    "es",
    "Buenos días a todos. El tren para Madrid sale a las siete y media de la mañana. Por favor, tomen sus asientos.",
  ],
  ["en", "Good morning everybody. The train to London leaves at half past seven from platform three."],
] as const;
const voiceOf = (code: string) => (code === "fr" ? "fr-fr" : code);

describe("detectLanguage", () => {
  const languageTokens = new Map([
    ["de", 2],
    ["en", 3],
    ["fr", 5],
  ]);
  const tokenizer = { startOfText: 1, languageTokens, multilingual: true };

  it("compares the language tokens alone, after one run on the start token", async () => {
    const model = toyModel(9, 7);
    const decoder = toyDecoder(model);
    const started: (readonly number[])[] = [];
    const { language, probabilities } = await detectLanguage(
      {
        start(hiddenState: Tensor, tokens: readonly number[]) {
          started.push(tokens);
          return decoder.start(hiddenState, tokens);
        },
      },
      tokenizer,
      NO_TENSOR,
    );
    expect(started).toEqual([[1]]);
    const logits = model.logits([1]);
    const weights = [...languageTokens].map(([code, token]) => [code, Math.exp(logits[token]!)] as const);
    const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [code, weight] of weights) expect(probabilities[code]).toBeCloseTo(weight / total, 9);
    expect(language).toBe(weights.toSorted((a, b) => b[1] - a[1])[0]![0]);
    expect(decoder.alive()).toBe(0);
  });

  it("runs nothing for an English-only model", async () => {
    const found = await detectLanguage(
      toyDecoder(toyModel(9, 7)),
      { ...tokenizer, multilingual: false },
      NO_TENSOR,
    );
    expect(found).toEqual({ language: "en", probabilities: { en: 1 } });
  });

  it("stops when aborted, and refuses logits without numbers, keeping no cache", async () => {
    const decoder = toyDecoder(toyModel(9, 7));
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(detectLanguage(decoder, tokenizer, NO_TENSOR, signal)).rejects.toThrow("enough");
    const broken = toyDecoder({ ...toyModel(9, 7), logits: () => new Float32Array(9).fill(Number.NaN) });
    await expect(detectLanguage(broken, tokenizer, NO_TENSOR)).rejects.toThrow(ModelFormatError);
    expect(decoder.alive() + broken.alive()).toBe(0);
  });
});

describe.skipIf(!hasEspeak)("detectLanguage on real weights", () => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await createWorkbench("base");
  });
  afterAll(() => bench.release());

  it.each(SPOKEN)("hears %s", async (code, text) => {
    const hidden = await bench.encode(await speak(voiceOf(code), text));
    const decoder = countingCaches(bench.decoder);
    const { language, probabilities } = await detectLanguage(decoder, bench.tokenizer, hidden);
    hidden.release();
    expect(language).toBe(code);
    expect(probabilities[code]).toBe(Math.max(...Object.values(probabilities)));
    expect(Object.values(probabilities).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
    expect(decoder.made()).toBe(1);
    expect(decoder.held()).toBe(0);
  });
});

describe.skipIf(!hasEspeak)("a transcriber that is not told the language", () => {
  let transcriber: Transcriber;
  beforeAll(async () => {
    transcriber = await createTranscriber({ model: "base", threads: 1 });
  });
  afterAll(() => transcriber.dispose());

  /** Windows of less than 30 s so far: each takes the silence tail's buffer once. */
  const shortened = () => transcriber.stats().find(({ name }) => name === "encoder_states")!.acquires;

  it.each(SPOKEN)("hears %s, beginning with a shortened window", async (code, text) => {
    const sound = await speak(voiceOf(code), text);
    const before = shortened();
    // One temperature: the words of a synthesizer fail the thresholds at all of them.
    const options = { temperature: 0, timestamps: "none" } as const;
    const { language, windows } = await transcriber.transcribe(sound, options);
    expect({ language, windows }).toEqual({ language: code, windows: 1 });
    expect(shortened() - before).toBe(1);
  });
});
