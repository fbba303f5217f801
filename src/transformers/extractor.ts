import { describe } from "../core/arguments.ts";
import { UnsupportedExtractorError } from "../core/errors.ts";

/** Samples as the extractors of transformers.js take them. */
export type Samples = Float32Array | Float64Array;

/** A feature extractor of @huggingface/transformers, as far as it is touched here. */
export interface FeatureExtractor {
  // Its own declaration is as loose: a function of anything.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  (...args: any[]): any;
  /** The parsed preprocessor_config.json. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the file holds
  config: any;
}

/** Its Tensor, as far as it is touched here. */
export interface TensorLike {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
  dispose(): void;
}

/** The class of its tensors. */
export type TensorClass = new (
  type: string,
  data: Float32Array | BigInt64Array,
  dims: readonly number[],
) => TensorLike;

/** An extractor's settings, read with refusal of those that are not understood. */
export interface ExtractorConfig {
  /** Class of the extractor, such as "WhisperFeatureExtractor". */
  readonly kind: string;
  /** A setting as it is. */
  get(name: string): unknown;
  /** An integer from `least` (1) up. */
  integer(name: string, least?: number): number;
  /** A finite number. */
  number(name: string): number;
  /** The error for a setting, saying what could be reproduced. */
  refusal(name: string, possible: string): UnsupportedExtractorError;
}

/** Reads the settings of an extractor; all but `get` throw UnsupportedExtractorError for what cannot be reproduced. */
export function readConfig(kind: string, config: Readonly<Record<string, unknown>>): ExtractorConfig {
  const refusal = (name: string, possible: string) =>
    new UnsupportedExtractorError(
      `${kind}: ${name} is ${describe(config[name])}; wavepool can reproduce ${possible}; keep the original extractor`,
    );
  return {
    kind,
    get: (name) => config[name],
    integer(name, least = 1) {
      const value = config[name];
      if (Number.isInteger(value) && (value as number) >= least) return value as number;
      throw refusal(name, `integers from ${least} up`);
    },
    number(name) {
      const value = config[name];
      if (typeof value === "number" && Number.isFinite(value)) return value;
      throw refusal(name, "finite numbers");
    },
    refusal,
  };
}
