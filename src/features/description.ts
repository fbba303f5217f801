/** Window functions, by their usual names; `periodic` ones span a period, the others are symmetric. */
export type WindowName =
  | "rectangular"
  | "hann"
  | "hann-periodic"
  | "hamming"
  | "hamming-periodic"
  | "povey"
  | "blackman"
  | "blackman-periodic";

/**
 * What lies under a frame that reaches over the ends of a clip. With `"snip"` there is no such frame, frame 0 begins
 * with the first sample. Otherwise frames are centred: `"reflect"` mirrors the clip at its last sample, `"zero"`
 * puts silence there. `"mirror"` is Kaldi's: frames centred on whole hops, the last sample repeated in the mirror.
 */
export type FrameEdges = "snip" | "reflect" | "zero" | "mirror";

/** How a signal is cut into frames. */
export interface FrameShape {
  /** Samples under the window. */
  readonly length: number;
  /** Samples from one frame to the next. */
  readonly hop: number;
  /** Points of the transform: 2^a·3^b·5^c up to 8192, at least `length`. */
  readonly fft: number;
  readonly window: WindowName;
  readonly edges: FrameEdges;
  /** Samples of frame 0 before the first sample, where that does not follow from `edges`: samples / hop frames then, rounded up. */
  readonly left?: number;
  /** Whether the last centred frame is left out, so that there are samples / hop frames. Default false. */
  readonly dropLast?: boolean;
}

/** A bank of triangular filters. */
export interface MelBank {
  /** Number of filters. */
  readonly count: number;
  /** Slaney's scale (linear below 1 kHz) or HTK's, 2595 log10(1 + f / 700). */
  readonly scale: "slaney" | "htk";
  /** Triangles linear in Hz (librosa), in mels (Kaldi), or in Hz with both sides as steep as the rising one (SpeechBrain). */
  readonly triangles: "hz" | "mel" | "symmetric";
  /** Whether filters have unit area (librosa's norm "slaney") or unit height. */
  readonly norm: "slaney" | "none";
  /** Lowest frequency in Hz. */
  readonly low: number;
  /** Highest frequency in Hz; half the sample rate when it is 0. */
  readonly high: number;
}

/** The logarithm of the filters' sums: `factor` × ln(max(sum + guard, floor)) + `offset`. */
export interface LogScale {
  readonly factor: number;
  readonly offset: number;
  /** Least argument. */
  readonly floor: number;
  /** Added to the argument. Default 0. */
  readonly guard?: number;
}

/** Kaldi's log energy of each frame as one more feature. */
export interface EnergyFeature {
  readonly place: "first" | "last";
  /** Before pre-emphasis and window, or after. Default true. */
  readonly raw?: boolean;
  /** Energy to which lower ones are raised; 0 for none. Default 1, as torchaudio has it. */
  readonly floor?: number;
}

/** Normalisation of each feature over the frames of a clip or window. */
export interface FeatureNormalization {
  /** Mean to 0, or also the deviation to 1. */
  readonly kind: "mean" | "mean-and-deviation";
  /** Taken from the number of frames in the variance: 1 unbiased, 0 of the population. Default 1. */
  readonly degrees?: 0 | 1;
  /** Added to the variance, and to the deviation. Default 0. */
  readonly varianceGuard?: number;
  readonly deviationGuard?: number;
}

/** Stacking of frames at a lower rate. */
export interface FrameStacking {
  /** Frames in a vector, and from one vector to the next. */
  readonly frames: number;
  readonly step: number;
  /** How many of the first vector lie before the first frame, which stands for them. Default 0. */
  readonly left?: number;
  /** A last vector that lacks frames repeats the last frame (default) or is left out. */
  readonly incomplete?: "repeat" | "drop";
}

/**
 * A front end: everything that turns samples into the input of a model. The presets are such objects; for another
 * one take the nearest and change what differs: `{ ...PRESETS["kaldi-80"], mel: { … } }`.
 */
export interface FrontEndDescription {
  /** Name for messages and statistics. */
  readonly name: string;
  /** Samples a second that it expects. */
  readonly sampleRate: number;
  /** Factor on the samples: 32768 for models made with 16-bit integers. Default 1. */
  readonly scale?: number;
  /** Left out for models that take the samples as they are. */
  readonly frame?: FrameShape;
  /** Seeded noise on every frame, in units of the scaled samples (Kaldi's dither). Off by default. */
  readonly dither?: { readonly amount: number; readonly seed: number };
  /** Whether the mean of each frame is taken from it. Default false. */
  readonly removeDc?: boolean;
  /** y[n] = x[n] - coefficient × x[n - 1], along the signal or within each frame. */
  readonly preEmphasis?: { readonly coefficient: number; readonly over: "signal" | "frame" };
  /** Powers (2, the default) or magnitudes (1) of the bins. */
  readonly power?: 1 | 2;
  /** Left out for frames of samples as they are. */
  readonly mel?: MelBank;
  readonly log?: LogScale;
  readonly energy?: EnergyFeature;
  /** Features are raised to the greatest of the clip less this. */
  readonly range?: number;
  /** Cepstra: this many coefficients of the orthonormal DCT-II over the mels. */
  readonly cepstra?: number;
  /** Normalisation over the frames of a clip, or of the window read from a stream. */
  readonly normalize?: FeatureNormalization;
  readonly stacking?: FrameStacking;
  /** Global mean and variance normalisation of each (stacked) feature: (x + shift) × scale. */
  readonly cmvn?: { readonly shift: Float32Array; readonly scale: Float32Array };
  /** [features × frames], or [frames × features]. */
  readonly layout: "mel-major" | "frame-major";
  /** Samples to which clips are padded with silence when `pad` is asked for. */
  readonly padTo?: number;
}
