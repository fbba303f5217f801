import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type BufferPool,
  type Core,
  CoreMemoryError,
  createBufferPool,
  createCore,
  createFft,
  type Fft,
  InvalidArgumentError,
} from "../src/index.ts";
import { firstDifference, firstOther } from "./reference/bits.ts";
import { KERNEL_BUILDS } from "./reference/builds.ts";
import { dft, type Spectrum, smoothNumbers } from "./reference/dft.ts";
import { whiteNoise } from "./reference/signals.ts";

const SEED = 7;
/** Every size to 512, then powers and mixtures up to the largest. */
const SIZES = [
  ...smoothNumbers(512),
  ...[
    625, 729, 1000, 1024, 1200, 1536, 1600, 2048, 2187, 3000, 3125, 3600, 4096, 6144, 6561, 8000, 8100, 8192,
  ],
];
/** One of each way through the kernels, and its neighbours. */
const SOME_SIZES = [
  1, 2, 3, 4, 5, 6, 8, 12, 15, 16, 20, 24, 25, 30, 32, 36, 40, 45, 48, 50, 60, 64, 96, 100, 400, 512,
];
const KINDS = ["complex", "real"] as const;
/**
 * Greatest error of a number, in units of the root mean square of all. Of twelve sizes with twelve seeds each the worst of the plain
 * builds is 6.0e-7 forward and 7.6e-7 inverse.
 */
const LIMIT = 8e-7;
const CANARY = 7;

/** Floats of what is expected: interleaved numbers, or real ones where `im` is left out. */
function worstError(actual: Float32Array, re: ArrayLike<number>, im?: ArrayLike<number>): number {
  let worst = 0;
  let power = 0;
  for (let k = 0; k < re.length; k++) {
    const error = im
      ? Math.hypot(actual[2 * k]! - re[k]!, actual[2 * k + 1]! - im[k]!)
      : Math.abs(actual[k]! - re[k]!);
    if (!(error <= worst)) worst = error;
    power += re[k]! ** 2 + (im ? im[k]! ** 2 : 0);
  }
  return worst / Math.sqrt(power / re.length);
}

const evens = (x: Float32Array) => x.filter((_, i) => i % 2 === 0);
const odds = (x: Float32Array) => x.filter((_, i) => i % 2 === 1);

const references = new Map<string, Spectrum>();

/** The transform of the same noise for every build. */
function reference(key: string, re: ArrayLike<number>, im: ArrayLike<number>): Spectrum {
  const known = references.get(key) ?? dft(re, im);
  references.set(key, known);
  return known;
}

/** The inverse transform of the same numbers, which is the transform backwards over n. */
function inverted({ re, im }: Spectrum): Spectrum {
  const backwards = (x: Float64Array) => x.map((_, i) => x[(x.length - i) % x.length]! / x.length);
  return { re: backwards(re), im: backwards(im) };
}

/** All bins of a real transform's half spectrum, the imaginary parts that it ignores taken as zero. */
function wholeSpectrum(half: Float32Array, n: number): Spectrum {
  const spectrum = { re: new Float64Array(n), im: new Float64Array(n) };
  for (let k = 0; k < n; k++) {
    const bin = Math.min(k, n - k);
    const im = bin === 0 || 2 * bin === n ? 0 : half[2 * bin + 1]!;
    spectrum.re[k] = half[2 * bin]!;
    spectrum.im[k] = bin === k ? im : -im;
  }
  return spectrum;
}

describe.each(KERNEL_BUILDS)(`createFft, $build (seed ${SEED})`, ({ threads, relaxed }) => {
  let core: Core;
  let pool: BufferPool<"f32">;

  beforeAll(async () => {
    core = await createCore({ threads, relaxed });
    pool = createBufferPool(core, { name: "spectra", dtype: "f32", shape: 2 * 8192 + 16, max: 3 });
  });

  /** What a direction makes of `x` through pooled views of their own; nothing may be written past it. */
  function run(fft: Fft, direction: "forward" | "inverse", x: Float32Array, count = 1): Float32Array {
    using input = pool.acquire();
    using output = pool.acquire();
    input.view.fill(Number.NaN);
    input.view.set(x);
    output.view.fill(CANARY);
    const length = count * (direction === "forward" ? fft.outputLength : fft.inputLength);
    expect(fft[direction](input.view, output.view, count)).toBe(count);
    expect(firstOther(output.view, CANARY, length), "written past the result").toBe(-1);
    expect(firstDifference(input.view.subarray(0, x.length), x), "the input").toBe(-1);
    return output.view.slice(0, length);
  }

  it.each(SIZES)("transforms %i complex points there and back", (size) => {
    const fft = createFft(core, { size, kind: "complex" });
    const x = whiteNoise(2 * size, SEED + size);
    const expected = reference(`complex ${size}`, evens(x), odds(x));
    const forward = run(fft, "forward", x);
    expect(worstError(forward, expected.re, expected.im), "forward").toBeLessThanOrEqual(LIMIT);
    const { re, im } = inverted(expected);
    expect(worstError(run(fft, "inverse", x), re, im), "inverse").toBeLessThanOrEqual(LIMIT);
    expect(worstError(run(fft, "inverse", forward), evens(x), odds(x)), "round trip").toBeLessThanOrEqual(
      2 * LIMIT,
    );
  });

  it.each(SIZES)("transforms %i real samples there and back", (size) => {
    const fft = createFft(core, { size, kind: "real" });
    const bins = Math.floor(size / 2) + 1;
    expect([fft.inputLength, fft.outputLength]).toEqual([size, 2 * bins]);
    const x = whiteNoise(size, SEED - size);
    const expected = reference(`real ${size}`, x, new Float32Array(size));
    const forward = run(fft, "forward", x);
    const error = worstError(forward, expected.re.subarray(0, bins), expected.im.subarray(0, bins));
    expect(error, "forward").toBeLessThanOrEqual(LIMIT);
    // Noise in every place, also in the imaginary parts that are to be ignored.
    const half = whiteNoise(2 * bins, SEED + size);
    const { re, im } = wholeSpectrum(half, size);
    const back = inverted(reference(`inverse ${size}`, re, im)).re;
    expect(worstError(run(fft, "inverse", half), back), "inverse").toBeLessThanOrEqual(LIMIT);
    expect(worstError(run(fft, "inverse", forward), x), "round trip").toBeLessThanOrEqual(2 * LIMIT);
  });

  it.each(SOME_SIZES.filter((size) => size <= 64))(
    "turns an impulse at any of %i places into its wave",
    (size) => {
      const complex = createFft(core, { size, kind: "complex" });
      const real = createFft(core, { size, kind: "real" });
      for (let at = 0; at < size; at++) {
        const cosine = Array.from({ length: size }, (_, k) =>
          Math.cos((2 * Math.PI * ((k * at) % size)) / size),
        );
        const sine = Array.from(
          { length: size },
          (_, k) => -Math.sin((2 * Math.PI * ((k * at) % size)) / size),
        );
        const x = new Float32Array(2 * size);
        x[2 * at] = 1;
        expect(worstError(run(complex, "forward", x), cosine, sine), `place ${at}`).toBeLessThanOrEqual(3e-7);
        const bins = Math.floor(size / 2) + 1;
        const spectrum = run(real, "forward", evens(x));
        const error = worstError(spectrum, cosine.slice(0, bins), sine.slice(0, bins));
        expect(error, `place ${at}, real`).toBeLessThanOrEqual(3e-7);
      }
    },
  );

  it.each(SOME_SIZES)("gives the same bits for several transforms of %i as for each alone", (size) => {
    for (const kind of KINDS) {
      const fft = createFft(core, { size, kind });
      for (const direction of ["forward", "inverse"] as const) {
        const from = direction === "forward" ? fft.inputLength : fft.outputLength;
        const to = direction === "forward" ? fft.outputLength : fft.inputLength;
        for (const count of [2, 3, 4, 5, 9]) {
          const x = whiteNoise(count * from, SEED + count);
          const together = run(fft, direction, x, count);
          for (let i = 0; i < count; i++) {
            const alone = run(fft, direction, x.slice(i * from, (i + 1) * from));
            const difference = firstDifference(together.subarray(i * to, (i + 1) * to), alone);
            expect(difference, `${kind} ${direction} ${i} of ${count}`).toBe(-1);
          }
        }
      }
    }
  });

  it.each(SOME_SIZES)("gives the same bits in place, %i points", (size) => {
    for (const kind of KINDS) {
      const fft = createFft(core, { size, kind });
      for (const count of kind === "complex" ? [1, 6] : [1]) {
        const x = whiteNoise(count * fft.inputLength, SEED);
        using lease = pool.acquire();
        lease.view.set(x);
        fft.forward(lease.view, lease.view, count);
        const inPlace = lease.view.subarray(0, count * fft.outputLength);
        expect(firstDifference(inPlace, run(fft, "forward", x, count)), kind).toBe(-1);
      }
      for (const count of [1, 6]) {
        const x = whiteNoise(count * fft.outputLength, SEED);
        using lease = pool.acquire();
        lease.view.set(x);
        fft.inverse(lease.view, lease.view, count);
        const inPlace = lease.view.subarray(0, count * fft.inputLength);
        expect(firstDifference(inPlace, run(fft, "inverse", x, count)), kind).toBe(-1);
      }
    }
  });

  const shapes = fc.record({
    size: fc.constantFrom(...SIZES.filter((size) => size <= 2048)),
    kind: fc.constantFrom(...KINDS),
    seed: fc.nat(1e6),
  });
  const runs = { seed: SEED, numRuns: 60 };

  it("is linear", () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: -8, max: 8 }), ({ size, kind, seed }, factor) => {
        const fft = createFft(core, { size, kind });
        const x = whiteNoise(fft.inputLength, seed);
        const y = whiteNoise(fft.inputLength, seed + 1);
        const sum = run(
          fft,
          "forward",
          x.map((value, i) => factor * value + y[i]!),
        );
        const ofX = run(fft, "forward", x);
        const parts = Float64Array.from(run(fft, "forward", y), (value, i) => factor * ofX[i]! + value);
        expect(
          worstError(sum, evens(Float32Array.from(parts)), odds(Float32Array.from(parts))),
        ).toBeLessThanOrEqual(4 * LIMIT);
      }),
      runs,
    );
  });

  it("keeps the energy (Parseval) and comes back", () => {
    fc.assert(
      fc.property(shapes, ({ size, kind, seed }) => {
        const fft = createFft(core, { size, kind });
        const x = whiteNoise(fft.inputLength, seed);
        const spectrum = run(fft, "forward", x);
        let energy = 0;
        for (let i = 0; i < spectrum.length; i += 2) {
          const bin = i / 2;
          const twice = kind === "real" && bin > 0 && 2 * bin < size;
          energy += (twice ? 2 : 1) * (spectrum[i]! ** 2 + spectrum[i + 1]! ** 2);
        }
        const expected = x.reduce((total, value) => total + value ** 2, 0);
        expect(Math.abs(energy / size / expected - 1)).toBeLessThanOrEqual(1e-6);
        expect(worstError(run(fft, "inverse", spectrum), x)).toBeLessThanOrEqual(2 * LIMIT);
      }),
      runs,
    );
  });
});

describe("KERNEL_BUILDS", () => {
  it("are all four builds of the core, each what it is called", async () => {
    expect(KERNEL_BUILDS).toHaveLength(4);
    const cores = await Promise.all(
      KERNEL_BUILDS.map(({ threads, relaxed }) => createCore({ threads, relaxed })),
    );
    expect(cores.map(({ threads, relaxed }) => ({ threads, relaxed }))).toEqual(
      KERNEL_BUILDS.map(({ threads, relaxed }) => ({ threads, relaxed })),
    );
  });
});

describe.each(KERNEL_BUILDS)("createFft, $build", ({ threads, relaxed }) => {
  let core: Core;
  let pool: BufferPool<"f32">;

  beforeAll(async () => {
    core = await createCore({ threads, relaxed });
    pool = createBufferPool(core, { name: "spectra", dtype: "f32", shape: 1024, max: 2 });
  });

  it("takes tables and scratch once a core, kind and size", () => {
    for (const size of [256, 250]) for (const kind of KINDS) createFft(core, { size, kind });
    const free = core.freeBytes();
    for (let i = 0; i < 100; i++) {
      for (const size of [256, 250]) for (const kind of KINDS) createFft(core, { size, kind });
    }
    expect(core.freeBytes()).toBe(free);
  });

  it("deduces how many transforms there are from the input", () => {
    const fft = createFft(core, { size: 64, kind: "real" });
    using input = pool.acquire();
    using output = pool.acquire();
    input.view.set(whiteNoise(1024, SEED));
    expect(fft.forward(input.view.subarray(0, 192), output.view)).toBe(3);
    expect(fft.inverse(output.view.subarray(0, 198), input.view.subarray(192))).toBe(3);
    const back = input.view.slice(192, 384);
    expect(worstError(back, input.view.slice(0, 192))).toBeLessThanOrEqual(2 * LIMIT);
  });

  it.each([
    [7, /size 7 has prime factors other than 2, 3 and 5; the nearest supported are 6 and 8/],
    [511, /the nearest supported are 500 and 512/],
    [8191, /the nearest supported are 8100 and 8192/],
    [0, /size is 0; give an integer from 1 to 8192/],
    [8193, /size is 8193/],
    [16384, /size is 16384/],
    [-4, /size is -4/],
    [2 ** 32 + 8, /size is 4294967304/],
    [1.5, /size is 1\.5/],
    [Number.NaN, /size is NaN/],
    ["512", /size is "512"/],
  ])("refuses a size of %s", (size, message) => {
    for (const kind of KINDS) {
      const run = () => createFft(core, { size: size as number, kind });
      expect(run).toThrow(InvalidArgumentError);
      expect(run).toThrow(message);
    }
  });

  it("refuses options and kinds that are none", () => {
    expect(() => createFft(core, 512 as never)).toThrow(/createFft: options are 512; give an object/);
    expect(() => createFft(core, { size: 512, kind: "cosine" as "real" })).toThrow(
      /kind is "cosine"; give "complex" or "real"/,
    );
  });

  it("reports a core that is too small for its tables", async () => {
    const small = await createCore({ threads, relaxed, memoryBytes: 128 * 1024 });
    const run = () => createFft(small, { size: 8192, kind: "complex" });
    expect(run).toThrow(CoreMemoryError);
    expect(run).toThrow(/complex transform of 8192 needs \d+ bytes, but only \d+/);
  });

  it("tells many views apart, in any order", () => {
    const size = 8;
    const fft = createFft(core, { size, kind: "real" });
    using input = pool.acquire();
    using output = pool.acquire();
    const views = Array.from({ length: 80 }, (_, i) => ({
      x: input.view.subarray(i * size, (i + 1) * size),
      y: output.view.subarray(i * fft.outputLength, (i + 1) * fft.outputLength),
    }));
    input.view.set(whiteNoise(80 * size, SEED));
    fft.forward(input.view, output.view, 80);
    const expected = views.map(({ y }) => y.slice());
    // In order, twice; backwards; by steps; one again and again.
    const orders = [
      (i: number) => i,
      (i: number) => i,
      (i: number) => 79 - i,
      (i: number) => (i * 33) % 80,
      () => 5,
    ];
    for (const [which, order] of orders.entries()) {
      output.view.fill(CANARY);
      for (let i = 0; i < 80; i++) {
        const { x, y } = views[order(i)]!;
        fft.forward(x, y, 1);
        expect(firstDifference(y, expected[order(i)]!), `order ${which}, view ${order(i)}`).toBe(-1);
      }
    }
  });

  it("refuses views of other types, of other memories and of wrong lengths", () => {
    const fft = createFft(core, { size: 64, kind: "real" });
    using input = pool.acquire();
    using output = pool.acquire();
    const x = input.view.subarray(0, 64);
    const refused = (run: () => number, message: RegExp) => {
      output.view.fill(CANARY);
      expect(run).toThrow(InvalidArgumentError);
      expect(run).toThrow(message);
      expect(output.view.every((value) => value === CANARY)).toBe(true);
    };
    refused(() => fft.forward(undefined as never, output.view), /input is undefined/);
    refused(() => fft.forward(new Float32Array(64), output.view), /input is a view of another memory/);
    refused(() => fft.forward(x, new Float32Array(66)), /output is a view of another memory/);
    refused(() => fft.forward([1] as never, output.view), /input is a Array/);
    refused(() => fft.forward(x, null as never), /output is null/);
    const doubles = new Float64Array(core.buffer as ArrayBuffer, input.view.byteOffset, 64);
    refused(() => fft.forward(doubles as never, output.view), /input is a Float64Array/);
    refused(
      () => fft.forward(input.view.subarray(0, 65), output.view),
      /holds 65 floats; give a multiple of 64/,
    );
    refused(
      () => fft.forward(input.view.subarray(0, 0), output.view),
      /holds 0 floats; give a multiple of 64/,
    );
    refused(() => fft.inverse(x, output.view), /holds 64 floats; give a multiple of 66/);
    refused(() => fft.forward(x, output.view, 2), /input holds 64 floats; 2 × 64 need 128/);
    refused(() => fft.forward(x, output.view.subarray(0, 65)), /output holds 65 floats; 1 × 66 need 66/);
    refused(
      () => fft.inverse(input.view, output.view.subarray(0, 127), 2),
      /output holds 127 floats; 2 × 64 need 128/,
    );
    for (const count of [0, -1, 1.5, Number.NaN, "2"]) {
      refused(
        () => fft.forward(input.view, output.view, count as number),
        /count is .*; give a positive integer/,
      );
    }
  });

  it("refuses views that overlap other than in place", () => {
    const fft = createFft(core, { size: 64, kind: "real" });
    using lease = pool.acquire();
    const { view } = lease;
    view.fill(CANARY);
    expect(() => fft.forward(view.subarray(0, 64), view.subarray(63))).toThrow(
      /overlap at byte \d+; give the same view/,
    );
    expect(() => fft.forward(view.subarray(65, 129), view)).toThrow(/overlap/);
    expect(() => fft.forward(view, view, 2)).toThrow(/2 spectra are longer than their samples/);
    expect(view.every((value) => value === CANARY)).toBe(true);
    expect(fft.forward(view.subarray(0, 64), view.subarray(64))).toBe(1);
    expect(fft.forward(view.subarray(66, 130), view)).toBe(1);
  });
});
