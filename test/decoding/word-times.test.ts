import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeAudio } from "../../src/audio/decode.ts";
import { alignWords } from "../../src/decoding/align-words.ts";
import { decodeWindow } from "../../src/decoding/decode-window.ts";
import { findWordTimes, type TimedWord } from "../../src/decoding/word-times.ts";
import { ModelFormatError } from "../../src/index.ts";
import type { CrossAttention, Decoder } from "../../src/inference/decoder.ts";
import { realSpeechFolder } from "../reference/real-speech.ts";
import { SAMPLE } from "../reference/sample.ts";
import { NO_TENSOR } from "./toy-decoder.ts";
import { createWorkbench, type Workbench } from "./workbench.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench("tiny");
});
afterAll(() => bench.release());

/** Text, duration and words of a clip, decoded without timestamps and taken as one segment. */
async function timed(
  clip: string,
): Promise<{ words: TimedWord[]; text: string; seconds: number; lastSpeechEnd: number }> {
  const { decoder, config, tokenizer } = bench;
  const hidden = await bench.encode(await readFile(clip));
  const { seconds } = hidden;
  const { tokens, text } = await decodeWindow(decoder, config, tokenizer, hidden, {
    language: "en",
    timestamps: false,
  });
  const span = { start: 0, end: seconds, tokens };
  const options = { language: "en", seconds, offset: 0 };
  const found = await findWordTimes(decoder, config, tokenizer, hidden, [span], options);
  hidden.release();
  return { words: found.segments[0]!.words, text, seconds, lastSpeechEnd: found.lastSpeechEnd };
}

/** Pauses of 0.3 s and more within a clip: 20 ms frames 40 dB below the loudest. */
async function pauses(clip: string): Promise<[number, number][]> {
  const { channels, sampleRate } = await decodeAudio(await readFile(clip));
  const size = Math.round(sampleRate / 50);
  const samples = channels[0]!;
  const energies = Array.from({ length: Math.floor(samples.length / size) }, (_, i) =>
    samples.subarray(i * size, (i + 1) * size).reduce((sum, x) => sum + x * x, 0),
  );
  const threshold = Math.max(...energies) * 1e-4;
  const found: [number, number][] = [];
  let start = 0;
  for (const [i, energy] of energies.entries()) {
    if (energy < threshold) continue;
    if (start > 0 && i - start >= 15) found.push([start / 50, i / 50]);
    start = i + 1;
  }
  return found;
}

function expectPlausible(words: readonly TimedWord[], text: string, seconds: number): void {
  expect(
    words
      .map(({ word }) => word)
      .join("")
      .trim(),
  ).toBe(text);
  for (const [i, { word, start, end, probability }] of words.entries()) {
    expect(end, word).toBeGreaterThan(start);
    expect(start, word).toBeGreaterThanOrEqual(words[i - 1]?.end ?? 0);
    expect(end, word).toBeLessThanOrEqual(seconds);
    expect(probability, word).toBeGreaterThan(0);
    expect(probability, word).toBeLessThanOrEqual(1);
  }
}

describe("findWordTimes on real weights", () => {
  it("puts the sample's words where it is not silent", async () => {
    const { words, text, seconds, lastSpeechEnd } = await timed(SAMPLE);
    expectPlausible(words, text, seconds);
    expect(lastSpeechEnd).toBe(words.at(-1)!.end);
    const silences = await pauses(SAMPLE);
    expect(silences).toHaveLength(2);
    for (const [start, end] of silences) {
      const middle = (start + end) / 2;
      expect(
        words.filter((word) => word.start < middle && word.end > middle),
        `at ${middle} s`,
      ).toEqual([]);
      const next = words.find((word) => word.start > middle)!;
      expect(Math.abs(next.start - end), next.word).toBeLessThan(0.35);
      expect([" The", " Please"]).toContain(next.word);
    }
  });

  it("says which exports have the attentions that another lacks", async () => {
    const config = { ...bench.config, alignmentHeads: [[bench.config.decoderLayers, 0] as const] };
    const hidden = await bench.encode(await readFile(SAMPLE));
    const [token] = bench.tokenizer.encode(" Good");
    const options = { language: "en", seconds: 7 };
    await expect(
      alignWords(bench.decoder, config, bench.tokenizer, hidden, [token!], options),
    ).rejects.toThrow(ModelFormatError);
    await expect(
      alignWords(bench.decoder, config, bench.tokenizer, hidden, [token!], options),
    ).rejects.toThrow(/timestamped/);
    hidden.release();
  });

  const folder = realSpeechFolder();
  it.skipIf(!folder)("puts the words of a speech where openai/whisper's own test wants them", async () => {
    const { words, text, seconds } = await timed(join(folder!, "jfk.wav"));
    expectPlausible(words, text, seconds);
    const americans = words.find(({ word }) => word.includes("Americans"))!;
    // tests/test_transcribe.py: the word spans 1.8 s.
    expect(americans.start).toBeLessThanOrEqual(1.8);
    expect(americans.end).toBeGreaterThanOrEqual(1.8);
    const countries = words.filter(({ word }) => word.includes("country"));
    expect(countries).toHaveLength(2);
    // Heard at 5.9 to 6.4 s and 10.1 to 10.5 s.
    for (const [i, time] of [6.1, 10.3].entries()) {
      expect(countries[i]!.start).toBeLessThanOrEqual(time);
      expect(countries[i]!.end).toBeGreaterThanOrEqual(time);
    }
  });
});

/** Attention of one head in which each token of a text looks at its own stretch of the sound, from the given starts. */
function attending(
  starts: number[],
  end: number,
  before: number,
  positions = 1500,
): Pick<Decoder, "attend" | "vocabularySize"> {
  const { vocabularySize } = bench.config;
  return {
    vocabularySize,
    async attend(_, tokens, layers) {
      const weights = new Float32Array(tokens.length * positions).fill(1e-6);
      // A row says what it heard before the next token, so that the row before a token holds its sound.
      for (const [i, start] of starts.entries()) {
        const row = (before + i) * positions;
        weights.fill(1, row + Math.round(start * 50), row + Math.round((starts[i + 1] ?? end) * 50));
      }
      weights.fill(
        1,
        (before + starts.length) * positions + Math.round(end * 50),
        (before + starts.length) * positions + Math.round(end * 50) + 20,
      );
      const attention = (layer: number): CrossAttention => ({
        layer,
        heads: 1,
        tokens: tokens.length,
        positions,
        weights,
      });
      const logits = new Float32Array(tokens.length * vocabularySize);
      return { attentions: layers.map(attention), logits };
    },
  };
}

describe("findWordTimes", () => {
  async function words(
    text: string[],
    starts: number[],
    end: number,
    segments: number[] = [text.length],
    lastSpeechEnd = 0,
    offset = 0,
  ) {
    const { tokenizer } = bench;
    const pieces = text.map((piece) => tokenizer.encode(piece));
    for (const piece of pieces) expect(piece).toHaveLength(1);
    const tokens = pieces.flat();
    const before = tokenizer.startTokens({ language: "en", timestamps: true }).length;
    let from = 0;
    const spans = segments.map((count) => {
      const span = {
        tokens: tokens.slice(from, from + count),
        start: offset + starts[from]!,
        end: offset + (starts[from + count] ?? end),
      };
      from += count;
      return span;
    });
    return findWordTimes(
      attending(starts, end, before),
      { alignmentHeads: [[0, 0]] },
      tokenizer,
      NO_TENSOR,
      spans,
      {
        language: "en",
        seconds: end + 1,
        offset,
        lastSpeechEnd,
      },
    );
  }

  it("gives each word the stretch that its tokens look at, from the start of the sound", async () => {
    const { segments, lastSpeechEnd } = await words(
      [" one", " two", ",", " three"],
      [0.5, 1, 1.4, 1.6],
      2,
      [3, 1],
      59.5,
      60,
    );
    expect(segments.map(({ words }) => words.map(({ word }) => word))).toEqual([
      [" one", " two,"],
      [" three"],
    ]);
    const times = segments.flatMap(({ words }) => words.map(({ start, end }) => [start, end]));
    // The filter over seven positions may move an edge by three of them.
    for (const [i, [start, end]] of [
      [60.5, 61],
      [61, 61.4],
      [61.6, 62],
    ].entries()) {
      expect(Math.abs(times[i]![0]! - start!)).toBeLessThanOrEqual(0.5 * Number(i === 0) + 0.06);
      expect(Math.abs(times[i]![1]! - end!)).toBeLessThanOrEqual(0.06);
    }
    expect(segments[0]!.end).toBe(segments[0]!.words.at(-1)!.end);
    expect(lastSpeechEnd).toBe(segments[1]!.end);
  });

  it("cuts a word that swallowed the pause after a sentence", async () => {
    const text = [" one", " two", " three", ".", " four", " five", " six"];
    const { segments } = await words(text, [0, 0.3, 0.6, 0.9, 1, 5, 5.3], 5.6);
    const four = segments[0]!.words.find(({ word }) => word === " four")!;
    expect(four.end).toBeCloseTo(5, 1);
    expect(four.end - four.start).toBeLessThanOrEqual(0.75);
  });

  it("has nothing to say of segments without words", async () => {
    const { tokenizer } = bench;
    const stamp = tokenizer.timestampBegin;
    const span = { start: 1, end: 2, tokens: [stamp, stamp + 50] };
    const found = await findWordTimes(
      attending([], 2, 3),
      { alignmentHeads: [[0, 0]] },
      tokenizer,
      NO_TENSOR,
      [span],
      {
        language: "en",
        seconds: 2,
        offset: 0,
        lastSpeechEnd: 0.5,
      },
    );
    expect(found).toEqual({ segments: [{ start: 1, end: 2, words: [] }], lastSpeechEnd: 0.5 });
  });

  it("probabilities of a model that knows nothing are even", async () => {
    const { segments } = await words([" one", " two"], [0, 0.5], 1);
    for (const { probability } of segments[0]!.words)
      expect(probability).toBeCloseTo(1 / bench.tokenizer.endOfText, 9);
  });
});
