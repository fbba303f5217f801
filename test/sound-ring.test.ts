import { describe, expect, it } from "vitest";
import { createSoundRing } from "../src/audio/sound-ring.ts";
import { openSound } from "../src/audio/sound-source.ts";
import { type Core, createCore, InvalidArgumentError, poolStatistics } from "../src/index.ts";
import { firstDifference } from "./reference/bits.ts";
import { whiteNoise } from "./reference/signals.ts";
import { randomNumbers, randomPieces } from "./reference/sound-streams.ts";

const SEED = Number(process.env.SEED ?? 20261);
const NOISE = whiteNoise(100_000, SEED);
const inUse = (core: Core) => poolStatistics(core).reduce((sum, pool) => sum + pool.inUse, 0);
const OPTIONS = { sampleRate: 16000 };

async function ringOf(core: Core, seconds: number, samples = NOISE) {
  const reader = await openSound(core, randomPieces(samples, 4000, SEED), OPTIONS);
  return createSoundRing(core, reader, { seconds });
}

describe(`createSoundRing, seed ${SEED}`, () => {
  it("gives any window of what it holds, and forgets the rest", async () => {
    const core = await createCore();
    const ring = await ringOf(core, 0.5);
    expect(ring.capacity).toBe(8000);
    const next = randomNumbers(SEED);
    const into = new Float32Array(8000);
    while (!ring.ended) {
      const upTo = ring.head + Math.floor(6000 * next());
      const filled = await ring.fill(upTo);
      expect(filled).toBe(Math.min(Math.max(upTo, filled), NOISE.length));
      expect(ring.head).toBe(filled);
      expect(ring.tail).toBe(Math.max(0, ring.head - 8000));
      for (let i = 0; i < 5; i++) {
        const start = ring.tail + Math.floor(next() * (ring.head - ring.tail));
        const count = Math.floor(next() * (ring.head - start));
        ring.window(start, count, into);
        const expected = NOISE.subarray(start, start + count);
        expect(firstDifference(into.subarray(0, count), expected), `${count} from ${start}`).toBe(-1);
      }
      if (ring.tail > 0) {
        expect(() => ring.window(ring.tail - 1, 1, into)).toThrow(/is forgotten: the ring holds/);
      }
    }
    expect(ring.length).toBe(NOISE.length);
    await ring.close();
    expect(inUse(core)).toBe(0);
  });

  it("is silent behind the end, not before it", async () => {
    const core = await createCore();
    await using ring = await ringOf(core, 10);
    const into = new Float32Array(1000).fill(7);
    expect(ring.length).toBeUndefined();
    expect(() => ring.window(0, 10, into)).toThrow(/not read yet, only up to 0; wait for fill\(10\)/);
    expect(await ring.fill(200_000)).toBe(100_000);
    expect(ring.ended).toBe(true);
    ring.window(99_900, 300, into);
    expect(firstDifference(into.subarray(0, 100), NOISE.subarray(99_900))).toBe(-1);
    expect(into.subarray(100, 300).every((x) => x === 0)).toBe(true);
    expect(into[300]).toBe(7);
    ring.window(150_000, 10, into);
    expect(into.subarray(0, 10).every((x) => x === 0)).toBe(true);
    expect(await ring.fill(300_000)).toBe(100_000);
  });

  it("keeps all that it can when the sound ends before a fill does", async () => {
    const core = await createCore();
    await using ring = await ringOf(core, 1, NOISE.slice(0, 20_000));
    await ring.fill(19_000);
    await ring.fill(30_000);
    expect([ring.tail, ring.head]).toEqual([4000, 20_000]);
    const into = new Float32Array(16_000);
    ring.window(4000, 16_000, into);
    expect(firstDifference(into, NOISE.slice(4000, 20_000))).toBe(-1);
  });

  it("fills ahead while its caller works, one fill after another", async () => {
    const core = await createCore();
    await using ring = await ringOf(core, 2);
    await ring.fill(10_000);
    const ahead = [ring.fill(20_000), ring.fill(15_000), ring.fill(30_000)];
    const into = new Float32Array(10_000);
    ring.window(0, 10_000, into);
    expect(firstDifference(into, NOISE.slice(0, 10_000))).toBe(-1);
    expect(await Promise.all(ahead)).toEqual([20_000, 20_000, 30_000]);
  });

  it("passes the reader's error on and closes in the middle of a fill", async () => {
    const core = await createCore();
    const failing = async function* () {
      yield NOISE.slice(0, 5000);
      throw new Error("the microphone is gone");
    };
    const ring = createSoundRing(core, await openSound(core, failing(), OPTIONS), { seconds: 1 });
    await expect(ring.fill(6000)).rejects.toThrow("microphone is gone");
    await expect(ring.fill(6000)).rejects.toThrow("microphone is gone");
    await ring.close();

    const silent = async function* () {
      yield NOISE.slice(0, 5000);
      await new Promise(() => {});
    };
    const other = createSoundRing(core, await openSound(core, silent(), OPTIONS), { seconds: 1 });
    const waiting = expect(other.fill(6000)).rejects.toThrow(/was closed/);
    await other.close();
    await waiting;
    await other.close();
    await expect(other.fill(1)).rejects.toThrow(/ring was closed/);
    expect(() => other.window(0, 1, new Float32Array(1))).toThrow(/ring was closed/);
    expect(inUse(core)).toBe(0);
  });

  it("refuses what makes no sense", async () => {
    const core = await createCore();
    const reader = await openSound(core, [NOISE], OPTIONS);
    expect(() => createSoundRing(core, reader, { seconds: 0 })).toThrow(/seconds is 0/);
    expect(() => createSoundRing(core, reader, { seconds: 1e9 })).toThrow(InvalidArgumentError);
    await using ring = createSoundRing(core, reader, { seconds: 1 });
    await expect(ring.fill(-1)).rejects.toThrow(/upTo is -1/);
    await ring.fill(100);
    expect(() => ring.window(0.5, 1, new Float32Array(1))).toThrow(/start is 0\.5/);
    expect(() => ring.window(0, 2, new Float32Array(1))).toThrow(/into is a Float32Array of 1/);
    expect(() => createSoundRing(core, reader)).toThrow(/stands at sample 100/);
  });
});
