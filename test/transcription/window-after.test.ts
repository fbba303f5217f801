import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSpeechWatch } from "../../src/transcription/missed-speech.ts";
import { cutIntoSegments } from "../../src/transcription/segments.ts";
import { setToSound } from "../../src/transcription/set-to-sound.ts";
import { windowAfter } from "../../src/transcription/windows.ts";

const RATE = 16000;
const SEED = 11;
/** Id of <|0.00|>; text tokens lie below. */
const BEGIN = 1000;
const plan = (start: number, count: number, whole = false) => ({ start, count, cut: false, whole });

describe("windowAfter", () => {
  it("goes on where the window was done, or where speech was passed over", () => {
    expect(windowAfter(plan(160, 480000), 480160, { advance: 2 }, RATE)).toEqual({
      position: 32160,
      until: undefined,
    });
    expect(windowAfter(plan(160, 480000), 480160, { advance: 2, until: 5 }, RATE)).toEqual({
      position: 32160,
      until: 80160,
    });
    expect(windowAfter(plan(160, 480000, true), 480160, { advance: 2, until: 5 }, RATE)).toEqual({
      position: 480160,
      until: undefined,
    });
  });

  it("ends within the window what is to be heard again, however times were rounded", () => {
    expect(windowAfter(plan(400000, 240090), 640090, { advance: 0, until: 15.01 }, RATE)).toEqual({
      position: 400000,
      until: 640090,
    });
    expect(windowAfter(plan(400000, 240090), 640090, { advance: -0.005, until: 3 }, RATE).position).toBe(
      400000,
    );
    for (const cut of [{ advance: 0 }, { advance: 3, until: 3 }, { advance: 3, until: 2 }]) {
      expect(windowAfter(plan(400000, 240090), 640090, cut, RATE)).toEqual({
        position: 640090,
        until: undefined,
      });
    }
  });

  it(`brings every walk to its end, whatever is decoded and sounds (seed ${SEED})`, () => {
    const texts = fc.array(
      fc.oneof(fc.integer({ min: BEGIN, max: BEGIN + 1500 }), fc.constant(7), fc.constant(7)),
      { maxLength: 60 },
    );
    const property = fc.property(
      fc.array(texts, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 60 * RATE }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.option(fc.tuple(fc.double({ min: 0, max: 30 }), fc.double({ min: 0, max: 3 })), { nil: undefined }),
      (decoded, head, share, quiet) => {
        /** Sound of a window of so many seconds, a share of it all, and with one pause. */
        const soundOf = (seconds: number) => {
          const to = quiet && Math.min(seconds, quiet[0] + quiet[1]);
          const pause = quiet && to! > quiet[0] ? { from: quiet[0], to: to! } : undefined;
          return {
            pause: (at: number, reach: number) =>
              pause && at >= pause.from - reach && at <= pause.to + reach ? pause : undefined,
            longestPause: (from: number, to: number) =>
              pause && pause.from > from && pause.to < to ? pause : undefined,
            sounding: (from: number, to: number) => share * Math.max(0, to - from),
          };
        };
        const watch = createSpeechWatch();
        let position = 0;
        let until: number | undefined;
        let steps = 0;
        for (; position < head; steps++) {
          const count = Math.min(30 * RATE, head - position, (until ?? Number.POSITIVE_INFINITY) - position);
          const here = plan(position, count, position + count === until);
          const place = { start: position / RATE, seconds: count / RATE };
          const tokens = decoded[steps % decoded.length]!;
          const window = { tokens, temperature: 0, avgLogprob: 0, compressionRatio: 1, noSpeechProb: 0 };
          const cut = cutIntoSegments(window, place, BEGIN, (part) => "x".repeat(part.length));
          const sound = soundOf(place.seconds);
          const set = setToSound(cut, place, sound);
          for (const { start, end } of set.segments) {
            expect(end).toBeGreaterThan(start);
            expect(end).toBeLessThanOrEqual(place.start + place.seconds + 0.00501); // rounded to hundredths
          }
          const checked = here.whole ? set : watch.check(set, place, sound, BEGIN);
          const before = [position, until];
          ({ position, until } = windowAfter(here, position + count, checked, RATE));
          expect([position, until]).not.toEqual(before);
          expect(position).toBeGreaterThanOrEqual(before[0]!);
          // Each window is at least a frame further, or ends one of those that are heard again.
          if (steps > 2 * (head / 160) + 10) throw new Error(`still at ${position} of ${head}`);
        }
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 500 });
  });
});
