import { kaldiFbank } from "./kaldi-fbank.ts";
import type { ReferenceFeatures } from "./spectrum.ts";

/** Parameters of transformers' SeamlessM4TFeatureExtractor, with its defaults. */
export interface SeamlessFbankOptions {
  numMelBins?: number;
  stride?: number;
  padToMultipleOf?: number;
  /** 0 in the class; the preprocessor_config.json of a model may say otherwise. */
  paddingValue?: number;
  doNormalizePerMelBins?: boolean;
}

/**
 * SeamlessM4TFeatureExtractor, one clip, [ceil(frames / stride) × (bins · stride)]
 * (https://github.com/huggingface/transformers/blob/main/src/transformers/models/seamless_m4t/feature_extraction_seamless_m4t.py).
 * Kaldi's filter bank of the samples times 2^15; each bin less its mean, divided by sqrt(variance over n - 1,
 * plus 1e-7); a frame of paddingValue behind an odd count; `stride` frames side by side. `validFrames` counts
 * the rows whose attention mask is 1: those whose last frame is not padding. As upstream, a clip of a single
 * frame gives NaN.
 */
export function seamlessFbank(
  samples: ArrayLike<number>,
  options: SeamlessFbankOptions = {},
): ReferenceFeatures & { validFrames: number } {
  const { numMelBins = 80, stride = 2, padToMultipleOf = 2, paddingValue = 0 } = options;
  const scaled = Float64Array.from(samples, (x) => x * 32768);
  const { data, frames } = kaldiFbank(scaled, { numMelBins });
  if (options.doNormalizePerMelBins ?? true) normalizeBins(data, frames, numMelBins);
  const multiple = Math.ceil(frames / padToMultipleOf) * padToMultipleOf;
  const rows = Math.floor(multiple / stride);
  const features = numMelBins * stride;
  const padded = new Float64Array(multiple * numMelBins).fill(paddingValue);
  padded.set(data);
  return {
    data: padded.slice(0, rows * features),
    frames: rows,
    features,
    validFrames: Math.floor(frames / stride),
  };
}

function normalizeBins(data: Float64Array, frames: number, bins: number): void {
  for (let b = 0; b < bins; b++) {
    const column = Float64Array.from({ length: frames }, (_, t) => data[t * bins + b]!);
    const mean = column.reduce((sum, x) => sum + x, 0) / frames;
    const variance = column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (frames - 1);
    for (let t = 0; t < frames; t++) data[t * bins + b] = (column[t]! - mean) / Math.sqrt(variance + 1e-7);
  }
}
