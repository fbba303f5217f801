import { afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  type BufferPool,
  type Core,
  createBufferPool,
  createCore,
  InvalidArgumentError,
  NonFiniteSamplesError,
  poolStatistics,
  toMono,
} from "../src/index.ts";
import { firstDifference } from "./reference/bits.ts";
import { BUILDS } from "./reference/builds.ts";
import { seededNoise, whiteNoise } from "./reference/signals.ts";

const SEED = 31;
const CANARY = 77;
/** Around the width of a vector, and past the staging memory. */
const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 100, 16_385, 20_001];
const CHANNELS = [1, 2, 3, 4, 5, 6, 7, 8];

/** The mean of each frame, as float32 arithmetic gives it. */
function reference(samples: Int16Array | Float32Array, channels: number): Float32Array {
  const integers = samples instanceof Int16Array;
  return Float32Array.from({ length: samples.length / channels }, (_, frame) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum = Math.fround(sum + samples[frame * channels + c]!);
    return integers ? sum / (32768 * channels) : sum / channels;
  });
}

function integers(length: number, seed: number): Int16Array {
  const next = seededNoise(seed);
  const samples = Int16Array.from({ length }, () => Math.floor(next() * 32768));
  samples.set([-32768, 32767].slice(0, length));
  return samples;
}

describe.each(BUILDS)(`toMono, $build (seed ${SEED})`, ({ threads }) => {
  let core: Core;
  let floats: BufferPool<"f32">;
  let shorts: BufferPool<"i16">;

  beforeAll(async () => {
    core = await createCore({ threads });
    floats = createBufferPool(core, { name: "f32", dtype: "f32", shape: 200_000, max: 2 });
    shorts = createBufferPool(core, { name: "i16", dtype: "i16", shape: 200_000, max: 1 });
  });

  afterEach(() => {
    for (const pool of poolStatistics(core)) expect(pool.inUse, `leases left in pool ${pool.name}`).toBe(0);
  });

  it.each(CHANNELS)("is exact for %i channels of any length, in the core and elsewhere", (channels) => {
    using float = floats.acquire();
    using short = shorts.acquire();
    using target = floats.acquire();
    for (const frames of LENGTHS) {
      const length = frames * channels;
      for (const samples of [integers(length, SEED + frames), whiteNoise(length, SEED + frames)]) {
        const expected = reference(samples, channels);
        // Views that begin at no vector's boundary.
        const inside = (samples instanceof Int16Array ? short.view : float.view).subarray(3, 3 + length);
        inside.set(samples);
        for (const source of [samples, inside]) {
          for (const whole of [new Float32Array(frames + 9), target.view.subarray(1, frames + 10)]) {
            whole.fill(CANARY);
            expect(toMono(core, source, channels, whole.subarray(4, 5 + frames))).toBe(0);
            const message = `seed ${SEED + frames}, ${frames} frames`;
            expect(firstDifference(whole.subarray(4, 4 + frames), expected), message).toBe(-1);
            const around = [...whole.subarray(0, 4), ...whole.subarray(4 + frames)];
            expect(
              around.every((x) => x === CANARY),
              message,
            ).toBe(true);
          }
          const kept = source.every((x: number, i: number) => Object.is(x, samples[i]));
          expect(kept, "the source is left as it was").toBe(true);
        }
      }
    }
  });

  it("takes the full range of 16 bits to -1 … 1", () => {
    const out = new Float32Array(3);
    toMono(core, Int16Array.of(-32768, 32767, 1), 1, out);
    expect([...out]).toEqual([-1, 32767 / 32768, 1 / 32768]);
    toMono(core, new Int16Array(24).fill(-32768), 8, out);
    expect([...out]).toEqual([-1, -1, -1]);
  });

  it.each([false, true])("refuses, zeroes or passes NaN and infinite samples (in the core: %s)", (inside) => {
    using lease = floats.acquire();
    const samples = inside ? lease.view.subarray(0, 70_000) : new Float32Array(70_000);
    samples.fill(0.5);
    samples[40_001] = Number.NaN;
    samples[69_999] = Number.NEGATIVE_INFINITY;
    const out = new Float32Array(35_000).fill(CANARY);
    expect(() => toMono(core, samples, 2, out)).toThrow(NonFiniteSamplesError);
    expect(() => toMono(core, samples, 2, out)).toThrow(
      /2 of 70000 samples are NaN or infinite, the first at index 40001/,
    );
    expect(out.every((x) => x === CANARY)).toBe(true);
    expect(toMono(core, samples, 2, out, { nonFinite: "zero" })).toBe(2);
    expect(out.every((x, i) => x === (i === 20_000 || i === 34_999 ? 0.25 : 0.5))).toBe(true);
    expect(samples[40_001]).toBeNaN();
    expect(toMono(core, samples, 2, out, { nonFinite: "pass" })).toBe(2);
    expect([out[20_000], out[34_999], out[0]]).toEqual([Number.NaN, Number.NEGATIVE_INFINITY, 0.5]);
  });

  it("refuses what does not fit", () => {
    using lease = floats.acquire();
    const mono = (samples: unknown, channels: unknown, out: unknown, options?: unknown) => () =>
      toMono(core, samples as Int16Array, channels as number, out as Float32Array, options as undefined);
    const out = new Float32Array(10);
    for (const [wrong, message] of [
      [mono(new Uint8Array(4), 1, out), /samples are a Uint8Array; give an Int16Array or a Float32Array/],
      [mono(new Int32Array(4), 1, out), /samples are a Int32Array/],
      [mono(undefined, 1, out), /samples are undefined/],
      [mono(new Int16Array(4), 0, out), /channels is 0; give an integer from 1 to 8/],
      [mono(new Int16Array(4), 9, out), /channels is 9/],
      [mono(new Int16Array(4), 1.5, out), /channels is 1\.5/],
      [mono(new Int16Array(5), 2, out), /5 samples are no whole frames of 2 channels/],
      [mono(new Int16Array(22), 2, out), /out holds 10 samples; 11 frames need 11/],
      [mono(new Int16Array(4), 1, new Float64Array(4)), /out is a Float64Array; give a Float32Array/],
      [mono(lease.view.subarray(0, 8), 2, lease.view.subarray(7)), /samples and out overlap/],
      [mono(new Int16Array(4), 1, out, { nonFinite: "drop" }), /nonFinite is "drop"/],
      [mono(new Int16Array(4), 1, out, null), /options are null/],
    ] as const) {
      expect(wrong).toThrow(InvalidArgumentError);
      expect(wrong).toThrow(message);
    }
  });
});
