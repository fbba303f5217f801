/**
 * The drop-in for feature extractors of @huggingface/transformers, over pooled memory. It imports nothing of that
 * package: all it needs comes with the extractor.
 *
 * @example
 * import { pooledFeatureExtractor } from "wavepool/transformers";
 *
 * const { processor } = transcriber;
 * processor.components.feature_extractor = await pooledFeatureExtractor(processor.feature_extractor);
 *
 * @module
 */
export { type CoreOptions, createCore } from "./core/create-core.ts";
export {
  CoreMemoryError,
  InvalidArgumentError,
  NonFiniteSamplesError,
  PoolClosedError,
  PoolExhaustedError,
  UnsupportedExtractorError,
  WavepoolError,
} from "./core/errors.ts";
export type { FeatureExtractor } from "./transformers/extractor.ts";
export {
  type PooledFeatureExtractorOptions,
  type PooledFeatureStatistics,
  type PooledFeatures,
  pooledFeatureExtractor,
} from "./transformers/pooled-feature-extractor.ts";
