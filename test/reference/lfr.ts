import { type KaldiFbankOptions, kaldiFbank } from "./kaldi-fbank.ts";
import { seededNoise } from "./signals.ts";
import type { ReferenceFeatures } from "./spectrum.ts";

/** Means with their sign turned and reciprocals of deviations, one for each of the stacked features. */
export interface Cmvn {
  shift: ArrayLike<number>;
  scale: ArrayLike<number>;
}

export interface WavFrontendOptions extends KaldiFbankOptions {
  lfrM?: number;
  lfrN?: number;
  cmvn?: Cmvn;
  /** FunASR spells it `upsacle_samples`. */
  upscaleSamples?: boolean;
}

/**
 * WavFrontend of SenseVoice and Paraformer, [frames × (bins · lfrM)]: samples times 32768, Kaldi filter bank
 * of 80 with a Hamming window, frames stacked, (x + shift) · scale
 * (https://github.com/modelscope/FunASR/blob/main/funasr/frontends/wav_frontend.py; lfr_m 7 and lfr_n 6 are
 * in the models' config.yaml). Its random dither is the caller's `noise`, in samples of ±32768.
 */
export function wavFrontend(samples: ArrayLike<number>, options: WavFrontendOptions = {}): ReferenceFeatures {
  const { lfrM = 7, lfrN = 6, cmvn, upscaleSamples = true, ...fbank } = options;
  const scaled = Float64Array.from(samples, (x) => (upscaleSamples ? x * 32768 : x));
  const features = kaldiFbank(scaled, { numMelBins: 80, windowType: "hamming", energyFloor: 0, ...fbank });
  const stacked = applyLfr(features, lfrM, lfrN);
  return cmvn ? applyCmvn(stacked, cmvn) : stacked;
}

/**
 * Low frame rate: row i holds frames i · n - (m - 1) / 2 and the m - 1 after it, one behind the other; before
 * the first frame that one is repeated, behind the last the last. There are ceil(frames / n) rows.
 */
export function applyLfr(input: ReferenceFeatures, m: number, n: number): ReferenceFeatures {
  const left = Math.floor((m - 1) / 2);
  const frames = Math.ceil(input.frames / n);
  const features = input.features * m;
  const data = new Float64Array(frames * features);
  for (let i = 0; i < frames; i++) {
    for (let j = 0; j < m; j++) {
      const t = Math.min(Math.max(i * n + j - left, 0), input.frames - 1);
      data.set(
        input.data.subarray(t * input.features, (t + 1) * input.features),
        i * features + j * input.features,
      );
    }
  }
  return { data, frames, features };
}

/** (x + shift) · scale, feature by feature. */
export function applyCmvn(input: ReferenceFeatures, { shift, scale }: Cmvn): ReferenceFeatures {
  const data = input.data.map((x, i) => {
    const f = i % input.features;
    return (x + shift[f]!) * scale[f]!;
  });
  return { ...input, data };
}

/** Numbers of the size a model has: shifts of -8 to -16, scales of 0.1 to 0.3, with six decimals. */
export function seededCmvn(size: number, seed: number): { shift: number[]; scale: number[] } {
  const next = seededNoise(seed);
  const rounded = (x: number) => Number(x.toFixed(6));
  return {
    shift: Array.from({ length: size }, () => rounded(-12 + 4 * next())),
    scale: Array.from({ length: size }, () => rounded(0.2 + 0.1 * next())),
  };
}

/** The text of an am.mvn, Kaldi's nnet format as FunASR's models come with it. */
export function amMvnText({ shift, scale }: Cmvn): string {
  const numbers = (values: ArrayLike<number>) => Array.from(values, String).join(" ");
  const size = shift.length;
  return [
    "<Nnet> ",
    `<Splice> ${size} ${size} `,
    "[ 0 ]",
    `<AddShift> ${size} ${size} `,
    `<LearnRateCoef> 0 [ ${numbers(shift)} ]`,
    `<Rescale> ${size} ${size} `,
    `<LearnRateCoef> 0 [ ${numbers(scale)} ]`,
    "</Nnet> ",
    "",
  ].join("\n");
}
