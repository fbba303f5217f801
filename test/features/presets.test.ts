import { beforeAll, describe, expect, it } from "vitest";
import { PRESETS, type PresetName } from "../../src/index.ts";
import { KERNEL_BUILDS } from "../reference/builds.ts";
import { whiteNoise } from "../reference/signals.ts";
import { worstError, worstNearPeak, worstShare } from "./compare.ts";
import { REFERENCES } from "./preset-references.ts";
import { createWorkbench, realSpeech, sampleSpeech, signals, type Workbench } from "./workbench.ts";

const SEED = 11;

interface Limits {
  speech: number;
  noise: number;
  chirp: number;
  /** Silence and an impulse, which cancel nowhere. */
  still: number;
  measure?: (actual: Float32Array, expected: Float64Array) => number;
}

/**
 * Greatest absolute errors. Behind each the worst that was measured on the four builds, on the sample and two
 * recordings, and what the float32 of the reference implementation has on speech and noise where it was measured.
 */
const LIMITS: Record<PresetName, Limits> = {
  // 2.9e-5, 3.3e-6, 4.1e-5; torch 4.7e-5 on noise, 5.3e-5 on sweeps. More in test/log-mel.test.ts.
  "whisper-80": { speech: 3e-5, noise: 1e-5, chirp: 5e-5, still: 1e-6 },
  "whisper-128": { speech: 3e-5, noise: 1e-5, chirp: 5e-5, still: 1e-6 },
  // 1.3e-3, 2.3e-5; sweeps see below.
  "kaldi-23": { speech: 2e-3, noise: 1e-4, chirp: 0.05, still: 1e-5 },
  "kaldi-40": { speech: 2e-3, noise: 1e-4, chirp: 0.05, still: 1e-5 },
  // 2.0e-3, 2.0e-4; torchaudio 3e-3, 2.7e-4.
  "kaldi-80": { speech: 3e-3, noise: 2.7e-4, chirp: 0.1, still: 2e-5 },
  // 3.5e-3 plain, 1.2e-3 relaxed, both a single value 102 dB below the peak of its frame; 1.3e-4. torchaudio 2.9e-3, 5e-4.
  sensevoice: { speech: 4e-3, noise: 5e-4, chirp: 4e-3, still: 2e-5 },
  paraformer: { speech: 4e-3, noise: 5e-4, chirp: 4e-3, still: 2e-5 },
  wespeaker: { speech: 4e-3, noise: 5e-4, chirp: 4e-3, still: 2e-5 },
  // 2.1e-4, 1.2e-4, 3.7e-4; NeMo 2.5e-4, 1.9e-4.
  "nemo-80": { speech: 2.5e-4, noise: 1.9e-4, chirp: 5e-4, still: 5e-6 },
  "nemo-128": { speech: 2.5e-4, noise: 1.9e-4, chirp: 5e-4, still: 5e-6 },
  // In dB. 1.1e-3 (5.5e-4 on the sample), 2.5e-5, 1.2e-3; speechbrain 1e-3, 2e-4.
  ecapa: { speech: 1.2e-3, noise: 2e-4, chirp: 2e-3, still: 1e-5 },
  // 7.4e-4, 1.0e-4, 2.2e-1: deviations of noise of roundings; transformers 1.3e-3 on speech.
  "seamless-m4t": { speech: 1.3e-3, noise: 2e-4, chirp: 0.3, still: 5e-6 },
  // Of the greatest value. 1.7e-7, 2.6e-7; librosa 3e-7.
  librosa: { speech: 3e-7, noise: 3e-7, chirp: 3e-7, still: 4e-7, measure: worstShare },
  // In dB. 6.2e-4, 3.7e-6, 1.5e-3; in torch's float32 6e-4.
  "librosa-db": { speech: 7e-4, noise: 1e-5, chirp: 2e-3, still: 1e-5 },
  // 2.2e-4, 1.3e-5, 2.4e-4, values of 1000; librosa 1.8e-4 on speech.
  "librosa-mfcc": { speech: 2.5e-4, noise: 5e-5, chirp: 4e-4, still: 1e-4 },
  // 4.7e-7, 6e-8; transformers 1e-6. An impulse becomes 77, whose rounding is 2.7e-6.
  wav2vec2: { speech: 1e-6, noise: 2e-7, chirp: 2e-7, still: 4e-6 },
  moonshine: { speech: 0, noise: 0, chirp: 0, still: 0 },
  silero: { speech: 0, noise: 0, chirp: 0, still: 0 },
};
const NAMES = Object.keys(LIMITS) as PresetName[];
/** Short clips: frames mirrored at both ends are symmetric, and their spectra cross zero often. Times the limit on noise. */
const SHORT = 10;

const expectations = new Map<string, Float64Array>();

function expectation(name: PresetName, signal: string, samples: Float32Array): Float64Array {
  const key = `${name} ${signal}`;
  const known = expectations.get(key) ?? REFERENCES[name](samples);
  expectations.set(key, known);
  return known;
}

const kindOf = (signal: string): "speech" | "noise" | "chirp" | "still" => {
  if (signal.startsWith("noise")) return "noise";
  if (signal === "chirp") return "chirp";
  return signal === "silence" || signal === "impulse" ? "still" : "speech";
};

let clips: Record<string, Float32Array>;

beforeAll(async () => {
  clips = { sample: await sampleSpeech(), ...Object.fromEntries(await realSpeech()), ...signals(SEED) };
});

it("has a limit and a reference for every preset", () => {
  expect(NAMES.toSorted()).toEqual(Object.keys(PRESETS).toSorted());
  expect(Object.keys(REFERENCES).toSorted()).toEqual(Object.keys(PRESETS).toSorted());
});

describe.each(KERNEL_BUILDS)(
  "presets against the float64 references, $build (seed 11)",
  ({ threads, relaxed }) => {
    let bench: Workbench;

    beforeAll(async () => {
      bench = await createWorkbench({ threads, relaxed });
    });

    const without = (name: PresetName) =>
      "padTo" in PRESETS[name] ? { preset: name, pad: false } : { preset: name };

    it.each(NAMES)("%s", (name) => {
      const { measure = worstError, ...limits } = LIMITS[name];
      for (const [signal, samples] of Object.entries(clips)) {
        const expected = expectation(name, signal, samples);
        const error = measure(bench.compute(without(name), samples), expected);
        expect(error, signal).toBeLessThanOrEqual(limits[kindOf(signal)]);
      }
    });

    it.each(NAMES)("%s of short clips", (name) => {
      const { measure = worstError, noise } = LIMITS[name];
      for (const length of [1, 2, 64, 159, 160, 201, 399, 400, 401, 513, 560, 719, 720, 1040, 1500]) {
        const signal = `noise of ${length}`;
        const samples = whiteNoise(length, SEED + length);
        const expected = expectation(name, signal, samples);
        if (expected.length === 0) {
          expect(bench.frontEnd(without(name)).frames(length), signal).toBe(0);
          continue;
        }
        const error = measure(bench.compute(without(name), samples), expected);
        expect(error, signal).toBeLessThanOrEqual(SHORT * noise);
      }
    });

    /**
     * A full-scale sweep is where the greatest and the least of a frame are furthest apart. torchaudio's float32 is
     * 2.1 off with Povey's window and samples of ±32768, 1.1e-3 within 80 dB of the frame's peak; here 8e-4.
     */
    it.each(["kaldi-23", "kaldi-40", "kaldi-80", "sensevoice"] as const)(
      "%s of a sweep, within 80 dB of the frame's peak",
      (name) => {
        const samples = clips.chirp!;
        const width = PRESETS[name].mel!.count;
        const error = worstNearPeak(
          bench.compute(without(name), samples),
          expectation(name, "chirp", samples),
          width,
        );
        expect(error).toBeLessThanOrEqual(1.1e-3);
      },
    );

    it("SenseVoice's single frames are as near on speech: all but the faintest values", () => {
      const error = worstNearPeak(
        bench.compute({ preset: "sensevoice" }, clips.sample!),
        expectation("sensevoice", "sample", clips.sample!),
        80,
      );
      expect(error).toBeLessThanOrEqual(6e-4); // 4.9e-4
    });
  },
);
