import { describe, expect, it } from "vitest";
import { createSpeechWatch } from "../../src/transcription/missed-speech.ts";
import type { CutWindow } from "../../src/transcription/segments.ts";

const TEXT_BELOW = 1000;
const PLACE = { start: 60, seconds: 30 };
/** All of it sounds, and there is one pause. */
const SOUND = {
  sounding: (from: number, to: number) => to - from,
  longestPause: () => ({ from: 9, to: 9.5 }),
};

/** Segments of so many seconds and tokens, one after another from the start of the window. */
function window(...parts: [seconds: number, tokens: number][]): CutWindow {
  let at = PLACE.start;
  const segments = parts.map(([seconds, tokens]) => {
    const start = at;
    at += seconds;
    return {
      seek: 6000,
      start,
      end: at,
      text: "",
      tokens: [TEXT_BELOW, ...new Array<number>(tokens).fill(7), TEXT_BELOW + 9],
      temperature: 0,
      avgLogprob: -0.3,
      compressionRatio: 1.5,
      noSpeechProb: 0.1,
    };
  });
  return { segments, advance: at - PLACE.start };
}

describe("createSpeechWatch", () => {
  const usual = window([5, 20], [8, 32], [10, 40]);

  it("goes on from a segment that says far less than its sound takes, up to the pause within it", () => {
    for (const first of [[6, 24] as [number, number], undefined]) {
      const watch = createSpeechWatch();
      expect(watch.check(usual, PLACE, SOUND, TEXT_BELOW)).toEqual(usual);
      const sparse = window(...(first ? [first] : []), [12, 20], [5, 20]);
      expect(watch.check(sparse, PLACE, SOUND, TEXT_BELOW)).toEqual({
        segments: sparse.segments.slice(0, first ? 1 : 0),
        advance: first ? 6 : 0,
        until: 9,
      });
    }
  });

  it("takes all of it where it has no pause", () => {
    const watch = createSpeechWatch();
    watch.check(usual, PLACE, SOUND, TEXT_BELOW);
    const noPause = { ...SOUND, longestPause: () => undefined };
    expect(watch.check(window([6, 24], [12, 20]), PLACE, noPause, TEXT_BELOW)).toMatchObject({ until: 18 });
  });

  it("says nothing before it knows the pace, and counts no pauses", () => {
    const watch = createSpeechWatch();
    const sparse = window([6, 24], [12, 20]);
    expect(watch.check(sparse, PLACE, SOUND, TEXT_BELOW)).toEqual(sparse);
    watch.check(usual, PLACE, SOUND, TEXT_BELOW);
    const half = { ...SOUND, sounding: (from: number, to: number) => (to - from) / 2 };
    expect(watch.check(sparse, PLACE, half, TEXT_BELOW)).toEqual(sparse);
  });

  it("knows slow speakers, and takes a window without segments", () => {
    const watch = createSpeechWatch();
    watch.check(window([15, 20], [15, 20]), PLACE, SOUND, TEXT_BELOW);
    const slow = window([6, 8], [12, 16]);
    expect(watch.check(slow, PLACE, SOUND, TEXT_BELOW)).toEqual(slow);
    expect(watch.check(window(), PLACE, SOUND, TEXT_BELOW)).toEqual(window());
  });

  it("goes on from sound that is in no segment: before, between and behind them", () => {
    const { segments } = window([5, 20], [3, 12], [5, 20]);
    const check = (segments: CutWindow["segments"], advance: number) =>
      createSpeechWatch().check({ segments, advance }, PLACE, SOUND, TEXT_BELOW);
    expect(check(segments.slice(1), 13)).toEqual({ segments: [], advance: 0, until: 5 });
    expect(check([segments[0]!, segments[2]!], 13)).toEqual({
      segments: [segments[0]],
      advance: 5,
      until: 8,
    });
    expect(check(segments, 30)).toEqual({ segments, advance: 13 });
    expect(check(segments, 13.9)).toEqual({ segments, advance: 13.9 });
  });
});
