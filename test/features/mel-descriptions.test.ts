import { beforeAll, describe, expect, it } from "vitest";
import {
  createBufferPool,
  createCore,
  createFrontEnd,
  type FrontEndDescription,
  InvalidArgumentError,
  PRESETS,
  parseCmvn,
} from "../../src/index.ts";
import { KERNEL_BUILDS } from "../reference/builds.ts";
import { kaldiFbank } from "../reference/kaldi-fbank.ts";
import { amMvnText, seededCmvn, wavFrontend } from "../reference/lfr.ts";
import { type MelspectrogramOptions, melspectrogram, mfcc, powerToDb } from "../reference/librosa.ts";
import { nemoMel } from "../reference/nemo-mel.ts";
import { whiteNoise } from "../reference/signals.ts";
import { speechbrainFbank } from "../reference/speechbrain-fbank.ts";
import { worstError, worstShare } from "./compare.ts";
import { validPart } from "./preset-references.ts";
import { createWorkbench, type Workbench } from "./workbench.ts";

const SEED = 51;
const noise = whiteNoise(9000, SEED);

const librosa = (
  fft: number,
  hop: number,
  change: Partial<FrontEndDescription> = {},
): FrontEndDescription => ({
  ...PRESETS.librosa,
  ...change,
  frame: { ...PRESETS.librosa.frame, length: fft, fft, hop, ...change.frame },
});
const MEL = PRESETS.librosa.mel;

type LibrosaCase = [name: string, description: FrontEndDescription, options: MelspectrogramOptions];

const LIBROSA: LibrosaCase[] = [
  ...[243, 480, 625, 1000, 1125, 2048, 3125, 4096, 8192].map(
    (fft): LibrosaCase => [
      `${fft} points`,
      librosa(fft, Math.ceil(fft / 4), { mel: { ...MEL, count: 20 } }),
      { nFft: fft, hopLength: Math.ceil(fft / 4), nMels: 20 },
    ],
  ),
  // Odd transforms: a clip of a whole number of hops has a frame less.
  [
    "225 points every 45",
    librosa(225, 45, { mel: { ...MEL, count: 10 } }),
    { nFft: 225, hopLength: 45, nMels: 10 },
  ],
  [
    "HTK's scale",
    librosa(1024, 256, { mel: { ...MEL, scale: "htk" } }),
    { nFft: 1024, hopLength: 256, htk: true },
  ],
  [
    "no norm",
    librosa(1024, 256, { mel: { ...MEL, norm: "none" } }),
    { nFft: 1024, hopLength: 256, norm: null },
  ],
  ["magnitudes", librosa(1024, 256, { power: 1 }), { nFft: 1024, hopLength: 256, power: 1 }],
  [
    "a band",
    librosa(1024, 256, { mel: { ...MEL, count: 40, low: 125, high: 7500 } }),
    { nFft: 1024, hopLength: 256, nMels: 40, fmin: 125, fmax: 7500 },
  ],
  [
    "a window shorter than the transform",
    librosa(1024, 200, { frame: { ...PRESETS.librosa.frame, fft: 1024, hop: 200, length: 601 } }),
    { nFft: 1024, hopLength: 200, winLength: 601 },
  ],
  [
    "an odd transform of a short window",
    librosa(675, 100, {
      mel: { ...MEL, count: 20 },
      frame: { ...PRESETS.librosa.frame, fft: 675, hop: 100, length: 400, edges: "reflect" },
    }),
    { nFft: 675, hopLength: 100, winLength: 400, nMels: 20, padMode: "reflect" },
  ],
  [
    "reflected edges, Hamming",
    librosa(1024, 256, {
      frame: { length: 1024, hop: 256, fft: 1024, window: "hamming-periodic", edges: "reflect" },
    }),
    { nFft: 1024, hopLength: 256, padMode: "reflect", window: "hamming" },
  ],
  [
    "a hop as long as the transform, Blackman",
    librosa(512, 512, {
      mel: { ...MEL, count: 40 },
      frame: { length: 512, hop: 512, fft: 512, window: "blackman-periodic", edges: "zero" },
    }),
    { nFft: 512, hopLength: 512, nMels: 40, window: "blackman" },
  ],
];

describe.each(KERNEL_BUILDS)("other mel spectrograms, $build (seed 51)", ({ threads, relaxed }) => {
  let bench: Workbench;

  beforeAll(async () => {
    bench = await createWorkbench({ threads, relaxed });
  });

  /** librosa's float32 is 3e-7 of the greatest value off with 2048 points; filters of hundreds of bins add up more. */
  it.each(LIBROSA)("librosa: %s", (_, preset, options) => {
    const { data } = melspectrogram(noise, options);
    const actual = bench.compute({ preset, onWarning: () => {} }, noise);
    expect(worstShare(actual, data)).toBeLessThanOrEqual(7e-7);
  });

  it("librosa: cepstra of other numbers", () => {
    const description = { ...librosa(512, 160, { mel: { ...MEL, count: 64 } }), sampleRate: 16000 };
    const { log, range } = PRESETS["librosa-db"];
    const options = { sr: 16000, nFft: 512, hopLength: 160, nMels: 64 };
    for (const cepstra of [1, 13, 64]) {
      const { data } = mfcc(noise, { ...options, nMfcc: cepstra });
      expect(
        worstError(bench.compute({ preset: { ...description, log, range, cepstra } }, noise), data),
      ).toBeLessThan(1e-4);
    }
    const { data } = powerToDb(melspectrogram(noise, options), { topDb: 20, amin: 1e-7 });
    const preset = { ...description, log: { ...log, floor: 1e-7 }, range: 20 };
    expect(worstError(bench.compute({ preset }, noise), data)).toBeLessThan(2e-5);
  });

  /** NeMo's own float32 is 1.9e-4 off on noise. */
  it("NeMo: reflected edges, the last frame kept, no normalisation", () => {
    const nemo = PRESETS["nemo-80"];
    const reflected = { ...nemo, frame: { ...nemo.frame!, edges: "reflect" } as const };
    const mirrored = validPart(nemoMel(noise, { padMode: "reflect" }));
    expect(worstError(bench.compute({ preset: reflected }, noise), mirrored)).toBeLessThan(1.9e-4);
    const whole = { ...reflected, frame: { ...reflected.frame, dropLast: false } };
    const all = validPart(nemoMel(noise, { padMode: "reflect", seqLenOffset: 1 }));
    expect(worstError(bench.compute({ preset: whole }, noise), all)).toBeLessThan(1.9e-4);
    const { normalize: _, ...plain } = nemo;
    const unnormalised = validPart(nemoMel(noise, { normalize: null }));
    expect(worstError(bench.compute({ preset: plain }, noise), unnormalised)).toBeLessThan(2.7e-4);
  });

  it("NeMo: padding is the silence of its guard, not of a zero", () => {
    const { normalize: _, ...plain } = PRESETS["nemo-80"];
    const padded = new Float32Array(20000);
    padded.set(noise);
    const actual = bench.compute({ preset: { ...plain, padTo: 20000 } }, noise);
    expect(worstError(actual, validPart(nemoMel(padded, { normalize: null })))).toBeLessThan(2.7e-4);
    expect(actual[124]).toBeCloseTo(-24 * Math.LN2, 5);
    const normalised = bench.compute({ preset: { ...PRESETS["nemo-80"], padTo: 20000 } }, noise);
    expect(worstError(normalised, validPart(nemoMel(padded)))).toBeLessThan(1.9e-4);
  });

  it("Kaldi: padding has the energy of silence", () => {
    const padded = new Float32Array(12000);
    padded.set(noise);
    const preset = { ...PRESETS["kaldi-80"], energy: { place: "first" }, padTo: 12000 } as const;
    const { data } = kaldiFbank(padded, { numMelBins: 80, useEnergy: true });
    expect(worstError(bench.compute({ preset }, noise), data)).toBeLessThan(2.7e-4);
  });

  it("speechbrain: 40 mels, 8 kHz, without the mean", () => {
    const { normalize: _, ...ecapa } = PRESETS.ecapa;
    const preset: FrontEndDescription = {
      ...ecapa,
      sampleRate: 8000,
      frame: { ...ecapa.frame, length: 200, hop: 80, fft: 256 },
      mel: { ...ecapa.mel, count: 40, high: 4000 },
    };
    const options = { sampleRate: 8000, nFft: 256, nMels: 40, sentenceMeanNorm: false };
    expect(worstError(bench.compute({ preset }, noise), speechbrainFbank(noise, options).data)).toBeLessThan(
      2e-4,
    );
  });

  it("SenseVoice with the normalisation of its am.mvn", () => {
    const given = seededCmvn(560, SEED);
    const preset = { ...PRESETS.sensevoice, cmvn: parseCmvn(amMvnText(given)) };
    const { data } = wavFrontend(noise, { cmvn: given });
    // The scales are 0.1 to 0.3 of an error of 5e-4, which torch's float32 has.
    expect(worstError(bench.compute({ preset }, noise), data)).toBeLessThan(1.5e-4);
  });

  it("raw audio: scaled, with its mean taken out, with other guards", () => {
    const raw = { name: "raw", sampleRate: 16000, layout: "frame-major" } as const;
    const scaled = bench.compute({ preset: { ...raw, scale: 32768 } }, noise);
    expect(
      worstError(
        scaled,
        noise.map((x) => x * 32768),
      ),
    ).toBe(0);
    const mean = noise.reduce((sum, x) => sum + x, 0) / noise.length;
    const centred = bench.compute({ preset: { ...raw, normalize: { kind: "mean" } } }, noise);
    expect(
      worstError(
        centred,
        Float64Array.from(noise, (x) => x - mean),
      ),
    ).toBeLessThan(1e-7);
    const still = new Float32Array(100).fill(0.25);
    const constant = { ...raw, normalize: { kind: "mean-and-deviation" } } as const;
    expect(bench.compute({ preset: constant }, still).every((x) => x === 0)).toBe(true);
  });
});

describe.each(KERNEL_BUILDS)("logarithms of any floor, $build", ({ threads, relaxed }) => {
  it.each([1e-3, 1e-6, 1e-10, 0.5, 1])(
    "give exactly the logarithm of the floor %d for silence",
    async (floor) => {
      const core = await createCore({ threads, relaxed });
      const preset = {
        ...PRESETS["kaldi-80"],
        name: "floor",
        log: { factor: 10 / Math.LN10, offset: 0, floor },
      };
      using out = createBufferPool(core, { name: "out", dtype: "f32", shape: 80, max: 1 }).acquire();
      createFrontEnd(core, { preset }).compute(new Float32Array(400), out.view);
      const expected = Math.fround((10 / Math.LN10) * Math.log(floor)) + 0;
      expect(out.view.every((x) => x === expected)).toBe(true);
    },
  );
});

describe("parseCmvn", () => {
  it("reads an am.mvn, with and without learning rates", () => {
    const given = seededCmvn(560, SEED);
    const { shift, scale } = parseCmvn(amMvnText(given));
    expect(shift).toEqual(Float32Array.from(given.shift));
    expect(scale).toEqual(Float32Array.from(given.scale));
    const bare = "<AddShift> 2 2\n[ -1 2.5e0 ]\n<Rescale> 2 2\n[1\n 3 ]";
    expect(parseCmvn(bare)).toEqual({ shift: Float32Array.of(-1, 2.5), scale: Float32Array.of(1, 3) });
  });

  it.each([
    [undefined, /the file is undefined; give its text/],
    ["", /no <AddShift>/],
    ["<AddShift> 1 1 [ 1 ]", /no <Rescale>/],
    ["<AddShift> 1 1 <Rescale> 1 1 [ 1 ]", /nothing in brackets after <AddShift>/],
    ["<AddShift> 1 1 [ ] <Rescale> 1 1 [ 1 ]", /nothing in brackets after <AddShift>/],
    ["<AddShift> 1 1 [ 1 ] <Rescale> 1 1 [ 1", /nothing in brackets after <Rescale>/],
    ["<AddShift> 1 1 [ 1 x ] <Rescale> 2 2 [ 1 2 ]", /"x" after <AddShift>/],
    ["<AddShift> 1 1 [ 1 ] <Rescale> 2 2 [ 1 NaN ]", /"NaN" after <Rescale>/],
    ["<AddShift> 1 1 [ 1 ] <Rescale> 2 2 [ 1 2 ]", /<AddShift> has 1 numbers, <Rescale> 2/],
  ])("refuses %j", (text, message) => {
    expect(() => parseCmvn(text as string)).toThrow(InvalidArgumentError);
    expect(() => parseCmvn(text as string)).toThrow(message);
  });
});
