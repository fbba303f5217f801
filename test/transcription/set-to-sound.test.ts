import { describe, expect, it } from "vitest";
import type { CutWindow } from "../../src/transcription/segments.ts";
import { setToSound, wordsToSound } from "../../src/transcription/set-to-sound.ts";
import type { Pause } from "../../src/transcription/window-sound.ts";

const PLACE = { start: 60, seconds: 30 };

function segment(start: number, end: number): CutWindow["segments"][number] {
  return {
    seek: 6000,
    start,
    end,
    text: ` ${start}`,
    tokens: [],
    temperature: 0,
    avgLogprob: -0.3,
    compressionRatio: 1.5,
    noSpeechProb: 0.1,
  };
}

/** The pause that holds a moment or is nearest, of these in seconds after the window's start. */
function among(...pauses: [number, number][]) {
  return {
    pause(moment: number, reach: number): Pause | undefined {
      const distance = ([from, to]: [number, number]) => Math.max(0, from - moment, moment - to);
      const [best] = [...pauses].sort((a, b) => distance(a) - distance(b));
      return best && distance(best) <= reach ? { from: best[0], to: best[1] } : undefined;
    },
  };
}

function spans(segments: [number, number][], advance: number, ...pauses: [number, number][]) {
  const cut = { segments: segments.map(([start, end]) => segment(start, end)), advance };
  const set = setToSound(cut, PLACE, among(...pauses));
  return { spans: set.segments.map(({ start, end }) => [start, end]), advance: set.advance };
}

describe("setToSound", () => {
  it("lets a segment begin and end with its sound where Whisper lets segments touch", () => {
    const set = spans(
      [
        [60, 62.1],
        [62.1, 65],
      ],
      5,
      [0, 0.4],
      [2, 2.9],
      [4.8, 5.5],
    );
    expect(set.spans).toEqual([
      [60.35, 62.05],
      [62.85, 64.85],
    ]);
    expect(set.advance).toBeCloseTo(5.2);
  });

  it("moves a boundary within sound to the pause beside it", () => {
    expect(
      spans(
        [
          [61, 62.8],
          [62.8, 65],
        ],
        30,
        [2, 2.5],
      ).spans,
    ).toEqual([
      [61, 62.05],
      [62.45, 65],
    ]);
  });

  it("leaves times alone where no pause is near, and the end of the window", () => {
    const set = spans([[61.2, 64]], 30, [6, 7], [29.8, 30]);
    expect(set).toEqual({ spans: [[61.2, 64]], advance: 30 });
  });

  it("leaves something of a short segment whose predecessor is moved over it", () => {
    const set = spans(
      [
        [61, 62],
        [62, 62.3],
        [62.3, 64],
      ],
      4,
      [2.4, 2.8],
    );
    for (const [start, end] of set.spans) expect(end! - start!).toBeGreaterThan(0.09);
  });

  it("leaves a segment that lies within a pause its time, and none overlaps another", () => {
    const set = spans(
      [
        [61, 62.4],
        [62.4, 62.6],
        [62.6, 64],
      ],
      4,
      [2, 3],
    );
    expect(set.spans[1]).toEqual([62.4, 62.6]);
    for (const [i, [start, end]] of set.spans.entries()) {
      expect(end).toBeGreaterThan(start!);
      expect(start).toBeGreaterThanOrEqual(set.spans[i - 1]?.[1] ?? 0);
    }
  });
});

describe("wordsToSound", () => {
  const word = (start: number, end: number) => ({ word: ` ${start}`, start, end, probability: 0.9 });

  it("cuts words back that reach into a pause, and the segment with them", () => {
    const spoken = { ...segment(61, 66), words: [word(61, 62.5), word(62.5, 64), word(64, 66)] };
    const set = wordsToSound(spoken, PLACE, among([2, 3], [5.5, 7]));
    expect(set.words!.map(({ start, end }) => [start, end])).toEqual([
      [61, 62.05],
      [62.95, 64],
      [64, 65.55],
    ]);
    expect([set.start, set.end]).toEqual([61, 65.55]);
  });

  it("leaves a word that lies within a pause, those elsewhere, and a segment without words", () => {
    const spoken = { ...segment(62.1, 64), words: [word(62.1, 62.4), word(63.2, 64)] };
    expect(wordsToSound(spoken, PLACE, among([2, 3]))).toEqual(spoken);
    expect(wordsToSound(segment(61, 62), PLACE, among([1, 1.5]))).toEqual(segment(61, 62));
  });
});
