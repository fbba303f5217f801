import { TIMESTAMPS, type WhisperTokenizer } from "../models/whisper-tokenizer.ts";
import { greatest, logSumExp } from "./probabilities.ts";

/** The ids that the rules are about. */
export type RuleTokens = Pick<WhisperTokenizer, "blank" | "endOfText" | "noTimestamps" | "timestampBegin">;

export interface RuleOptions {
  /** Whether the text has timestamps; without, none may come. */
  readonly timestamps: boolean;
  /** Tokens that never come. */
  readonly suppress: readonly number[];
  /** Whether a text may not begin with a blank or end before it begins. */
  readonly suppressBlank: boolean;
  /** Latest timestamp that a text may begin with, counted from "<|0.00|>"; none by default. */
  readonly maxInitialTimestamp?: number | undefined;
}

/**
 * Sets the logits of tokens that may not come next to -Infinity, in place.
 *
 * @param logits [vocabulary] the row of the last token
 * @param sampled tokens decoded so far, without prompt, start and prefix
 */
export type LogitRules = (logits: Float32Array, sampled: readonly number[]) => void;

const NEVER = Number.NEGATIVE_INFINITY;

/**
 * The rules of openai/whisper `decoding.py`: `SuppressBlank`, `SuppressTokens`, `ApplyTimestampRules`, in that
 * order. Different from there, special tokens other than the end of text never come, nor timestamps in a text
 * without, nor ids past the last timestamp; the reference leaves these to the model, which all but never picks them.
 * Nothing is allocated per call.
 */
export function createLogitRules(tokens: RuleTokens, options: RuleOptions): LogitRules {
  const { endOfText, timestampBegin, blank } = tokens;
  const timestampEnd = timestampBegin + TIMESTAMPS;
  const { timestamps, suppressBlank, maxInitialTimestamp } = options;
  const suppress = options.suppress.filter((token) => token >= 0 && token !== endOfText);

  return (logits, sampled) => {
    if (suppressBlank && sampled.length === 0) {
      for (const token of blank) logits[token] = NEVER;
      logits[endOfText] = NEVER;
    }
    for (const token of suppress) if (token < logits.length) logits[token] = NEVER;
    logits.fill(NEVER, endOfText + 1, timestampBegin);
    logits.fill(NEVER, timestamps ? timestampEnd : timestampBegin);
    if (timestamps) applyTimestampRules(logits, sampled);
  };

  function applyTimestampRules(logits: Float32Array, sampled: readonly number[]): void {
    const { length } = sampled;
    // Timestamps come in pairs, end and start, except at both ends of the text.
    const lastIsTimestamp = length >= 1 && sampled[length - 1]! >= timestampBegin;
    const lastButOneIsTimestamp = length < 2 || sampled[length - 2]! >= timestampBegin;
    if (lastIsTimestamp) {
      if (lastButOneIsTimestamp) logits.fill(NEVER, timestampBegin);
      else logits.fill(NEVER, 0, endOfText);
    }
    // They never decrease, and a segment is never empty: that would loop for ever.
    for (let i = length - 1; i >= 0; i--) {
      const timestamp = sampled[i]!;
      if (timestamp < timestampBegin) continue;
      const mayRepeat = lastIsTimestamp && !lastButOneIsTimestamp;
      logits.fill(NEVER, timestampBegin, mayRepeat ? timestamp : timestamp + 1);
      break;
    }
    if (length === 0) {
      logits.fill(NEVER, 0, timestampBegin);
      if (maxInitialTimestamp !== undefined) logits.fill(NEVER, timestampBegin + maxInitialTimestamp + 1);
    }
    // A timestamp comes when all of them together are likelier than any one text token. Both sides would be
    // normalised by the same sum, so logits do.
    if (logSumExp(logits, timestampBegin) > greatest(logits, 0, timestampBegin)) {
      logits.fill(NEVER, 0, timestampBegin);
    }
  }
}
