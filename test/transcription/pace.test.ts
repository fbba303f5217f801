import { describe, expect, it } from "vitest";
import { createPaceWatch } from "../../src/transcription/pace.ts";
import type { CutWindow } from "../../src/transcription/segments.ts";

const TEXT_BELOW = 1000;
const PLACE = { start: 60, seconds: 30 };
/** All of it sounds. */
const SOUND = { sounding: (from: number, to: number) => to - from };

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

describe("createPaceWatch", () => {
  const usual = window([5, 20], [8, 32], [10, 40]);

  it("goes on from a segment that says far less than its sound takes", () => {
    const watch = createPaceWatch();
    expect(watch.check(usual, PLACE, SOUND, TEXT_BELOW)).toEqual(usual);
    const sparse = window([6, 24], [12, 20], [5, 20]);
    expect(watch.check(sparse, PLACE, SOUND, TEXT_BELOW)).toEqual({
      segments: sparse.segments.slice(0, 1),
      advance: 6,
    });
  });

  it("takes it as it is where a window begins with it, so that no window is tried twice", () => {
    const watch = createPaceWatch();
    watch.check(usual, PLACE, SOUND, TEXT_BELOW);
    const first = window([12, 20], [5, 20]);
    expect(watch.check(first, PLACE, SOUND, TEXT_BELOW)).toEqual(first);
    const atOnce = window([0.5, 2], [12, 20]);
    expect(watch.check(atOnce, PLACE, SOUND, TEXT_BELOW)).toEqual(atOnce);
  });

  it("says nothing before it knows the pace, and counts no pauses", () => {
    const watch = createPaceWatch();
    const sparse = window([6, 24], [12, 20]);
    expect(watch.check(sparse, PLACE, SOUND, TEXT_BELOW)).toEqual(sparse);
    watch.check(usual, PLACE, SOUND, TEXT_BELOW);
    const half = { sounding: (from: number, to: number) => (to - from) / 2 };
    expect(watch.check(sparse, PLACE, half, TEXT_BELOW)).toEqual(sparse);
  });

  it("knows slow speakers, and takes a window without segments", () => {
    const watch = createPaceWatch();
    watch.check(window([15, 20], [15, 20]), PLACE, SOUND, TEXT_BELOW);
    const slow = window([6, 8], [12, 16]);
    expect(watch.check(slow, PLACE, SOUND, TEXT_BELOW)).toEqual(slow);
    expect(watch.check(window(), PLACE, SOUND, TEXT_BELOW)).toEqual(window());
  });
});
