import { describe, expect, it } from "vitest";
import { InvalidArgumentError } from "../../src/core/errors.ts";
import { createCueLayout } from "../../src/output/cues.ts";
import type { FormatOptions } from "../../src/output/format-writer.ts";
import type { Segment } from "../../src/transcription/transcription.ts";
import { segment, wordsOf } from "./samples.ts";

/** Times and texts of all cues. */
function cues(segments: readonly Segment[], options: FormatOptions = {}): [number, number, string][] {
  const layout = createCueLayout(options);
  return [...segments.flatMap((one) => layout.add(one)), ...layout.flush()].map(({ start, end, parts }) => [
    start,
    end,
    parts.join(""),
  ]);
}

const TEXT = " The train to London leaves at half past seven.";
const train = segment(0, 6, TEXT, wordsOf(TEXT));
const later = segment(8, 10, " Take your seats.", wordsOf(" Take your seats.", 8));

describe("createCueLayout", () => {
  it("makes a segment without words one cue, with the segment's times", () => {
    expect(cues([segment(1, 2, " one "), segment(2, 2, "")])).toEqual([
      [1, 2, "one"],
      [2, 2, ""],
    ]);
  });

  it("makes a segment with words one cue, with the words' times", () => {
    expect(cues([train, later])).toEqual([
      [0, 5.3, TEXT.trim()],
      [8, 9.7, "Take your seats."],
    ]);
  });

  it("breaks lines at a width that counts code points", () => {
    // 18 code points with the space, as Python counts; 20 UTF-16 units.
    const text = " 🎉🎉 to London leaves";
    expect(cues([segment(0, 6, text, wordsOf(text))], { maxLineWidth: 12 })).toEqual([
      [0, 2.3, "🎉🎉 to London\nleaves"],
    ]);
    expect(cues([segment(0, 6, text, wordsOf(text))], { maxLineWidth: 11 })).toEqual([
      [0, 2.3, "🎉🎉 to\nLondon\nleaves"],
    ]);
  });

  it("takes a word wider than the line as a line", () => {
    expect(cues([train], { maxLineWidth: 3 })[0]![2]).toBe(
      "The\ntrain\nto\nLondon\nleaves\nat\nhalf\npast\nseven.",
    );
  });

  it("runs across segments with a width and a count, and ends a cue at a long pause", () => {
    const next = segment(5.4, 6, " Hurry!", wordsOf(" Hurry!", 5.4));
    expect(cues([train, next, later], { maxLineWidth: 20, maxLineCount: 2 })).toEqual([
      [0, 4.7, "The train to London\nleaves at half past"],
      [4.8, 9.7, "seven. Hurry! Take\nyour seats."],
    ]);
    const soon = segment(6, 8, " Take your seats.", wordsOf(" Take your seats.", 6.5));
    expect(cues([next, soon], { maxLineWidth: 30, maxLineCount: 1 })).toEqual([
      [5.4, 8.2, "Hurry! Take your seats."],
    ]);
    const long = segment(6, 11, " Take your seats.", wordsOf(" Take your seats.", 8.5));
    expect(cues([next, long], { maxLineWidth: 30, maxLineCount: 1 })).toHaveLength(2);
  });

  it("counts words per cue unless both limits of lines are given", () => {
    expect(cues([train, later], { maxWordsPerLine: 4 }).map(([, , text]) => text)).toEqual([
      "The train to London",
      "leaves at half past",
      "seven.",
      "Take your seats.",
    ]);
    const both = { maxLineWidth: 100, maxLineCount: 1 };
    expect(cues([train], { ...both, maxWordsPerLine: 2 })).toEqual(cues([train], both));
  });

  it("highlights each word in turn, and none in the gaps", () => {
    const layout = createCueLayout({ highlightWords: true });
    const shown = layout.add(segment(0, 2, " one two", wordsOf(" one two")));
    expect(shown.map(({ start, end, said }) => [start, end, said])).toEqual([
      [0, 0.5, 0],
      [0.5, 0.6, undefined],
      [0.6, 1.1, 1],
    ]);
  });

  it("fills no gap between words that overlap or follow at once", () => {
    const words = [
      { word: " a", start: 0, end: 1, probability: 1 },
      { word: " b", start: 0.5, end: 0.5, probability: 1 },
      { word: " c", start: 0.5, end: 2, probability: 1 },
    ];
    expect(cues([segment(0, 2, " a b c", words)], { highlightWords: true }).map(([a, b]) => [a, b])).toEqual([
      [0, 1],
      [0.5, 0.5],
      [0.5, 2],
    ]);
  });

  it("hands out a cue with its segment where none can run on", () => {
    const layout = createCueLayout({ maxWordsPerLine: 5 });
    expect(layout.add(train)).toHaveLength(2);
    expect(layout.flush()).toEqual([]);
    const across = createCueLayout({ maxLineWidth: 100, maxLineCount: 2 });
    expect(across.add(train)).toEqual([]);
    expect(across.flush()).toHaveLength(1);
  });

  it.each([{ maxLineWidth: 40 }, { maxLineCount: 2 }, { maxWordsPerLine: 4 }, { highlightWords: true }])(
    "%o needs words",
    (options) => {
      const add = () => createCueLayout(options).add(segment(0, 1, " hello", undefined, 3));
      expect(add).toThrow(InvalidArgumentError);
      expect(add).toThrow(
        `${Object.keys(options)[0]} needs the times of words, segment 3 has none; transcribe with timestamps: "word"`,
      );
    },
  );

  it("refuses a segment without words after one with them, and bad times", () => {
    const layout = createCueLayout({});
    layout.add(train);
    expect(() => layout.add(segment(8, 9, " x"))).toThrow(/has none; transcribe with timestamps: "word"/);
    expect(() => cues([segment(-1, 2, "x")])).toThrow("segment 0 goes from -1 to 2 s; give finite times");
    const bad = [{ word: " x", start: 0, end: Number.NaN, probability: 1 }];
    expect(() => cues([segment(0, 2, "x", bad)])).toThrow('word " x" goes from 0 to NaN s');
  });
});
