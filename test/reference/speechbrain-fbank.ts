import { subtractColumnMeans } from "./kaldi-fbank.ts";
import { evenly, HTK } from "./mel-filters.ts";
import { filtered, laidOut, type ReferenceFeatures, stftPowers } from "./spectrum.ts";

/** Parameters of speechbrain.lobes.features.Fbank; nMels is 80 in the hyperparams.yaml of its ECAPA-TDNN. */
export interface SpeechbrainFbankOptions {
  sampleRate?: number;
  fMin?: number;
  /** Half the sample rate by default. */
  fMax?: number;
  nFft?: number;
  nMels?: number;
  /** Milliseconds. */
  winLength?: number;
  /** Milliseconds. */
  hopLength?: number;
  amin?: number;
  topDb?: number;
  /** InputNormalization of norm_type "sentence" with std_norm False, which ECAPA-TDNN's features go through. */
  sentenceMeanNorm?: boolean;
}

/**
 * Fbank of speechbrain in float64, [frames × mels]
 * (https://github.com/speechbrain/speechbrain/blob/develop/speechbrain/processing/features.py and
 * lobes/features.py). Periodic Hamming window, zeros around the signal, |STFT|², 10 log10 of at least amin,
 * and no value further than topDb below the clip's greatest. The mean is then taken out mel by mel.
 */
export function speechbrainFbank(
  samples: ArrayLike<number>,
  options: SpeechbrainFbankOptions = {},
): ReferenceFeatures {
  const { sampleRate = 16000, nFft = 400, nMels = 80, amin = 1e-10, topDb = 80 } = options;
  const spectra = stftPowers(samples, {
    nFft,
    winLength: Math.round((sampleRate / 1000) * (options.winLength ?? 25)),
    hopLength: Math.round((sampleRate / 1000) * (options.hopLength ?? 10)),
    window: "hamming",
    periodic: true,
    center: true,
    padMode: "constant",
  });
  const { fMin = 0, fMax = sampleRate / 2 } = options;
  const bank = speechbrainFilters({ sampleRate, nFft, nMels, fMin, fMax });
  const rows = spectra.map((power) => filtered(bank, power).map((x) => 10 * Math.log10(Math.max(x, amin))));
  const result = laidOut(rows, nMels, false);
  const floor = result.data.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) - topDb;
  result.data = result.data.map((x) => Math.max(x, floor));
  if (options.sentenceMeanNorm ?? true) subtractColumnMeans(result);
  return result;
}

/**
 * Triangles in Hz of height 1 around centres even in HTK mels. Both slopes span the band below the centre,
 * the distance to the centre before it, so that each filter is symmetric and ends short of the next centre.
 */
export function speechbrainFilters(options: {
  sampleRate: number;
  nFft: number;
  nMels: number;
  fMin: number;
  fMax: number;
}): Float64Array[] {
  const { sampleRate, nFft, nMels } = options;
  const hz = evenly(HTK.toMel(options.fMin), HTK.toMel(options.fMax), nMels + 2).map(HTK.toHz);
  const length = Math.floor(nFft / 2) + 1;
  const frequencies = evenly(0, Math.floor(sampleRate / 2), length);
  return Array.from({ length: nMels }, (_, m) => {
    const centre = hz[m + 1]!;
    const band = centre - hz[m]!;
    return frequencies.map((f) => Math.max(0, 1 - Math.abs(f - centre) / band));
  });
}
