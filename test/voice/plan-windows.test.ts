import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidArgumentError } from "../../src/core/errors.ts";
import { planWindow, type WindowOptions, type WindowPlan } from "../../src/voice/plan-windows.ts";
import type { SpeechSoFar } from "../../src/voice/speech-regions.ts";
import { createSpeechSegmenter, type SpeechRegion } from "../../src/voice/speech-segmenter.ts";

const CHUNK = 512;
const RATE = 16000;
const SECOND = 16000;

type Window = Extract<WindowPlan, { kind: "window" }>;

/** Knowledge of a sound, given the probabilities of its chunks, that grows by `hear`. */
function hearing(probabilities: readonly number[]) {
  const segmenter = createSpeechSegmenter(CHUNK, RATE);
  let heard = 0;
  let ended = false;
  let dropped = 0;
  const speech: SpeechSoFar = {
    get regions() {
      return segmenter.regions;
    },
    get open() {
      return segmenter.open;
    },
    get decided() {
      return segmenter.decided;
    },
    get ended() {
      return ended;
    },
    leastLikely(from, to) {
      let best = to;
      let least = 2;
      for (let k = 0; k < heard; k++) {
        const middle = k * CHUNK + CHUNK / 2;
        if (middle < from || middle >= to || probabilities[k]! > least) continue;
        expect(k * CHUNK, "asked for what may have been dropped").toBeGreaterThanOrEqual(dropped - CHUNK);
        least = probabilities[k]!;
        best = middle;
      }
      return best;
    },
  };
  return {
    speech,
    hear() {
      if (heard < probabilities.length) segmenter.add(probabilities[heard++]!);
      else {
        segmenter.end();
        ended = true;
      }
    },
    forget(before: number) {
      dropped = before;
      segmenter.forget(before);
    },
  };
}

/** All windows of a sound that is known as a whole, and its regions. */
function windowsOfWhole(probabilities: readonly number[], options: WindowOptions) {
  const { speech, hear } = hearing(probabilities);
  while (!speech.ended) hear();
  const windows: Window[] = [];
  for (let position = 0; ; ) {
    const plan = planWindow(speech, position, options);
    if (plan.kind === "end") return { windows, regions: speech.regions };
    if (plan.kind === "more") throw new Error("asks for more of a sound that has ended");
    windows.push(plan);
    position = plan.start + plan.count;
  }
}

/** The same, asked after every so many chunks, dropping what is not needed. */
function windowsAsItComes(probabilities: readonly number[], options: WindowOptions, chunksAtOnce: number) {
  const { speech, hear, forget } = hearing(probabilities);
  const windows: Window[] = [];
  let until = 0;
  for (let position = 0; ; ) {
    const plan = planWindow(speech, position, options);
    if (plan.kind === "end") return windows;
    if (plan.kind === "more") {
      expect(plan.until).toBeGreaterThan(speech.decided);
      until = plan.until;
      forget(plan.keep);
      for (let i = 0; i < chunksAtOnce && !speech.ended; i++) hear();
      continue;
    }
    expect(speech.ended || speech.decided >= until, "decided earlier than it said it could").toBe(true);
    until = 0;
    windows.push(plan);
    position = plan.start + plan.count;
    forget(position);
  }
}

const probabilities = fc
  .array(
    fc.tuple(
      fc.constantFrom(0, 0, 0.4, 0.6, 0.9, 1),
      fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 120 })),
    ),
    { maxLength: 40 },
  )
  .map((runs) => runs.flatMap(([p, times]) => Array<number>(times).fill(p)));

/** Short windows, so that all rules come into play. */
const options = fc
  .record({
    maxSamples: fc.integer({ min: 1, max: 3 * SECOND }),
    share: fc.double({ min: 0, max: 0.9, noNaN: true }),
    extra: fc.integer({ min: 1, max: SECOND }),
  })
  .map(({ maxSamples, share, extra }) => {
    const padding = Math.min(maxSamples - 1, Math.floor(maxSamples * share));
    return { maxSamples, padding, longSilence: 2 * padding + extra };
  });

describe("planWindow", () => {
  it("gives windows in order that hold all speech, do not overlap and are not too long", () => {
    fc.assert(
      fc.property(probabilities, options, (given, options) => {
        // Tiny windows of long sounds would be too many.
        fc.pre(given.length * CHUNK < 500 * options.maxSamples);
        const { windows, regions } = windowsOfWhole(given, options);
        let position = 0;
        const covered: SpeechRegion[] = [];
        for (const { start, count } of windows) {
          expect(start).toBeGreaterThanOrEqual(position);
          expect(count).toBeGreaterThan(0);
          expect(count).toBeLessThanOrEqual(options.maxSamples);
          position = start + count;
          expect(position).toBeLessThanOrEqual(given.length * CHUNK);
          expect(
            regions.some(({ start: from, end }) => from < position && end > start),
            "a window without speech",
          ).toBe(true);
          const last = covered.at(-1);
          if (last?.end === start) covered[covered.length - 1] = { start: last.start, end: position };
          else covered.push({ start, end: position });
        }
        for (const { start, end } of regions) {
          expect(covered.some((part) => part.start <= start && part.end >= end)).toBe(true);
        }
      }),
      { numRuns: 500, seed: 21, verbose: 1 },
    );
  });

  it("says of a sound that is still coming what it says of the whole", () => {
    fc.assert(
      fc.property(probabilities, options, fc.integer({ min: 1, max: 50 }), (given, options, chunksAtOnce) => {
        fc.pre(given.length * CHUNK < 500 * options.maxSamples);
        expect(windowsAsItComes(given, options, chunksAtOnce)).toEqual(
          windowsOfWhole(given, options).windows,
        );
      }),
      { numRuns: 500, seed: 22, verbose: 1 },
    );
  });

  const known = (regions: SpeechRegion[], length: number, leastLikely = (_: number, to: number) => to) => ({
    regions,
    open: undefined,
    decided: length,
    ended: true,
    leastLikely,
  });
  const seconds = (...ranges: [number, number][]) =>
    ranges.map(([start, end]) => ({ start: start * SECOND, end: end * SECOND }));
  const inSeconds = (plan: WindowPlan) =>
    plan.kind === "window" ? [plan.start / SECOND, (plan.start + plan.count) / SECOND] : plan;

  it("skips silence at the beginning and ends before two seconds of it", () => {
    const speech = known(seconds([10, 12], [13.9, 15], [17, 18]), 100 * SECOND);
    expect(inSeconds(planWindow(speech, 0))).toEqual([9.8, 15.2]);
    expect(inSeconds(planWindow(speech, 15.2 * SECOND))).toEqual([16.8, 18.2]);
    expect(planWindow(speech, 18.2 * SECOND)).toEqual({ kind: "end" });
  });

  it("ends at the longest pause of the last third, or at the last pause", () => {
    const late = known(seconds([0, 15], [16.5, 21], [22, 26], [26.2, 29], [29.5, 40]), 40 * SECOND);
    expect(inSeconds(planWindow(late, 0))).toEqual([0, 21.2]);
    const early = known(seconds([0, 5], [6.5, 10], [11, 40]), 40 * SECOND);
    expect(inSeconds(planWindow(early, 0))).toEqual([0, 10.2]);
  });

  it("ends with speech that fills it, for nothing more would fit", () => {
    const speech = known(seconds([0, 20], [21, 30], [30.5, 40]), 40 * SECOND);
    expect(inSeconds(planWindow(speech, 0))).toEqual([0, 30]);
  });

  it("cuts speech without a pause where it is least likely in the last five seconds", () => {
    const asked: number[][] = [];
    const speech = known(seconds([1, 70]), 70 * SECOND, (from, to) => {
      asked.push([from / SECOND, to / SECOND]);
      return 27.5 * SECOND;
    });
    expect(inSeconds(planWindow(speech, 0))).toEqual([0.8, 27.5]);
    expect(asked).toEqual([[25.8, 30.8]]);
  });

  it("says what it waits for", () => {
    const nothing = { ...known([], 0), decided: 5 * SECOND, ended: false };
    expect(planWindow(nothing, 0)).toEqual({
      kind: "more",
      until: 5 * SECOND + 1,
      keep: 4.8 * SECOND,
    });
    const pause = { ...nothing, regions: seconds([3, 4]) };
    expect(planWindow(pause, 0)).toEqual({ kind: "more", until: 6 * SECOND, keep: 2.8 * SECOND });
    const open = { ...nothing, open: { start: 3 * SECOND, end: 5 * SECOND } };
    expect(planWindow(open, 0)).toEqual({ kind: "more", until: 7 * SECOND, keep: 2.8 * SECOND });
    // Speech that may end just where the window is full.
    const full = { ...open, decided: 32.8 * SECOND, open: { start: 3 * SECOND, end: 32.8 * SECOND } };
    expect(planWindow(full, 0)).toEqual({ kind: "more", until: 32.8 * SECOND + 1, keep: 2.8 * SECOND });
  });

  it.each([
    { maxSamples: 0 },
    { maxSamples: 1.5 },
    { padding: -1 },
    { padding: 480_000 },
    { padding: 3200, longSilence: 6399 },
    { pauseSearch: 480_001 },
    { cutSearch: 0 },
  ])("refuses %o", (options) => {
    expect(() => planWindow(known([], 0), 0, options)).toThrow(InvalidArgumentError);
  });
});
