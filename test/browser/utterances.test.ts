import { describe, expect, it } from "vitest";
import { createUtterances, type Utterance } from "../../src/browser/utterances.ts";

const CHUNK = 512;
const RATE = 16000;
const SECOND = RATE / CHUNK;

/** Stretches of speech and silence, in chunks; levels fall to -60 dB in the chunks of `dips`. */
function hear(
  stretches: readonly (readonly [speech: boolean, chunks: number])[],
  dips: readonly number[] = [],
) {
  const utterances = createUtterances(CHUNK, RATE);
  const found: Utterance[] = [];
  const drain = () => {
    for (let next = utterances.next(); next; next = utterances.next()) found.push(next);
  };
  let at = 0;
  for (const [speech, chunks] of stretches) {
    for (let i = 0; i < chunks; i++, at++) {
      utterances.add(speech ? 1 : 0, dips.includes(at) ? -60 : -20);
      drain();
    }
  }
  utterances.end();
  drain();
  return found;
}

/** Numbers from 0 to below 1 that a seed determines (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("utterances", () => {
  it("end at pauses of 600 ms, not at shorter ones, with 200 ms on either side", () => {
    const second = Math.round(SECOND);
    const long = Math.ceil(0.7 * SECOND);
    const short = Math.floor(0.4 * SECOND);
    const found = hear([
      [false, second],
      [true, second],
      [false, short],
      [true, second],
      [false, long],
      [true, second],
      [false, second],
    ]);
    const starts = second * CHUNK;
    expect(found).toHaveLength(2);
    expect(found[0]).toEqual({ start: starts - 3200, end: (3 * second + short) * CHUNK + 3200 });
    expect(found[1]!.end).toBe((4 * second + short + long) * CHUNK + 3200);
  });

  it("are none of silence, nor of a click", () => {
    expect(hear([[false, 200]])).toEqual([]);
    expect(
      hear([
        [false, 50],
        [true, 4],
        [false, 100],
      ]),
    ).toEqual([]);
  });

  it("end after 28 s at the quietest chunk of the last 8", () => {
    const chunks = Math.ceil(40 * SECOND);
    const dip = Math.round(24 * SECOND);
    const found = hear([[true, chunks]], [dip]);
    expect(found).toHaveLength(2);
    expect(Math.abs(found[0]!.end - dip * CHUNK)).toBeLessThanOrEqual(CHUNK);
    expect(found[1]).toEqual({ start: found[0]!.end, end: chunks * CHUNK });
  });

  it("hold every chunk of speech once, and none is longer than a window, whatever is said", () => {
    const seed = Number(process.env.SEED ?? 20261);
    const next = random(seed);
    for (let round = 0; round < 20; round++) {
      const stretches = Array.from(
        { length: 12 },
        (_, i) => [i % 2 === 0, 10 + Math.floor(next() ** 4 * 2500)] as const,
      );
      const found = hear(stretches);
      const message = `seed ${seed}, round ${round}`;
      let at = 0;
      for (const [speech, chunks] of stretches) {
        for (let i = 0; i < chunks; i++, at++) {
          const middle = (at + 0.5) * CHUNK;
          const holders = found.filter(({ start, end }) => start <= middle && middle < end).length;
          if (speech ? holders !== 1 : holders > 1) expect.fail(`${holders} hold chunk ${at}: ${message}`);
        }
      }
      for (const { start, end } of found) expect(end - start, message).toBeLessThanOrEqual(30 * RATE);
    }
  });

  it("tell what is being said until it is over", () => {
    const utterances = createUtterances(CHUNK, RATE);
    for (let i = 0; i < 40; i++) utterances.add(0, -60);
    expect(utterances.open).toBeUndefined();
    for (let i = 0; i < 40; i++) utterances.add(1, -20);
    expect(utterances.open).toEqual({ start: 40 * CHUNK - 3200, end: 80 * CHUNK });
    for (let i = 0; i < 60; i++) utterances.add(0, -60);
    expect(utterances.open).toBeUndefined();
    expect(utterances.ready).toBe(true);
  });

  it("refuse options out of range", () => {
    expect(() => createUtterances(CHUNK, RATE, { minSilence: -1 })).toThrow(/minSilence is -1/);
  });
});
