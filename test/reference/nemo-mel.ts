import { librosaFilters } from "./mel-filters.ts";
import { filtered, laidOut, type PadMode, type ReferenceFeatures, stftPowers } from "./spectrum.ts";
import type { WindowName } from "./windows.ts";

/** Parameters of NeMo's FilterbankFeatures, with the defaults of its 80-mel models' configurations. */
export interface NemoMelOptions {
  sampleRate?: number;
  nWindowSize?: number;
  nWindowStride?: number;
  window?: WindowName;
  nFft?: number;
  nfilt?: number;
  lowfreq?: number;
  highfreq?: number;
  preemph?: number;
  magPower?: number;
  log?: boolean;
  logZeroGuardValue?: number;
  /** null is "NA" in a configuration: no normalisation. */
  normalize?: "per_feature" | null;
  /** NeMo pads with zeros since June 2025 (pull request 13827), before that by reflection. */
  padMode?: PadMode;
  /** Added to floor(length / hop): 1 before that same change, when the last frame counted too. */
  seqLenOffset?: 0 | 1;
  padValue?: number;
}

/**
 * FilterbankFeatures of NeMo in eval mode (no dither), one clip, [mels × frames] with 1 + floor(length / hop)
 * frames, those from `validFrames` on set to padValue
 * (https://github.com/NVIDIA-NeMo/NeMo/blob/main/nemo/collections/asr/parts/preprocessing/features.py).
 * Pre-emphasis runs over the signal, its first sample left as it is; the symmetric Hann window stands in the
 * middle of the transform; log(x + 2^-24); each mel less its mean over the valid frames, divided by their
 * deviation (over n - 1; 0 for a single frame) plus 1e-5.
 */
export function nemoMel(
  samples: ArrayLike<number>,
  options: NemoMelOptions = {},
): ReferenceFeatures & { validFrames: number } {
  const { sampleRate = 16000, nfilt = 80, nFft = 512, nWindowStride = 160, preemph = 0.97 } = options;
  const { magPower = 2, log = true, logZeroGuardValue = 2 ** -24, padValue = 0 } = options;
  const emphasised = Float64Array.from(samples, (x, i) => (i === 0 ? x : x - preemph * samples[i - 1]!));
  const spectra = stftPowers(emphasised, {
    nFft,
    hopLength: nWindowStride,
    winLength: options.nWindowSize ?? 400,
    window: options.window ?? "hann",
    periodic: false,
    center: true,
    padMode: options.padMode ?? "constant",
  });
  const bank = librosaFilters({
    sr: sampleRate,
    nFft,
    nMels: nfilt,
    fmin: options.lowfreq ?? 0,
    fmax: options.highfreq ?? sampleRate / 2,
    htk: false,
    norm: "slaney",
  });
  const rows = spectra.map((power) => {
    const mels = filtered(bank, magPower === 2 ? power : power.map((x) => x ** (magPower / 2)));
    return log ? mels.map((x) => Math.log(x + logZeroGuardValue)) : mels;
  });
  const validFrames = Math.floor(samples.length / nWindowStride) + (options.seqLenOffset ?? 0);
  if (options.normalize !== null) normalizeBatch(rows, validFrames);
  for (const row of rows.slice(validFrames)) row.fill(padValue);
  return { ...laidOut(rows, nfilt, true), validFrames };
}

/** normalize_batch of type "per_feature". */
function normalizeBatch(rows: Float64Array[], valid: number): void {
  const frames = rows.slice(0, valid);
  for (let m = 0; m < (rows[0]?.length ?? 0); m++) {
    const mean = frames.reduce((sum, row) => sum + row[m]!, 0) / valid;
    const squares = frames.reduce((sum, row) => sum + (row[m]! - mean) ** 2, 0);
    const deviation = valid > 1 ? Math.sqrt(squares / (valid - 1)) : 0;
    for (const row of frames) row[m] = (row[m]! - mean) / (deviation + 1e-5);
  }
}
