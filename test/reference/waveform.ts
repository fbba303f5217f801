import type { ReferenceFeatures } from "./spectrum.ts";

/**
 * zero_mean_unit_var_norm of Wav2Vec2FeatureExtractor in float64, [samples]:
 * (x - mean) / sqrt(variance + 1e-7), the variance over n, so that silence gives zeros
 * (https://github.com/huggingface/transformers/blob/main/src/transformers/models/wav2vec2/feature_extraction_wav2vec2.py).
 */
export function zeroMeanUnitVariance(samples: ArrayLike<number>): ReferenceFeatures {
  const values = Float64Array.from(samples);
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  const data = values.map((x) => (x - mean) / Math.sqrt(variance + 1e-7));
  return { data, frames: values.length, features: 1 };
}
