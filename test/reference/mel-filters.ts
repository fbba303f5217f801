/** Mel scales and triangular filter banks in float64, [filters][bins of nFft / 2 + 1]. */
export interface MelScale {
  toMel(hz: number): number;
  toHz(mel: number): number;
}

const LOG_STEP = Math.log(6.4) / 27;

/** Slaney's Auditory Toolbox: linear to 1 kHz, 15 mels there, then 27 steps to 6.4 kHz (librosa's default). */
export const SLANEY: MelScale = {
  toMel: (hz) => (hz < 1000 ? (hz * 3) / 200 : 15 + Math.log(hz / 1000) / LOG_STEP),
  toHz: (mel) => (mel < 15 ? (mel * 200) / 3 : 1000 * Math.exp(LOG_STEP * (mel - 15))),
};

/** The HTK book's: 2595 log10(1 + f / 700), as librosa (htk=True) and speechbrain write it. */
export const HTK: MelScale = {
  toMel: (hz) => 2595 * Math.log10(1 + hz / 700),
  toHz: (mel) => 700 * (10 ** (mel / 2595) - 1),
};

/** Kaldi's: 1127 ln(1 + f / 700), feat/mel-computations.h. */
export const KALDI: MelScale = {
  toMel: (hz) => 1127 * Math.log(1 + hz / 700),
  toHz: (mel) => 700 * (Math.exp(mel / 1127) - 1),
};

/** `count` points from a to b, both included, as numpy.linspace. */
export function evenly(a: number, b: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => a + ((b - a) * i) / (count - 1));
}

export interface LibrosaMelOptions {
  sr: number;
  nFft: number;
  nMels: number;
  fmin: number;
  fmax: number;
  htk: boolean;
  /** "slaney" divides by half the width in Hz; a number is a vector norm over each filter; null leaves it. */
  norm: "slaney" | number | null;
}

/**
 * librosa.filters.mel (librosa/filters.py): triangles straight in Hz between corners even in mels, all
 * nFft / 2 + 1 bins. librosa stores the weights as float32; here they stay float64.
 */
export function librosaFilters(options: LibrosaMelOptions): Float64Array[] {
  const { sr, nFft, nMels, norm } = options;
  const scale = options.htk ? HTK : SLANEY;
  const corners = evenly(scale.toMel(options.fmin), scale.toMel(options.fmax), nMels + 2).map(scale.toHz);
  const length = Math.floor(nFft / 2) + 1;
  return Array.from({ length: nMels }, (_, m) => {
    const [lower, centre, upper] = [corners[m]!, corners[m + 1]!, corners[m + 2]!];
    const weights = Float64Array.from({ length }, (_, bin) => {
      const hz = (bin * sr) / nFft;
      return Math.max(0, Math.min((hz - lower) / (centre - lower), (upper - hz) / (upper - centre)));
    });
    const size = norm === "slaney" ? (upper - lower) / 2 : norm === null ? 1 : vectorNorm(weights, norm);
    return weights.map((x) => x / size);
  });
}

/** The p-norm; 1 for a vector of zeros, which librosa.util.normalize leaves as it is. */
function vectorNorm(weights: Float64Array, p: number): number {
  const size =
    p === Number.POSITIVE_INFINITY
      ? Math.max(...weights)
      : weights.reduce((sum, x) => sum + x ** p, 0) ** (1 / p);
  return size === 0 ? 1 : size;
}

export interface KaldiMelOptions {
  sampleFrequency: number;
  nFft: number;
  numMelBins: number;
  lowFreq: number;
  /** Not above zero: as far below half the sampling frequency. */
  highFreq: number;
}

/**
 * torchaudio compliance/kaldi.py get_mel_banks, Kaldi feat/mel-computations.cc: triangles straight in mels,
 * of height 1. The bin of half the sampling frequency is not counted.
 */
export function kaldiFilters(options: KaldiMelOptions): Float64Array[] {
  const { sampleFrequency, nFft, numMelBins } = options;
  const nyquist = sampleFrequency / 2;
  const low = KALDI.toMel(options.lowFreq);
  const high = KALDI.toMel(options.highFreq > 0 ? options.highFreq : options.highFreq + nyquist);
  const step = (high - low) / (numMelBins + 1);
  return Array.from({ length: numMelBins }, (_, m) => {
    const [lower, centre, upper] = [low + m * step, low + (m + 1) * step, low + (m + 2) * step];
    return Float64Array.from({ length: nFft / 2 + 1 }, (_, bin) => {
      if (bin === nFft / 2) return 0;
      const mel = KALDI.toMel((bin * sampleFrequency) / nFft);
      return Math.max(0, Math.min((mel - lower) / (centre - lower), (upper - mel) / (upper - centre)));
    });
  });
}
