import fc from "fast-check";
import type { FormattableResult } from "../../src/output/format-writer.ts";
import type { Segment, Word } from "../../src/transcription/transcription.ts";

/** A segment with what a test cares about; the rest is fixed. */
export function segment(start: number, end: number, text: string, words?: readonly Word[], id = 0): Segment {
  return {
    id,
    seek: 0,
    start,
    end,
    text,
    tokens: [50364, 2425, 50414],
    temperature: 0,
    avgLogprob: -0.25,
    compressionRatio: 0.8,
    noSpeechProb: 0.01,
    ...(words && { words }),
  };
}

/** Words of a text, half a second each with a tenth in between, from `start` on. */
export function wordsOf(text: string, start = 0): Word[] {
  return (text.match(/\s*\S+/g) ?? []).map((word, i) => ({
    word,
    start: Math.round((start + i * 0.6) * 100) / 100,
    end: Math.round((start + i * 0.6 + 0.5) * 100) / 100,
    probability: 0.9,
  }));
}

/** A result of segments, numbered anew. */
export function resultOf(
  segments: readonly Segment[],
  rest: Partial<FormattableResult> = {},
): FormattableResult {
  return {
    text: segments.map(({ text }) => text).join(""),
    language: "en",
    duration: segments.at(-1)?.end ?? 0,
    task: "transcribe",
    segments: segments.map((one, id) => ({ ...one, id })),
    ...rest,
  };
}

const letters = fc.constantFrom(
  "a",
  "B",
  "é",
  "中",
  "한",
  "ß",
  "🎉",
  "א",
  "7",
  ".",
  ",",
  "'",
  "-",
  "&",
  "<b>",
  "#",
);
const bareWord = fc.array(letters, { minLength: 1, maxLength: 9 }).map((list) => list.join(""));
/** Times in hundredths, as the word times of Whisper are, over an hour at times. */
const gap = fc.oneof(fc.integer({ min: 0, max: 80 }), fc.constantFrom(0, 301, 400, 30_000));

/** Results of up to 6 segments in order of time; with `words` each has up to 12, which may be of no length. */
export function results(words: boolean): fc.Arbitrary<FormattableResult> {
  const shape = fc.array(fc.array(fc.tuple(bareWord, gap, gap), { minLength: 0, maxLength: 12 }), {
    maxLength: 6,
  });
  return fc.tuple(shape, gap).map(([lists, offset]) => {
    let now = offset;
    const segments = lists.map((list) => {
      const start = now / 100;
      const timed = list.map(([word, before, length]): Word => {
        const from = now + before;
        now = from + length;
        return { word: ` ${word}`, start: from / 100, end: now / 100, probability: 0.5 };
      });
      return segment(start, now / 100, timed.map(({ word }) => word).join(""), words ? timed : undefined);
    });
    return resultOf(segments);
  });
}

/** Limits of lines and words, each there or not. */
export const limits = fc.record(
  {
    maxLineWidth: fc.integer({ min: 1, max: 60 }),
    maxLineCount: fc.integer({ min: 1, max: 4 }),
    maxWordsPerLine: fc.integer({ min: 1, max: 8 }),
    highlightWords: fc.boolean(),
  },
  { requiredKeys: [] },
);
