import type { WhisperConfig } from "../models/whisper-config.ts";
import type { WhisperTask, WhisperTokenizer } from "../models/whisper-tokenizer.ts";
import { checkSearchOptions, inRange } from "./search-options.ts";

/** How to decode a window; defaults are those of openai/whisper `transcribe.py`. */
export interface WindowOptions {
  /** Code or English name; detected by default. */
  language?: string | undefined;
  /** "transcribe" (default) writes what is said, "translate" writes it in English. */
  task?: WhisperTask | undefined;
  /** Whether the text has timestamps; default true. */
  timestamps?: boolean | undefined;
  /** Text before this window, or its tokens; the last 223 tokens of it count (half the context less one). */
  prompt?: string | readonly number[] | undefined;
  /** Beginning of this window's text, or its tokens; not part of the result. */
  prefix?: string | readonly number[] | undefined;
  /** Temperatures to try, one after another, until a text passes the thresholds. Default 0, 0.2, 0.4, 0.6, 0.8, 1. */
  temperatures?: readonly number[] | undefined;
  /** At temperature 0: texts to follow at a time. Default 1, greedy. */
  beamSize?: number | undefined;
  /** Finished texts that a beam search waits for, as a multiple of `beamSize`. Default 1. */
  patience?: number | undefined;
  /** Above temperature 0: texts to sample, of which the best is taken. Default 1. */
  bestOf?: number | undefined;
  /** Alpha of the length penalty of Wu et al. 2016, 0 to 1; by default texts are compared by mean log probability. */
  lengthPenalty?: number | undefined;
  /** Tokens that never come; -1 stands for the model's own list, which is the default: what is not spoken. */
  suppressTokens?: readonly number[] | undefined;
  /** Whether the text may not begin with a blank or be empty; default true. */
  suppressBlank?: boolean | undefined;
  /** Latest time at which a text with timestamps may begin, in seconds; default 1, Infinity for no limit. */
  maxInitialTimestamp?: number | undefined;
  /** Most tokens to decode; by default half the context (224). */
  maxTokens?: number | undefined;
  /** Seconds of speech in the window, for the cap on tokens a second; no cap without. */
  seconds?: number | undefined;
  /** That cap; default 12, Infinity for none. */
  tokensPerSecond?: number | undefined;
  /** A text that compresses better than this repeats itself, and the next temperature is tried. Default 2.4; null for no threshold. */
  compressionRatioThreshold?: number | null | undefined;
  /** A text of lower mean log probability is not trusted, and the next temperature is tried. Default -1; null for no threshold. */
  logprobThreshold?: number | null | undefined;
  /** With a higher probability of no speech, a text that is not trusted counts as silence. Default 0.6; null for no threshold. */
  noSpeechThreshold?: number | null | undefined;
  /** Number that random choices follow from; default 0. */
  seed?: number | undefined;
  /** Stops before the next run of the decoder. */
  signal?: AbortSignal | undefined;
  /** Called after each step with the (best) tokens so far, which begin anew at each temperature. */
  onToken?: ((count: number, tokens: readonly number[]) => void) | undefined;
}

/** openai/whisper `transcribe.py`, `temperature`. */
const TEMPERATURES = [0, 0.2, 0.4, 0.6, 0.8, 1];

/** Checked options with their defaults filled in. */
export interface WindowPlan {
  temperatures: readonly number[];
  beamSize: number;
  bestOf: number;
  patience: number | undefined;
  lengthPenalty: number | undefined;
  maxTokens: number;
  seed: number;
  compressionRatioThreshold: number | null;
  logprobThreshold: number | null;
  noSpeechThreshold: number | null;
}

/**
 * @throws InvalidArgumentError naming the option out of range.
 */
export function planWindow(options: WindowOptions, config: Pick<WhisperConfig, "maxTokens">): WindowPlan {
  checkSearchOptions(options);
  const half = Math.floor(config.maxTokens / 2);
  const { maxTokens = half } = options;
  inRange("maxTokens", maxTokens, 1, half, true);
  return {
    temperatures: options.temperatures ?? TEMPERATURES,
    beamSize: options.beamSize ?? 1,
    bestOf: options.bestOf ?? 1,
    patience: options.patience,
    lengthPenalty: options.lengthPenalty,
    maxTokens,
    seed: options.seed ?? 0,
    compressionRatioThreshold: threshold(options.compressionRatioThreshold, 2.4),
    logprobThreshold: threshold(options.logprobThreshold, -1),
    noSpeechThreshold: threshold(options.noSpeechThreshold, 0.6),
  };
}

/** Timestamp that a text may begin with at the latest, or undefined for any. */
export function lastInitialTimestamp(seconds: number | undefined, step: number): number | undefined {
  const limit = seconds ?? 1;
  inRange("maxInitialTimestamp", limit, 0, Number.POSITIVE_INFINITY);
  return limit === Number.POSITIVE_INFINITY ? undefined : Math.round(limit / step);
}

/**
 * Tokens that never come (openai/whisper `decoding.py`, `_get_suppress_tokens`). A model's own list goes before the one
 * computed from the vocabulary, to which the published models' are equal.
 *
 * @throws InvalidArgumentError for what is no token id.
 */
export function suppressedTokens(
  given: readonly number[] | undefined,
  config: Pick<WhisperConfig, "suppress" | "vocabularySize">,
  tokenizer: Pick<WhisperTokenizer, "nonSpeech">,
): number[] {
  const own = config.suppress.length > 0 ? config.suppress : tokenizer.nonSpeech;
  return (given ?? [-1]).flatMap((token) => {
    if (token === -1) return own;
    inRange("a token of suppressTokens", token, 0, config.vocabularySize - 1, true);
    return [token];
  });
}

/**
 * Tokens of a prompt or prefix. A text begins with a space, as within a text.
 *
 * @throws InvalidArgumentError for what is no token id.
 */
export function tokensOf(
  name: string,
  given: string | readonly number[] | undefined,
  config: Pick<WhisperConfig, "vocabularySize">,
  tokenizer: Pick<WhisperTokenizer, "encode">,
): readonly number[] {
  if (given === undefined) return [];
  if (typeof given === "string") {
    const text = given.trim();
    return text === "" ? [] : tokenizer.encode(` ${text}`);
  }
  for (const token of given) inRange(`a token of ${name}`, token, 0, config.vocabularySize - 1, true);
  return given;
}

function threshold(value: number | null | undefined, otherwise: number): number | null {
  return value === undefined ? otherwise : value;
}
