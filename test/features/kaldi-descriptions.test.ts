import { beforeAll, describe, expect, it } from "vitest";
import { type FrontEndDescription, PRESETS } from "../../src/index.ts";
import { KERNEL_BUILDS } from "../reference/builds.ts";
import { type KaldiFbankOptions, kaldiFbank } from "../reference/kaldi-fbank.ts";
import { seededNoise, whiteNoise } from "../reference/signals.ts";
import type { ReferenceFeatures } from "../reference/spectrum.ts";
import { firstDifference, worstError, worstShare } from "./compare.ts";
import { asIntegers } from "./preset-references.ts";
import { createWorkbench, sampleSpeech, type Workbench } from "./workbench.ts";

const SEED = 31;
const KALDI: FrontEndDescription = PRESETS["kaldi-80"];
const FRAME = KALDI.frame!;
const MEL = KALDI.mel!;
/** torchaudio's own distance from float64, see presets.test.ts: speech, and noise in integers with a Hamming window. */
const SPEECH_LIMIT = 3e-3;
const NOISE_LIMIT = 5e-4;

type Case = [
  name: string,
  change: Partial<FrontEndDescription>,
  options: KaldiFbankOptions,
  noiseLimit?: number,
];

const bare: FrontEndDescription = { ...KALDI };
for (const key of ["removeDc", "preEmphasis", "log"] as const) delete bare[key];

const CASES: Case[] = [
  ["energy first", { energy: { place: "first" } }, { useEnergy: true }],
  ["energy last, htk_compat", { energy: { place: "last" } }, { useEnergy: true, htkCompat: true }],
  [
    "energy after the window",
    { energy: { place: "first", raw: false } },
    { useEnergy: true, rawEnergy: false },
  ],
  [
    "energy without a floor, last",
    { energy: { place: "last", raw: false, floor: 0 } },
    { useEnergy: true, htkCompat: true, rawEnergy: false, energyFloor: 0 },
  ],
  ["an energy floor of 30", { energy: { place: "first", floor: 30 } }, { useEnergy: true, energyFloor: 30 }],
  ["mirrored edges", { frame: { ...FRAME, edges: "mirror" } }, { snipEdges: false }],
  ["a Hamming window", { frame: { ...FRAME, window: "hamming" } }, { windowType: "hamming" }],
  // One bin of this noise lies 86 dB below the peak: 1.7e-3 off here, 4.6e-4 in numpy's float32, the next 2e-5.
  ["a Hann window", { frame: { ...FRAME, window: "hann" } }, { windowType: "hanning" }, 2e-3],
  ["a Blackman window", { frame: { ...FRAME, window: "blackman" } }, { windowType: "blackman" }],
  ["a rectangular window", { frame: { ...FRAME, window: "rectangular" } }, { windowType: "rectangular" }],
  ["a band", { mel: { ...MEL, low: 64, high: 7600 } }, { lowFreq: 64, highFreq: -400 }],
  [
    "few filters",
    { mel: { ...MEL, count: 5, low: 300, high: 3400 } },
    { numMelBins: 5, lowFreq: 300, highFreq: 3400 },
  ],
  ["the mean subtracted", { normalize: { kind: "mean" } }, { subtractMean: true }],
  [
    "the mean of energies subtracted too",
    { normalize: { kind: "mean" }, energy: { place: "last" } },
    { subtractMean: true, useEnergy: true, htkCompat: true },
  ],
  ["no removal of the mean", { removeDc: false }, { removeDcOffset: false }],
  [
    "other pre-emphasis",
    { preEmphasis: { coefficient: 0.5, over: "frame" } },
    { preemphasisCoefficient: 0.5 },
  ],
  ["a transform as long as the frame", { frame: { ...FRAME, fft: 400 } }, { roundToPowerOfTwo: false }],
  [
    "frames of 64 ms every 32",
    { frame: { ...FRAME, length: 1024, hop: 512, fft: 1024 } },
    { frameLength: 64, frameShift: 32 },
  ],
  [
    "8 kHz",
    { sampleRate: 8000, frame: { ...FRAME, length: 200, hop: 80, fft: 256 }, mel: { ...MEL, count: 40 } },
    { sampleFrequency: 8000, numMelBins: 40 },
  ],
  [
    "a shift over the length",
    { frame: { ...FRAME, length: 320, hop: 384, edges: "mirror" } },
    { frameLength: 20, frameShift: 24, snipEdges: false },
  ],
  ["frames in rows", { layout: "mel-major" }, {}],
];

const expectations = new Map<string, ReferenceFeatures>();

/** The reference for a case, made once for all builds. */
function expectation(key: string, samples: ArrayLike<number>, options: KaldiFbankOptions): ReferenceFeatures {
  const known = expectations.get(key) ?? kaldiFbank(samples, { numMelBins: 80, ...options });
  expectations.set(key, known);
  return known;
}

describe.each(KERNEL_BUILDS)("Kaldi filter banks otherwise, $build (seed 31)", ({ threads, relaxed }) => {
  let bench: Workbench;
  let clips: [name: string, samples: Float32Array][];

  beforeAll(async () => {
    bench = await createWorkbench({ threads, relaxed });
    const speech = (await sampleSpeech()).subarray(16000, 32000);
    const noise = whiteNoise(5000, SEED);
    clips = [
      ["speech", speech],
      ["noise", noise],
      ["quiet noise", noise.map((x) => x * 1e-4)],
    ];
  });

  it.each(CASES)("%s", (what, change, options, noiseLimit = NOISE_LIMIT) => {
    for (const scale of [1, 32768]) {
      for (const [name, samples] of clips) {
        const limit = name === "speech" ? SPEECH_LIMIT : noiseLimit;
        const scaled = Float64Array.from(samples, (x) => x * scale);
        const { data, frames, features } = expectation(`${what} ${name} ${scale}`, scaled, options);
        const description = { ...KALDI, scale, ...change };
        const actual = bench.compute({ preset: description }, samples);
        const expected =
          description.layout === "frame-major"
            ? data
            : data.map((_x, i) => data[(i % frames) * features + Math.floor(i / frames)]!);
        expect(worstError(actual, expected), `${name} × ${scale}`).toBeLessThanOrEqual(limit);
      }
    }
  });

  it("magnitudes without logarithm, pre-emphasis and removal of the mean", () => {
    for (const [name, samples] of clips) {
      const { data } = kaldiFbank(samples, {
        numMelBins: 80,
        usePower: false,
        useLogFbank: false,
        removeDcOffset: false,
        preemphasisCoefficient: 0,
      });
      expect(
        worstShare(bench.compute({ preset: { ...bare, power: 1 } }, samples), data),
        name,
      ).toBeLessThanOrEqual(5e-7);
    }
  });

  /**
   * An offset of 0.5 beside noise at -60 dB. In float32 the sum of a frame's samples has roundings as loud as the
   * noise: features are off by 7.0e-2 then. A float32 mean added up in halves, as numpy's is, gives 3.7e-3.
   */
  it("an offset does not drown quiet sound", () => {
    const samples = whiteNoise(8000, SEED).map((x) => 0.5 + x * 1e-3);
    const { data } = kaldiFbank(asIntegers(samples), { numMelBins: 80 });
    const actual = bench.compute({ preset: { ...KALDI, scale: 32768 } }, samples);
    expect(worstError(actual, data)).toBeLessThanOrEqual(4e-3);
  });
});

describe.each(KERNEL_BUILDS)("dither, $build", ({ threads, relaxed }) => {
  const dithered = (amount: number, seed: number): FrontEndDescription => ({
    ...KALDI,
    scale: 32768,
    energy: { place: "last", floor: 0 },
    dither: { amount, seed },
  });
  const silence = new Float32Array(64000);
  let bench: Workbench;

  beforeAll(async () => {
    bench = await createWorkbench({ threads, relaxed });
  });

  /** Mean and deviation of every `width`-th value from `from` on. */
  function moments(
    values: ArrayLike<number>,
    from: number,
    width: number,
  ): { mean: number; deviation: number } {
    const picked = Array.from(values).filter((_, i) => i % width === from);
    const mean = picked.reduce((sum, x) => sum + x, 0) / picked.length;
    const variance = picked.reduce((sum, x) => sum + (x - mean) ** 2, 0) / picked.length;
    return { mean, deviation: Math.sqrt(variance) };
  }

  it("is normal noise of the amount in units of the scaled samples, another in each frame (seed 31)", () => {
    const next = seededNoise(SEED);
    const uniform = () => (next() + 1) / 2 + 2 ** -33;
    const noise = () => 3 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const options = { numMelBins: 80, useEnergy: true, htkCompat: true, energyFloor: 0, noise };
    const expected = kaldiFbank(silence, options).data;
    const actual = bench.compute({ preset: dithered(3, 9) }, silence);
    expect(actual.length).toBe(expected.length);
    // 398 frames: a mean of a mel's logarithms is within some 0.06 of the true one, of the energies within 0.004.
    for (const mel of [0, 20, 40, 60, 79]) {
      const [ours, theirs] = [moments(actual, mel, 81), moments(expected, mel, 81)];
      expect(Math.abs(ours.mean - theirs.mean), `mel ${mel}`).toBeLessThan(0.3);
      expect(ours.deviation / theirs.deviation, `mel ${mel}`).toBeGreaterThan(0.7);
      expect(ours.deviation / theirs.deviation, `mel ${mel}`).toBeLessThan(1.4);
    }
    const energy = moments(actual, 80, 81);
    expect(Math.abs(energy.mean - Math.log(9 * 399))).toBeLessThan(0.02);
    expect(energy.deviation).toBeGreaterThan(0.8 * Math.sqrt(2 / 399));
    expect(energy.deviation).toBeLessThan(1.25 * Math.sqrt(2 / 399));
    // Frames share no noise, though they share samples.
    const first = Array.from({ length: 397 }, (_, t) => actual[t * 81 + 80]! - energy.mean);
    const products = first.slice(1).reduce((sum, x, t) => sum + x * first[t]!, 0);
    expect(Math.abs(products / 396 / energy.deviation ** 2)).toBeLessThan(0.25);
  });

  it("is the same for the same seed and another for another", () => {
    const one = bench.compute({ preset: dithered(1, 1) }, silence);
    expect(firstDifference(bench.compute({ preset: dithered(1, 1) }, silence), one)).toBe(-1);
    const other = bench.compute({ preset: dithered(1, 2) }, silence);
    expect(other.filter((x, i) => x === one[i]).length).toBeLessThan(one.length / 1000);
  });

  it("of nothing changes nothing", () => {
    const samples = whiteNoise(3000, SEED);
    const { dither: _, ...without } = dithered(0, 1);
    const undithered = bench.compute({ preset: without }, samples);
    expect(firstDifference(bench.compute({ preset: dithered(0, 1) }, samples), undithered)).toBe(-1);
  });

  it("is heard in padding too", () => {
    const samples = whiteNoise(3000, SEED);
    const padded = new Float32Array(8000);
    padded.set(samples);
    const description = { ...dithered(1, 5), padTo: 8000 };
    const expected = bench.compute({ preset: description, pad: false }, padded);
    expect(firstDifference(bench.compute({ preset: description }, samples), expected)).toBe(-1);
  });
});
