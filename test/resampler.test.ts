import { afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  attachCore,
  type Core,
  CoreMemoryError,
  checkLeaks,
  createBufferPool,
  createCore,
  createResampler,
  InvalidArgumentError,
  LeaseError,
  monoReader,
  NonFiniteSamplesError,
  poolStatistics,
  type Resampler,
  type ResamplerOptions,
} from "../src/index.ts";
import { firstDifference } from "./reference/bits.ts";
import { BUILDS } from "./reference/builds.ts";
import { seededNoise, whiteNoise } from "./reference/signals.ts";

/** Down, up, with many phases, interpolated, and equal. */
const PAIRS = [
  [48000, 16000],
  [16000, 48000],
  [44100, 16000],
  [11025, 192000],
  [192000, 11025],
  [44099, 16000],
  [16000, 44101],
  [16000, 16000],
] as const;
const SEED = 23;
const CANARY = -12345;

/** The whole stream in one block, its end included. */
function oneShot(resampler: Resampler, input: Float32Array): Float32Array {
  resampler.reset();
  const out = new Float32Array(resampler.outputLength(input.length));
  const written = resampler.process(input, out);
  expect(resampler.flushLength()).toBe(out.length - written);
  expect(resampler.flush(out.subarray(written))).toBe(out.length - written);
  return out;
}

describe.each(BUILDS)("createResampler, $build", ({ threads }) => {
  let core: Core;

  beforeAll(async () => {
    core = await createCore({ threads });
  });

  afterEach(() => {
    for (const pool of poolStatistics(core)) expect(pool.inUse, `leases left in pool ${pool.name}`).toBe(0);
  });

  it.each(PAIRS)(`makes the same bits of any blocks from %i to %i Hz (seed ${SEED})`, (from, to) => {
    const next = seededNoise(SEED + from);
    const below = (n: number) => Math.floor(((next() + 1) / 2) * n);
    const input = whiteNoise(Math.round(0.7 * from), SEED);
    using resampler = createResampler(core, { from, to });
    const whole = oneShot(resampler, input);
    expect(whole.length).toBe(Math.ceil((input.length * to) / from));
    using pool = asDisposable(createBufferPool(core, { name: "io", dtype: "f32", shape: 40_000, max: 2 }));
    using source = pool.acquire();
    using target = pool.acquire();
    for (const largest of [3, 200, 9000]) {
      resampler.reset();
      const parts = new Float32Array(whole.length);
      let made = 0;
      for (let at = 0; at < input.length; ) {
        const count = Math.min(below(largest + 1), input.length - at);
        const block = input.subarray(at, at + count);
        const due = resampler.nextLength(count);
        // In the core or out of it, on both sides.
        const inside = below(2) === 1;
        if (inside) source.view.set(block);
        const place = below(2) === 1 && due <= 40_000 ? target.view : new Float32Array(due);
        const written = resampler.process(inside ? source.view.subarray(0, count) : block, place);
        if (written !== due) expect.fail(`${written} of ${due} samples of a block of ${count} at ${at}`);
        parts.set(place.subarray(0, written), made);
        made += written;
        at += count;
      }
      made += resampler.flush(parts.subarray(made));
      expect(made).toBe(whole.length);
      expect(firstDifference(parts, whole), `seed ${SEED + from}, blocks up to ${largest}`).toBe(-1);
    }
  });

  it.each(PAIRS)("reads the same bits by monoReader from %i to %i Hz", (from, to) => {
    const input = whiteNoise(Math.round(0.4 * from), SEED);
    using resampler = createResampler(core, { from, to });
    const whole = oneShot(resampler, input);
    const reader = monoReader(core, { sampleRate: from, channels: [input] }, to);
    const next = seededNoise(SEED);
    for (let i = 0; i < 40; i++) {
      const start = Math.floor(((next() + 1) / 2) * reader.length);
      const count = Math.floor(((next() + 1) / 2) * (reader.length - start));
      const part = new Float32Array(count + 1).fill(CANARY);
      reader.read(part, start, count);
      expect(
        firstDifference(part.subarray(0, count), whole.subarray(start, start + count)),
        `seed ${SEED}, ${count} from ${start}`,
      ).toBe(-1);
      expect(part[count]).toBe(CANARY);
    }
  });

  it.each(PAIRS)("gives ceil(n × to / from) samples for any length from %i to %i Hz", (from, to) => {
    using resampler = createResampler(core, { from, to });
    for (const length of [0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 500, 1764]) {
      const exact = Number((BigInt(length) * BigInt(to) + BigInt(from) - 1n) / BigInt(from));
      expect(oneShot(resampler, whiteNoise(length, SEED)).length, `${length} samples`).toBe(exact);
    }
    for (const length of [2 ** 31 + 1, 3_000_000_001, 1_000_000_007]) {
      const exact = Number((BigInt(length) * BigInt(to) + BigInt(from) - 1n) / BigInt(from));
      expect(resampler.outputLength(length)).toBe(exact);
    }
  });

  it("copies where the rates are equal", () => {
    const input = whiteNoise(50_000, SEED);
    input[7] = -0;
    using resampler = createResampler(core, { from: 44100, to: 44100 });
    expect(resampler.delay).toBe(0);
    const out = new Float32Array(input.length);
    expect(resampler.process(input, out)).toBe(input.length);
    expect(firstDifference(out, input)).toBe(-1);
    expect(resampler.flush(out)).toBe(0);
  });

  it("says its rates, quality, taps and delay", () => {
    using resampler = createResampler(core, { from: 48000, to: 16000 });
    expect(resampler).toMatchObject({ from: 48000, to: 16000, quality: "high", taps: 384, delay: 192 });
    // The first output needs its own sample and the delay.
    expect([resampler.nextLength(192), resampler.nextLength(193), resampler.nextLength(196)]).toEqual([
      0, 1, 2,
    ]);
  });

  it("writes nothing outside the output and leaves the input as it was", () => {
    using pool = asDisposable(createBufferPool(core, { name: "io", dtype: "f32", shape: 60_000, max: 2 }));
    for (const [from, to] of PAIRS) {
      // Buffers of others before and behind the state.
      using before = pool.acquire();
      before.view.fill(CANARY);
      using resampler = createResampler(core, { from, to });
      using io = pool.acquire();
      io.view.fill(CANARY);
      const input = io.view.subarray(100, 100 + Math.min(1000, Math.floor((20_000 * from) / to)));
      const kept = whiteNoise(input.length, SEED);
      input.set(kept);
      const length = resampler.outputLength(input.length);
      const first = 30_001;
      const written = resampler.process(input, io.view.subarray(first, first + length));
      resampler.flush(io.view.subarray(first + written, first + length));
      expect(firstDifference(input, kept)).toBe(-1);
      const others = io.view.filter(
        (_, i) => (i < 100 || i >= 100 + input.length) && (i < first || i >= first + length),
      );
      expect(
        others.every((x) => x === CANARY),
        `${from} → ${to} Hz`,
      ).toBe(true);
      expect(before.view.every((x) => x === CANARY)).toBe(true);
      expect(io.view.subarray(first, first + length).every((x) => x !== CANARY)).toBe(true);
    }
  });

  it("refuses an output that is too short with the length needed, and takes nothing in", () => {
    const input = whiteNoise(5000, SEED);
    using resampler = createResampler(core, { from: 48000, to: 16000 });
    const whole = oneShot(resampler, input);
    resampler.reset();
    const due = resampler.nextLength(5000);
    const short = new Float32Array(due - 1).fill(CANARY);
    expect(() => resampler.process(input, short)).toThrow(InvalidArgumentError);
    expect(() => resampler.process(input, short)).toThrow(
      new RegExp(`output holds ${due - 1} samples; an input of 5000 makes ${due}`),
    );
    expect(short.every((x) => x === CANARY)).toBe(true);
    const out = new Float32Array(whole.length);
    expect(resampler.process(input, out)).toBe(due);
    expect(() => resampler.flush(new Float32Array(3))).toThrow(
      /output holds 3 samples; the end of the stream makes 64/,
    );
    resampler.flush(out.subarray(due));
    expect(firstDifference(out, whole)).toBe(-1);
  });

  it("refuses input after the end until it is reset, and everything once closed", () => {
    const resampler = createResampler(core, { from: 48000, to: 16000 });
    const out = new Float32Array(2000);
    resampler.process(new Float32Array(100), out);
    expect(resampler.flush(out)).toBe(34);
    expect(resampler.flush(out)).toBe(0);
    expect(resampler.nextLength(1000)).toBe(0);
    expect(() => resampler.process(new Float32Array(1), out)).toThrow(/input after flush\(\); call reset/);
    resampler.reset();
    expect(resampler.process(new Float32Array(1000), out)).toBe(270);
    resampler.close();
    resampler.close();
    for (const use of [
      () => resampler.process(new Float32Array(1), out),
      () => resampler.flush(out),
      () => resampler.nextLength(1),
      () => resampler.reset(),
    ]) {
      expect(use).toThrow(InvalidArgumentError);
      expect(use).toThrow(/48000 → 16000 Hz is closed; create another/);
    }
  });

  it.each([
    [{ from: 0, to: 16000 }, /from is 0; give an integer from 1000 to 384000/],
    [{ from: 48000, to: 0 }, /to is 0/],
    [{ from: 48000.5, to: 16000 }, /from is 48000\.5/],
    [{ from: 48000, to: Number.NaN }, /to is NaN/],
    [{ from: 48000, to: 384_001 }, /to is 384001/],
    [{ from: "48000", to: 16000 }, /from is "48000"/],
    [{ from: 48000 }, /to is undefined/],
    [{ from: 48000, to: 16000, quality: "best" }, /quality is "best"; give "low", "medium" or "high"/],
    [{ from: 48000, to: 16000, nonFinite: true }, /nonFinite is true; give "error", "zero" or "pass"/],
    [undefined, /options are undefined; give an object/],
  ])("refuses the options %o", (options, message) => {
    const free = core.freeBytes();
    expect(() => createResampler(core, options as ResamplerOptions)).toThrow(InvalidArgumentError);
    expect(() => createResampler(core, options as ResamplerOptions)).toThrow(message);
    expect(core.freeBytes()).toBe(free);
  });

  it("refuses views of other types, overlapping ones and counts that are none", () => {
    using resampler = createResampler(core, { from: 48000, to: 16000 });
    const out = new Float32Array(1000);
    const process = (input: unknown, output: unknown) => () =>
      resampler.process(input as Float32Array, output as Float32Array);
    for (const [wrong, message] of [
      [process(new Float64Array(10), out), /input is a Float64Array; give a Float32Array/],
      [process(new Int16Array(10), out), /input is a Int16Array/],
      [process([0, 1], out), /input is a Array/],
      [process(new Float32Array(10), new Float64Array(10)), /output is a Float64Array/],
      [process(new Float32Array(10), undefined), /output is undefined/],
      [process(out.subarray(0, 600), out.subarray(500)), /input and output overlap/],
      [() => resampler.flush(new Uint8Array(1000) as unknown as Float32Array), /output is a Uint8Array/],
      [() => resampler.nextLength(-1), /a count of -1 samples; give an integer from 0/],
      [() => resampler.outputLength(0.5), /a count of 0\.5 samples/],
      [() => resampler.outputLength(2 ** 52), /a count of 4503599627370496 samples/],
    ] as const) {
      expect(wrong).toThrow(InvalidArgumentError);
      expect(wrong).toThrow(message);
    }
  });

  it("refuses, zeroes or passes samples that are NaN or infinite, and counts them", () => {
    const clean = whiteNoise(40_000, SEED);
    const dirty = clean.slice();
    const zeroed = clean.slice();
    for (const [i, x] of [
      [0, Number.NaN],
      [20_000, Number.POSITIVE_INFINITY],
      [39_999, Number.NEGATIVE_INFINITY],
    ] as const) {
      dirty[i] = x;
      zeroed[i] = 0;
    }
    const rates = { from: 48000, to: 16000 };
    const out = new Float32Array(14_000).fill(CANARY);
    using strict = createResampler(core, rates);
    expect(() => strict.process(dirty, out)).toThrow(NonFiniteSamplesError);
    expect(() => strict.process(dirty, out)).toThrow(
      /3 of 40000 samples are NaN or infinite, the first at index 0; .* nonFinite: "zero"/,
    );
    expect(strict.nonFiniteSamples).toBe(6);
    expect(out.every((x) => x === CANARY)).toBe(true);
    strict.process(clean, out);
    const expected = oneShot(strict, clean);
    // Nothing of it was taken in.
    expect(firstDifference(out.subarray(0, 13_000), expected.subarray(0, 13_000))).toBe(-1);
    expect(strict.nonFiniteSamples).toBe(0);

    using zeroing = createResampler(core, { ...rates, nonFinite: "zero" });
    expect(firstDifference(oneShot(zeroing, dirty), oneShot(strict, zeroed))).toBe(-1);
    expect(zeroing.nonFiniteSamples).toBe(3);
    expect(dirty[0]).toBeNaN();

    using passing = createResampler(core, { ...rates, nonFinite: "pass" });
    const spoilt = oneShot(passing, dirty);
    expect(passing.nonFiniteSamples).toBe(3);
    // Those whose filter lies over a bad sample, and no others.
    for (const [i, x] of spoilt.entries()) {
      const touched = [0, 20_000, 39_999].some((n) => n - 3 * i > -192 && n - 3 * i <= 192);
      expect(Number.isFinite(x), `output ${i}`).toBe(!touched);
    }
  });

  it("shows an unclosed resampler as a lease, and gives all back when it is closed", () => {
    using warm = createResampler(core, { from: 48000, to: 16000 });
    const free = core.freeBytes();
    const resampler = createResampler(core, { from: 48000, to: 16000 });
    expect(
      checkLeaks(core, { olderThan: 0 }).filter((leak) => leak.pool === "resampler 16 KiB"),
    ).toHaveLength(2);
    resampler.close();
    const again = createResampler(core, { from: 48000, to: 16000 });
    again.close();
    expect(free - core.freeBytes()).toBeLessThanOrEqual(16_384); // the pool keeps the buffer for the next
    warm.close();
  });

  it("keeps no more than a few filters that nobody uses", () => {
    const free = core.freeBytes();
    for (let rate = 20_001; rate < 20_060; rate++) createResampler(core, { from: rate, to: 16000 }).close();
    expect(free - core.freeBytes()).toBeLessThan(3 * 1024 * 1024);
  });

  it("gives way to others where the core is small, and says so where it cannot", async () => {
    const small = await createCore({ threads, memoryBytes: 1024 * 1024 });
    for (const from of [44100, 44099, 22051, 11025, 48000]) {
      createResampler(small, { from, to: 16000 }).close();
    }
    using held = createResampler(small, { from: 44100, to: 16000 });
    expect(() => createResampler(small, { from: 11025, to: 192000 })).toThrow(CoreMemoryError);
    expect(() => createResampler(small, { from: 11025, to: 192000 })).toThrow(
      /the filter from 11025 to 192000 Hz needs 13\d{5} bytes/,
    );
    expect(held.process(new Float32Array(1000), new Float32Array(400))).toBeGreaterThan(0);
  });

  it("does not take a pool of another shape for its own", async () => {
    const other = await createCore({ threads });
    createBufferPool(other, { name: "resampler 16 KiB", dtype: "i16", shape: 8, max: 1 });
    expect(() => createResampler(other, { from: 48000, to: 16000 })).toThrow(
      /pool "resampler 16 KiB" holds 8 × i16/,
    );
  });
});

describe("a resampler of another agent", () => {
  it("uses the same pools, and ends when its agent is reclaimed", async () => {
    const core = await createCore({ threads: true });
    const other = attachCore(core.share());
    using ours = createResampler(core, { from: 48000, to: 16000 });
    const theirs = createResampler(other, { from: 48000, to: 16000 });
    expect(poolStatistics(core).map(({ name, inUse }) => [name, inUse])).toEqual([["resampler 16 KiB", 2]]);
    expect(core.reclaim(other.agent)).toMatchObject({ leases: 1, complete: true });
    expect(() => theirs.process(new Float32Array(10), new Float32Array(10))).toThrow(LeaseError);
    theirs.close();
    expect(poolStatistics(core)[0]).toMatchObject({ inUse: 1, doubleReleases: 0 });
    expect(ours.process(new Float32Array(1000), new Float32Array(400))).toBeGreaterThan(0);
  });

  it("leaves its filters' memory to the others when it goes", async () => {
    const core = await createCore({ threads: true });
    createResampler(core, { from: 44100, to: 16000 }).close();
    const cycle = () => {
      const other = attachCore(core.share());
      using resampler = createResampler(other, { from: 11025, to: 192000 });
      resampler.process(new Float32Array(100), new Float32Array(4000));
      resampler.close();
      other.leave();
    };
    cycle();
    const free = core.freeBytes();
    for (let i = 0; i < 20; i++) cycle();
    expect(core.freeBytes()).toBe(free);
  });

  it("makes the same bits in both builds", async () => {
    const cores = await Promise.all(BUILDS.map(({ threads }) => createCore({ threads })));
    const input = whiteNoise(20_000, SEED);
    for (const [from, to] of PAIRS) {
      const [one, other] = cores.map((core) => {
        using resampler = createResampler(core, { from, to });
        return oneShot(resampler, input);
      });
      expect(firstDifference(one!, other!), `seed ${SEED}, ${from} → ${to} Hz`).toBe(-1);
    }
  });
});

/** A pool that is shut down at the end of its block. */
function asDisposable<P extends { shutdown(): number }>(pool: P): P & Disposable {
  return Object.assign(pool, { [Symbol.dispose]: () => void pool.shutdown() });
}
