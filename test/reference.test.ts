import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type KaldiFbankOptions, kaldiFbank } from "./reference/kaldi-fbank.ts";
import { amMvnText, applyLfr, seededCmvn, wavFrontend } from "./reference/lfr.ts";
import { type MelspectrogramOptions, melspectrogram, mfcc, powerToDb } from "./reference/librosa.ts";
import { filterBank, referenceLogMel } from "./reference/log-mel.ts";
import { HTK, KALDI, kaldiFilters, librosaFilters, SLANEY } from "./reference/mel-filters.ts";
import { nemoMel } from "./reference/nemo-mel.ts";
import { seamlessFbank } from "./reference/seamless-fbank.ts";
import { seededNoise, whiteNoise } from "./reference/signals.ts";
import { powerSpectrum, type ReferenceFeatures, sampleAt } from "./reference/spectrum.ts";
import { speechbrainFbank, speechbrainFilters } from "./reference/speechbrain-fbank.ts";
import { zeroMeanUnitVariance } from "./reference/waveform.ts";
import { type WindowName, windowOf } from "./reference/windows.ts";

/** What oracle.py kept of a library's result: its shape, every step-th value, and sums over all of them. */
interface Kept {
  shape: [number, number];
  sum: number;
  squares: number;
  step: number;
  values: number[];
}
const { versions, ...oracle } = JSON.parse(
  readFileSync(new URL("./reference/oracle.json", import.meta.url), "utf8"),
) as { versions: Record<string, string> } & Record<string, Kept>;

/** Noise in steps of loudness, off centre at first, with a silence: `signal` of oracle.py. */
function oracleSignal(length: number): Float32Array {
  const next = seededNoise(7);
  return Float32Array.from({ length }, (_, i) => {
    const value = next();
    const step = Math.floor(i / 600);
    return step === 3 || step === 4 ? 0 : value * 2 ** (-(step % 5) * 3) + (i < 2000 ? 0.125 : 0);
  });
}

const short = oracleSignal(5000);
const long = oracleSignal(9001);
const times = (x: Float32Array, factor: number) => Float64Array.from(x, (value) => value * factor);
const fbank = (options: KaldiFbankOptions = {}) => kaldiFbank(short, options);
const povey: KaldiFbankOptions = { numMelBins: 80, windowType: "povey" };
const bare = { preemphasisCoefficient: 0, removeDcOffset: false, roundToPowerOfTwo: false };
const small: MelspectrogramOptions = { sr: 16000, nFft: 512, hopLength: 160, winLength: 400, nMels: 64 };
const whole: MelspectrogramOptions = { sr: 16000, nFft: 400, hopLength: 160, nMels: 40 };

/** Each case of oracle.py as the references say it, and whether their layout is [features × frames]. */
const CASES: Record<string, () => ReferenceFeatures> = {
  kaldi: () => fbank(),
  "kaldi 80 times 32768": () => kaldiFbank(times(short, 32768), povey),
  "kaldi 80 mirrored": () => fbank({ ...povey, snipEdges: false }),
  "kaldi shift over length": () => fbank({ frameLength: 20, frameShift: 24, snipEdges: false }),
  "kaldi energy last": () =>
    fbank({
      numMelBins: 40,
      windowType: "hamming",
      useEnergy: true,
      htkCompat: true,
      rawEnergy: false,
      energyFloor: 0,
    }),
  "kaldi energy first": () => fbank({ useEnergy: true, windowType: "hanning", subtractMean: true }),
  "kaldi magnitudes": () =>
    fbank({ windowType: "rectangular", usePower: false, useLogFbank: false, lowFreq: 64, highFreq: -400 }),
  "kaldi bare": () => fbank({ ...bare, windowType: "blackman", highFreq: 7000 }),
  "kaldi 8 kHz": () => fbank({ sampleFrequency: 8000, numMelBins: 40 }),
  lfr: () => wavFrontend(long, { cmvn: seededCmvn(560, 3) }),
  "lfr without cmvn": () => wavFrontend(long),
  "nemo 80": () => nemoMel(short),
  "nemo 128": () => nemoMel(long, { nfilt: 128 }),
  "nemo 80 reflected": () => nemoMel(short, { padMode: "reflect", seqLenOffset: 1 }),
  "nemo 80 not normalised": () => nemoMel(short, { normalize: null }),
  librosa: () => melspectrogram(long),
  "librosa short window": () =>
    melspectrogram(short, { ...small, window: "hamming", padMode: "reflect", fmin: 20, fmax: 7600 }),
  "librosa htk": () => melspectrogram(short, { ...whole, htk: true, norm: null, power: 1 }),
  "librosa not centred": () =>
    melspectrogram(short, { ...whole, center: false, norm: Number.POSITIVE_INFINITY, window: "blackman" }),
  "librosa edge": () =>
    melspectrogram(short, { sr: 16000, nFft: 1023, hopLength: 200, nMels: 30, padMode: "edge", norm: 1 }),
  "librosa dB": () => powerToDb(melspectrogram(long, { sr: 16000 })),
  "librosa dB of max": () => powerToDb(melspectrogram(short, whole), { ref: "max", topDb: 30, amin: 1e-7 }),
  "librosa mfcc": () => mfcc(long),
  "librosa mfcc 13": () => mfcc(short, { nMfcc: 13, ...small }),
  speechbrain: () => speechbrainFbank(short),
  "speechbrain 40": () => speechbrainFbank(short, { nMels: 40, sentenceMeanNorm: false }),
  seamless: () => seamlessFbank(short),
  wav2vec2: () => zeroMeanUnitVariance(short),
};

describe(`float64 references against ${JSON.stringify(versions)}`, () => {
  it("cover every case", () => {
    expect(Object.keys(CASES).sort()).toEqual(Object.keys(oracle).sort());
  });

  it.each(Object.keys(CASES))("%s", (name) => {
    const { shape, sum, squares, step, values } = oracle[name]!;
    const { data, frames, features } = CASES[name]!();
    const rowsAreFeatures = /^(nemo|librosa|wav2vec2)/.test(name);
    expect(rowsAreFeatures ? [features, frames] : [frames, features]).toEqual(shape);
    const kept = data.filter((_, i) => i % step === 0);
    expect(kept.length).toBe(values.length);
    for (const [i, value] of kept.entries())
      expect(Math.abs(value - values[i]!) / Math.max(1, Math.abs(value)), `value ${i * step}`).toBeLessThan(
        1e-9,
      );
    const size = data.reduce((total, x) => total + Math.abs(x), 0);
    expect(Math.abs(data.reduce((total, x) => total + x, 0) - sum) / size).toBeLessThan(1e-10);
    expect(data.reduce((total, x) => total + x * x, 0) / squares).toBeCloseTo(1, 9);
  });
});

describe("powerSpectrum", () => {
  it.each([1, 2, 7, 12, 60, 97, 256, 400, 512, 1023])("is the DFT's of %i points", (size) => {
    const frame = whiteNoise(size, size);
    const powers = powerSpectrum(size)(frame);
    expect(powers.length).toBe(Math.floor(size / 2) + 1);
    for (let k = 0; k < powers.length; k++) {
      let re = 0;
      let im = 0;
      for (let i = 0; i < size; i++) {
        const phase = (2 * Math.PI * ((i * k) % size)) / size;
        re += frame[i]! * Math.cos(phase);
        im += frame[i]! * Math.sin(phase);
      }
      expect(Math.abs(powers[k]! - (re * re + im * im)), `bin ${k}, seed ${size}`).toBeLessThan(1e-11 * size);
    }
  });
});

describe("windows", () => {
  const NAMES: WindowName[] = ["hann", "hamming", "blackman", "povey", "rectangular"];

  it.each(NAMES)("%s: the symmetric one is its own mirror image, the periodic one the head of it", (name) => {
    const symmetric = windowOf(name, 401, false);
    const periodic = windowOf(name, 400, true);
    for (let i = 0; i < 401; i++) expect(symmetric[i]).toBeCloseTo(symmetric[400 - i]!, 14);
    for (let i = 0; i < 400; i++) expect(periodic[i]).toBeCloseTo(symmetric[i]!, 14);
    expect(symmetric[200]).toBeCloseTo(1, 14);
  });
});

describe("mel filters", () => {
  it.each([
    ["slaney", SLANEY],
    ["htk", HTK],
    ["kaldi", KALDI],
  ] as const)("%s scale: back from mels come the same hertz", (_, scale) => {
    for (const hz of [0, 20, 440, 999.9, 1000, 4000, 8000])
      expect(scale.toHz(scale.toMel(hz))).toBeCloseTo(hz, 9);
  });

  it.each([80, 128])("librosa's are those of Whisper's reference, %i of them", (nMels) => {
    const bank = librosaFilters({
      sr: 16000,
      nFft: 400,
      nMels,
      fmin: 0,
      fmax: 8000,
      htk: false,
      norm: "slaney",
    });
    for (const [m, weights] of filterBank(nMels).entries())
      for (const [k, weight] of weights.entries()) expect(Math.fround(bank[m]![k]!)).toBeCloseTo(weight, 9);
  });

  it("Kaldi's add up to 1 between the first and the last centre", () => {
    const bank = kaldiFilters({
      sampleFrequency: 16000,
      nFft: 512,
      numMelBins: 80,
      lowFreq: 20,
      highFreq: 0,
    });
    const sums = bank[0]!.map((_, k) => bank.reduce((sum, weights) => sum + weights[k]!, 0));
    for (let k = 2; k < 245; k++) expect(sums[k]).toBeCloseTo(1, 12);
    expect(sums[0]).toBe(0);
    expect(sums[256]).toBe(0);
  });

  it("speechbrain's are as wide above the centre as below, and so end before the next one", () => {
    const bank = speechbrainFilters({ sampleRate: 16000, nFft: 16000, nMels: 10, fMin: 0, fMax: 8000 });
    const centres = bank.map((weights) => weights.indexOf(Math.max(...weights)));
    for (const [m, weights] of bank.entries()) {
      const first = weights.findIndex((x) => x > 0);
      const last = weights.findLastIndex((x) => x > 0);
      expect(Math.abs(first + last - 2 * centres[m]!)).toBeLessThanOrEqual(1);
      expect(last).toBeLessThan((centres[m + 1] ?? 8000) - 20);
    }
  });
});

describe("Kaldi filter bank", () => {
  it("adds the noise of each frame before anything else", () => {
    const samples = whiteNoise(1200, 1);
    const noise = (t: number, i: number) => samples[t * 160 + i]!;
    const zeros = new Float32Array(1200);
    expect(kaldiFbank(zeros, { noise })).toEqual(kaldiFbank(samples));
    expect(kaldiFbank(zeros).data.every((x) => x === Math.log(2 ** -23))).toBe(true);
  });

  it("mirrors a signal shorter than a frame, or gives nothing", () => {
    const samples = whiteNoise(100, 2);
    expect(kaldiFbank(samples).frames).toBe(0);
    const longer = Float32Array.from({ length: 1000 }, (_, i) => sampleAt(samples, i - 400, "symmetric"));
    const options = { snipEdges: false, frameLength: 25 };
    const mirrored = kaldiFbank(samples, options);
    expect(mirrored.frames).toBe(1);
    const start = 400 - 120;
    expect(mirrored.data).toEqual(kaldiFbank(longer.subarray(start, start + 400)).data);
  });
});

describe("low frame rate", () => {
  it.each([
    [1, [[0, 0, 0, 0, 0, 0, 0]]],
    [
      7,
      [
        [0, 0, 0, 0, 1, 2, 3],
        [3, 4, 5, 6, 6, 6, 6],
      ],
    ],
    [
      12,
      [
        [0, 0, 0, 0, 1, 2, 3],
        [3, 4, 5, 6, 7, 8, 9],
      ],
    ],
  ])("of %i frames", (frames, rows) => {
    const data = Float64Array.from({ length: frames * 2 }, (_, i) => Math.floor(i / 2));
    const stacked = applyLfr({ data, frames, features: 2 }, 7, 6);
    expect(stacked.features).toBe(14);
    expect([...stacked.data]).toEqual(rows.flat().flatMap((x) => [x, x]));
  });

  it("repeats (m - 1) / 2 frames, rounded down, before the first", () => {
    const { data } = applyLfr({ data: Float64Array.of(0, 1, 2), frames: 3, features: 1 }, 4, 2);
    expect([...data]).toEqual([0, 0, 1, 2, 1, 2, 2, 2]);
  });

  it("has an am.mvn as FunASR's load_cmvn takes it apart", () => {
    const cmvn = seededCmvn(560, 4);
    const lines = amMvnText(cmvn).split("\n");
    const numbersUnder = (tag: string) => {
      const words = lines[lines.findIndex((line) => line.startsWith(tag)) + 1]!.split(/\s+/);
      expect(words[0]).toBe("<LearnRateCoef>");
      return words.slice(3, -1).map(Number);
    };
    expect(numbersUnder("<AddShift>")).toEqual(cmvn.shift);
    expect(numbersUnder("<Rescale>")).toEqual(cmvn.scale);
  });
});

describe("others", () => {
  it("Whisper's log-mel comes out of the librosa reference too", () => {
    const samples = whiteNoise(16000, 5);
    const { data, frames } = melspectrogram(samples, {
      ...whole,
      nMels: 80,
      padMode: "reflect",
    });
    expect(frames).toBe(101);
    const logs = data.filter((_, i) => i % 101 < 100).map((x) => Math.log10(Math.max(x, 1e-10)));
    const top = Math.max(...logs);
    const expected = referenceLogMel(samples, 80);
    for (const [i, x] of logs.entries())
      expect(Math.abs((Math.max(x, top - 8) + 4) / 4 - expected[i]!)).toBeLessThan(1e-7);
  });

  it("NeMo: mean 0 and deviation 1 over the valid frames, zeros behind; one frame alone is 0", () => {
    const { data, frames, features, validFrames } = nemoMel(whiteNoise(8000, 6));
    expect([frames, features, validFrames]).toEqual([51, 80, 50]);
    for (let m = 0; m < 80; m++) {
      const row = data.subarray(m * 51, m * 51 + 50);
      expect(row.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 9);
      expect(row.reduce((sum, x) => sum + x * x, 0) / 49).toBeCloseTo(1, 3);
      expect(data[m * 51 + 50]).toBe(0);
    }
    expect(nemoMel(whiteNoise(200, 7)).data.every((x) => x === 0)).toBe(true);
  });

  it("SeamlessM4T: a padded row does not count as valid", () => {
    expect(seamlessFbank(short)).toMatchObject({ frames: 15, features: 160, validFrames: 14 });
    expect(seamlessFbank(short.subarray(0, 4840))).toMatchObject({ frames: 14, validFrames: 14 });
    const padded = seamlessFbank(short, { paddingValue: 1 });
    expect(padded.data.subarray(-80).every((x) => x === 1)).toBe(true);
  });

  it("wav2vec2: silence and constants stay finite", () => {
    expect(zeroMeanUnitVariance(new Float32Array(100)).data.every((x) => x === 0)).toBe(true);
    expect(zeroMeanUnitVariance(new Float32Array(100).fill(0.5)).data.every((x) => x === 0)).toBe(true);
  });
});
