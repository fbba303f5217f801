import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type FeatureStream, type FrontEnd, type FrontEndOptions, poolStatistics } from "../../src/index.ts";
import { KERNEL_BUILDS } from "../reference/builds.ts";
import { seededNoise, whiteNoise } from "../reference/signals.ts";
import { firstDifference } from "./compare.ts";
import { descriptionOf, FRAMED, single } from "./front-ends.ts";
import { createWorkbench, type Workbench } from "./workbench.ts";

const SEED = 71;

/** Lengths of blocks that make up `length` samples: all 128, all 1, or random ones from 1 to 5000. */
function blocks(length: number, kind: number | "random", seed: number): number[] {
  const next = seededNoise(seed);
  const sizes: number[] = [];
  for (let left = length; left > 0; ) {
    const size = kind === "random" ? 1 + Math.floor((next() + 1) * 2500) : kind;
    sizes.push(Math.min(size, left));
    left -= size;
  }
  return sizes;
}

function pushAll(stream: FeatureStream, samples: Float32Array, sizes: number[]): number {
  let at = 0;
  let frames = 0;
  for (const size of sizes) {
    frames += stream.push(samples.subarray(at, at + size));
    at += size;
  }
  return frames;
}

/** Samples left of the first in frame 0, by the definitions in description.ts. */
function leftOf(options: FrontEndOptions): number {
  const { length, hop, fft, edges, left } = descriptionOf(options).frame!;
  if (left !== undefined) return left;
  if (edges === "snip") return 0;
  if (edges === "mirror") return Math.floor(length / 2) - Math.floor(hop / 2);
  return Math.floor(fft / 2) - Math.floor((fft - length) / 2);
}

/** How many samples complete frame `t`: all under it, and those that it mirrors before the beginning. */
function samplesFor(options: FrontEndOptions, t: number): number {
  const { length, hop, edges, dropLast, left } = descriptionOf(options).frame!;
  const start = t * hop - leftOf(options);
  let needed = start + length;
  if (start < 0 && edges === "reflect") needed = Math.max(needed, 1 - start);
  if (start < 0 && edges === "mirror") needed = Math.max(needed, -start);
  // The last frame is no frame of the result: another must have begun.
  if (dropLast && left === undefined) needed = Math.max(needed, (t + 1) * hop);
  return needed;
}

/** How many frames or stacked vectors `samples` samples complete. */
function complete(options: FrontEndOptions, samples: number): number {
  let frames = 0;
  while (samplesFor(options, frames) <= samples) frames++;
  const { stacking } = descriptionOf(options);
  if (!stacking) return frames;
  let vectors = 0;
  while (vectors * stacking.step - (stacking.left ?? 0) + stacking.frames <= frames) vectors++;
  return vectors;
}

/** Frames `first` to `first` + `count` of features, one after the other, whatever the layout of the front end. */
function slice(made: FrontEnd, features: Float32Array, first: number, count: number): Float32Array {
  const width = made.features;
  if (made.description.layout === "frame-major")
    return features.slice(first * width, (first + count) * width);
  const frames = features.length / width;
  const part = new Float32Array(count * width);
  for (let t = 0; t < count; t++)
    for (let m = 0; m < width; m++) part[t * width + m] = features[m * frames + first + t]!;
  return part;
}

/** The same as rows. */
function rowsOf(made: FrontEnd, features: Float32Array, first: number, count: number): number[][] {
  const part = slice(made, features, first, count);
  const { features: width } = made;
  return Array.from({ length: count }, (_, t) => [...part.subarray(t * width, (t + 1) * width)]);
}

describe.each(KERNEL_BUILDS)("streams, $build (seed 71)", ({ threads, relaxed }) => {
  let bench: Workbench;

  beforeAll(async () => {
    bench = await createWorkbench({ threads, relaxed });
  });

  afterEach(() => {
    for (const pool of poolStatistics(bench.core)) expect(pool.inUse, pool.name).toBe(0);
  });

  function read(stream: FeatureStream, width: number, first?: number, count?: number): Float32Array {
    using out = bench.features.acquire();
    const frames = stream.read(out.view, first, count);
    return out.view.slice(0, width * frames);
  }

  it.each(Object.keys(FRAMED))(
    "%s: the whole clip after flush is what compute gives, bit for bit",
    (name) => {
      const options = FRAMED[name]!;
      const made = bench.frontEnd(options);
      for (const length of [1, 7, 100, 160, 201, 399, 400, 401, 560, 1037, 2500, 6000]) {
        const samples = whiteNoise(length, SEED + length);
        const vectors = made.frames(length);
        const expected = vectors > 0 ? bench.compute(options, samples) : new Float32Array(0);
        using stream = made.stream();
        for (const kind of ["random", 128, 1] as const) {
          if (kind === 1 && length > 1500) continue;
          stream.reset();
          const message = `${length} samples, blocks ${kind}, seed ${SEED + length}`;
          const pushed = pushAll(stream, samples, blocks(length, kind, SEED + length));
          expect(pushed, message).toBe(stream.frames);
          expect(pushed + stream.flush(), message).toBe(vectors);
          expect(stream.flush(), message).toBe(0);
          expect([stream.frames, stream.samples], message).toEqual([vectors, length]);
          expect(firstDifference(read(stream, made.features), expected), message).toBe(-1);
        }
      }
    },
  );

  it.each(Object.keys(FRAMED))("%s: frames come with the sample that completes them", (name) => {
    const options = FRAMED[name]!;
    const { length, hop, fft } = descriptionOf(options).frame!;
    const stacked = descriptionOf(options).stacking?.frames ?? 1;
    const most = fft + (stacked + 2) * hop + length;
    using stream = bench.frontEnd(options).stream();
    const one = new Float32Array(1);
    const wrong: string[] = [];
    for (let n = 1; n <= most; n++) {
      const before = stream.frames;
      const more = stream.push(one);
      const due = complete(options, n);
      if (stream.frames !== due || more !== due - before) wrong.push(`${stream.frames} at ${n}, not ${due}`);
    }
    expect(wrong).toEqual([]);
    expect(stream.frames).toBeGreaterThan(0);
  });

  it.each(Object.keys(FRAMED))("%s: a short history wraps and keeps the latest frames", (name) => {
    const options = single(FRAMED[name]!);
    const { stacking } = descriptionOf(FRAMED[name]!);
    const kept = stacking ? { ...options, preset: { ...descriptionOf(options), stacking } } : options;
    const made = bench.frontEnd({ ...kept, pad: false });
    const { hop } = made.description.frame!;
    const samples = whiteNoise(40 * hop, SEED);
    const whole = bench.compute({ ...kept, pad: false }, samples);
    const next = seededNoise(SEED);
    using stream = made.stream({ frames: 5 });
    let at = 0;
    while (at < samples.length) {
      const size = Math.min(samples.length - at, 1 + Math.floor((next() + 1) * 2 * hop));
      stream.push(samples.subarray(at, at + size));
      at += size;
      const { frames, firstFrame } = stream;
      const message = `seed ${SEED}, ${at} samples, frames ${firstFrame} to ${frames}`;
      expect(frames - firstFrame, message).toBeGreaterThanOrEqual(Math.min(5, frames));
      const latest = slice(made, read(stream, made.features), 0, frames - firstFrame);
      const expected = slice(made, whole, firstFrame, frames - firstFrame);
      expect(firstDifference(latest, expected), message).toBe(-1);
      if (frames < 2) continue;
      const first = frames - 1 - Math.floor(((next() + 1) / 2) * Math.min(4, frames - 1));
      const count = 1 + Math.floor(((next() + 1) / 2) * (frames - first - 1));
      const some = slice(made, read(stream, made.features, first, count), 0, count);
      expect(firstDifference(some, slice(made, whole, first, count)), message).toBe(-1);
      expect(() => read(stream, made.features, firstFrame - 1, 1)).toThrow(/are asked for; there are/);
      expect(() => read(stream, made.features, firstFrame, frames - firstFrame + 1)).toThrow(/are asked for/);
    }
    stream.flush();
    expect(stream.frames - stream.firstFrame).toBeGreaterThanOrEqual(5);
    const { frames, firstFrame } = stream;
    const rest = slice(made, read(stream, made.features), 0, frames - firstFrame);
    expect(firstDifference(rest, slice(made, whole, firstFrame, frames - firstFrame))).toBe(-1);
  });

  it("a window is normalised over its own frames", () => {
    const samples = whiteNoise(8000, SEED).map((x, i) => x * 2 ** -(i / 700));
    for (const name of ["whisper-80", "nemo-80", "ecapa", "wespeaker", "librosa-db"]) {
      const options = { ...FRAMED[name]!, ...(name.startsWith("whisper") ? { pad: false } : {}) };
      const made = bench.frontEnd(options);
      const plain = bench.frontEnd(single(options));
      using stream = made.stream();
      using bare = plain.stream();
      stream.push(samples);
      bare.push(samples);
      const windows: [number, number][] = [
        [0, 1],
        [0, stream.frames],
        [3, 5],
        [stream.frames - 4, 4],
      ];
      for (const [first, count] of windows) {
        const rows = rowsOf(plain, read(bare, plain.features, first, count), 0, count);
        const expected = finished(rows, made.description);
        const actual = rowsOf(made, read(stream, made.features, first, count), 0, count);
        for (const [t, row] of expected.entries())
          for (const [m, value] of row.entries())
            expect(
              Math.abs(actual[t]![m]! - value),
              `${name} ${first} ${count}: frame ${t}, ${m}`,
            ).toBeLessThan(2e-5);
      }
    }
  });

  it("stacked vectors of a window reach back before it, and are normalised over the frames under them", () => {
    const samples = whiteNoise(12000, SEED);
    const frames = bench.frontEnd(single(FRAMED.sensevoice!));
    const base = rowsOf(frames, bench.compute(single(FRAMED.sensevoice!), samples), 0, 73);
    using sense = bench.frontEnd(FRAMED.sensevoice!).stream();
    sense.push(samples);
    expect([...read(sense, 560, 5, 1)]).toEqual(base.slice(27, 34).flat());

    const made = bench.frontEnd(FRAMED["seamless-m4t"]!);
    const plain = bench.frontEnd(single(FRAMED["seamless-m4t"]!));
    const single80 = rowsOf(plain, bench.compute(single(FRAMED["seamless-m4t"]!), samples), 0, 73);
    using stream = made.stream();
    stream.push(samples);
    const window = rowsOf(made, read(stream, 160, 4, 6), 0, 6);
    const rows = finished(single80.slice(8, 20), made.description);
    for (let i = 0; i < 6; i++)
      for (const [m, value] of [...rows[2 * i]!, ...rows[2 * i + 1]!].entries())
        expect(Math.abs(window[i]![m]! - value), `vector ${i}, ${m}`).toBeLessThan(1e-5);
  });

  it("go on side by side", () => {
    const next = seededNoise(SEED);
    const runs = [
      "whisper-80, not padded",
      "kaldi-80",
      "kaldi-80",
      "sensevoice",
      "nemo-128",
      "silero",
      "librosa-mfcc",
    ].map((name, i) => {
      const options = FRAMED[name]!;
      const samples = whiteNoise(7000 + 311 * i, SEED + i);
      return { options, samples, stream: bench.frontEnd(options).stream(), at: 0 };
    });
    while (runs.some(({ at, samples }) => at < samples.length)) {
      const run = runs[Math.floor(((next() + 1) / 2) * runs.length)]!;
      const size = Math.min(run.samples.length - run.at, 1 + Math.floor((next() + 1) * 500));
      if (size === 0) continue;
      run.stream.push(run.samples.subarray(run.at, run.at + size));
      run.at += size;
    }
    for (const { options, samples, stream } of runs) {
      stream.flush();
      const { features } = bench.frontEnd(options);
      expect(firstDifference(read(stream, features), bench.compute(options, samples)), `seed ${SEED}`).toBe(
        -1,
      );
      stream.close();
    }
  });
});

/** Range and normalisation over rows of frames, in float64. */
function finished(rows: number[][], description: FrontEnd["description"]): number[][] {
  const { range, normalize } = description;
  const peak = Math.max(...rows.flat());
  const raised = range === undefined ? rows : rows.map((row) => row.map((x) => Math.max(x, peak - range)));
  if (!normalize) return raised;
  const { degrees = 1, varianceGuard = 0, deviationGuard = 0 } = normalize;
  const n = raised.length;
  const columns = raised[0]!.map((_, m) => {
    const mean = raised.reduce((sum, row) => sum + row[m]!, 0) / n;
    const squares = raised.reduce((sum, row) => sum + (row[m]! - mean) ** 2, 0);
    const variance = n > degrees ? squares / (n - degrees) : 0;
    const divisor = normalize.kind === "mean" ? 1 : Math.sqrt(variance + varianceGuard) + deviationGuard;
    return { mean, divisor };
  });
  return raised.map((row) => row.map((x, m) => (x - columns[m]!.mean) / columns[m]!.divisor));
}
