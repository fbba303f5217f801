import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidArgumentError } from "../../src/core/errors.ts";
import { createSpeechSegmenter, type SpeechOptions } from "../../src/voice/speech-segmenter.ts";
import { speechTimestamps } from "../reference/speech-timestamps.ts";

const CHUNK = 512;
const RATE = 16000;

/** Runs of chunks with one probability each, around both thresholds. */
const probabilities = fc
  .array(fc.tuple(fc.constantFrom(0, 0.2, 0.34, 0.35, 0.4, 0.5, 0.6, 1), fc.integer({ min: 1, max: 24 })), {
    maxLength: 30,
  })
  .map((runs) => runs.flatMap(([p, times]) => Array<number>(times).fill(p)));

/** Milliseconds whose samples are whole numbers, beside the defaults. */
const options = fc.record(
  {
    threshold: fc.constantFrom(0.3, 0.5, 0.6),
    minSpeech: fc.constantFrom(0, 32, 250, 500),
    minSilence: fc.constantFrom(0, 64, 100, 400),
    pad: fc.constantFrom(0, 30, 33, 200, 1000),
  },
  { requiredKeys: [] },
);

function rulesOf({ threshold = 0.5, minSpeech = 250, minSilence = 100, pad = 100 }: SpeechOptions) {
  const samples = (milliseconds: number) => (milliseconds * RATE) / 1000;
  return {
    threshold,
    negativeThreshold: Math.max(threshold - 0.15, 0.01),
    minSpeech: samples(minSpeech),
    minSilence: samples(minSilence),
    pad: samples(pad),
  };
}

describe("createSpeechSegmenter", () => {
  it("gives the regions of the reference, and never takes back what it called final", () => {
    fc.assert(
      fc.property(
        probabilities,
        options,
        fc.integer({ min: 1, max: CHUNK }),
        (given, options, lastSamples) => {
          const length = Math.max(0, (given.length - 1) * CHUNK) + (given.length ? lastSamples : 0);
          const expected = speechTimestamps(given, CHUNK, length, rulesOf(options));
          const segmenter = createSpeechSegmenter(CHUNK, RATE, options);
          let decided = 0;
          given.forEach((p, i) => {
            segmenter.add(p, i === given.length - 1 ? lastSamples : CHUNK);
            const { regions, open } = segmenter;
            expect(segmenter.decided).toBeGreaterThanOrEqual(decided);
            decided = segmenter.decided;
            expect(regions).toEqual(expected.slice(0, regions.length));
            const next = expected[regions.length];
            if (open) {
              expect(next?.start).toBe(open.start);
              expect(next?.end).toBeGreaterThanOrEqual(open.end);
              expect(open.end).toBe(decided);
            } else if (next) {
              expect(next.start).toBeGreaterThanOrEqual(decided);
            }
          });
          segmenter.end();
          expect(segmenter.regions).toEqual(expected);
          expect(segmenter.open).toBeUndefined();
          expect(segmenter.decided).toBe(length);
        },
      ),
      { numRuns: 500, seed: 20, verbose: 1 },
    );
  });

  it("follows the rules by hand", () => {
    const segmenter = createSpeechSegmenter(CHUNK, RATE, { pad: 30 });
    const add = (p: number, times: number) => {
      for (let i = 0; i < times; i++) segmenter.add(p);
    };
    add(0, 10);
    add(0.9, 8); // 256 ms, just more than the shortest speech
    add(0.4, 5); // between both thresholds: goes on
    expect(segmenter.open).toEqual({ start: 10 * CHUNK - 480, end: 23 * CHUNK });
    add(0.1, 3); // a pause, still too short
    expect(segmenter.regions).toEqual([]);
    add(0.1, 2);
    expect(segmenter.regions).toEqual([{ start: 10 * CHUNK - 480, end: 23 * CHUNK + 480 }]);
    add(0.9, 7); // 224 ms: none
    add(0, 20);
    segmenter.end();
    expect(segmenter.regions).toHaveLength(1);
    segmenter.forget(23 * CHUNK + 479);
    expect(segmenter.regions).toHaveLength(1);
    segmenter.forget(23 * CHUNK + 480);
    expect(segmenter.regions).toEqual([]);
    expect(() => segmenter.add(0)).toThrow(InvalidArgumentError);
  });

  it.each([
    { threshold: 0 },
    { threshold: 1 },
    { threshold: NaN },
    { threshold: 0.5, negativeThreshold: 0.6 },
    { negativeThreshold: 0 },
    { minSpeech: -1 },
    { minSilence: Number.POSITIVE_INFINITY },
    { pad: "30" as unknown as number },
  ])("refuses %o", (options) => {
    expect(() => createSpeechSegmenter(CHUNK, RATE, options)).toThrow(InvalidArgumentError);
  });
});
