import { librosaFilters } from "./mel-filters.ts";
import { filtered, laidOut, type PadMode, type ReferenceFeatures, stftPowers } from "./spectrum.ts";
import type { WindowName } from "./windows.ts";

/** Parameters of librosa.feature.melspectrogram and librosa.filters.mel, with their defaults. */
export interface MelspectrogramOptions {
  sr?: number;
  nFft?: number;
  hopLength?: number;
  /** nFft by default. */
  winLength?: number;
  /** Periodic, as scipy.signal.get_window gives them. */
  window?: WindowName;
  center?: boolean;
  padMode?: PadMode;
  /** Exponent of the magnitude: 2 is power. */
  power?: number;
  nMels?: number;
  fmin?: number;
  /** sr / 2 by default. */
  fmax?: number;
  htk?: boolean;
  norm?: "slaney" | number | null;
}

/**
 * librosa.feature.melspectrogram in float64, [mels × frames]
 * (https://librosa.org/doc/main/generated/librosa.feature.melspectrogram.html, librosa/feature/spectral.py,
 * core/spectrum.py). The window stands in the middle of the transform when it is shorter.
 */
export function melspectrogram(
  samples: ArrayLike<number>,
  options: MelspectrogramOptions = {},
): ReferenceFeatures {
  const { sr = 22050, nFft = 2048, nMels = 128, power = 2, norm = "slaney" } = options;
  const spectra = stftPowers(samples, {
    nFft,
    hopLength: options.hopLength ?? 512,
    winLength: options.winLength ?? nFft,
    window: options.window ?? "hann",
    periodic: true,
    center: options.center ?? true,
    padMode: options.padMode ?? "constant",
  });
  const { fmin = 0, fmax = sr / 2, htk = false } = options;
  const bank = librosaFilters({ sr, nFft, nMels, fmin, fmax, htk, norm });
  const rows = spectra.map((row) => filtered(bank, power === 2 ? row : row.map((x) => x ** (power / 2))));
  return laidOut(rows, nMels, true);
}

export interface PowerToDbOptions {
  /** A power, or the function that finds it in the data: numpy.max is "max". */
  ref?: number | "max";
  amin?: number;
  /** null: no floor. */
  topDb?: number | null;
}

/** librosa.power_to_db (librosa/core/spectrum.py): 10 log10(x / ref), at most topDb below the greatest. */
export function powerToDb(input: ReferenceFeatures, options: PowerToDbOptions = {}): ReferenceFeatures {
  const { ref = 1, amin = 1e-10, topDb = 80 } = options;
  const reference = ref === "max" ? greatest(input.data) : Math.abs(ref);
  const zero = 10 * Math.log10(Math.max(amin, reference));
  const data = input.data.map((x) => 10 * Math.log10(Math.max(amin, x)) - zero);
  if (topDb === null) return { ...input, data };
  const floor = greatest(data) - topDb;
  return { ...input, data: data.map((x) => Math.max(x, floor)) };
}

function greatest(data: Float64Array): number {
  return data.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

export interface MfccOptions extends MelspectrogramOptions {
  nMfcc?: number;
}

/**
 * librosa.feature.mfcc, [nMfcc × frames]: orthonormal DCT-II over the mels of power_to_db(melspectrogram),
 * without lifter (https://librosa.org/doc/main/generated/librosa.feature.mfcc.html).
 */
export function mfcc(samples: ArrayLike<number>, options: MfccOptions = {}): ReferenceFeatures {
  const { nMfcc = 20, ...rest } = options;
  const mels = powerToDb(melspectrogram(samples, rest));
  const features = Math.min(nMfcc, mels.features);
  const { frames, features: n } = mels;
  const data = new Float64Array(features * frames);
  for (let k = 0; k < features; k++) {
    const scale = Math.sqrt((k === 0 ? 1 : 2) / n);
    for (let t = 0; t < frames; t++) {
      let sum = 0;
      for (let m = 0; m < n; m++)
        sum += mels.data[m * frames + t]! * Math.cos((Math.PI * k * (2 * m + 1)) / (2 * n));
      data[k * frames + t] = scale * sum;
    }
  }
  return { data, frames, features };
}
