import { ModelFormatError } from "../core/errors.ts";
import type { Decoder } from "../inference/decoder.ts";
import type { KvCache } from "../inference/kv-cache.ts";
import type { WhisperTokenizer } from "../models/whisper-tokenizer.ts";
import type { LogitRules } from "./logit-rules.ts";
import type { LoopGuard, Stop } from "./loop-guard.ts";

/** What all strategies search with. They borrow `cache`, and release what they make of it on every path. */
export interface Search {
  readonly decoder: Pick<Decoder, "step">;
  readonly tokenizer: Pick<WhisperTokenizer, "endOfText">;
  /** The decoder's state after the prompt. */
  readonly cache: KvCache;
  /** [vocabulary] what it says then, before any rule; never written. */
  readonly firstLogits: Float32Array;
  readonly rules: LogitRules;
  readonly guard: LoopGuard;
  /** Most tokens to sample, the end of text among them. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each step with the (best) tokens so far. */
  readonly onToken?: ((count: number, tokens: readonly number[]) => void) | undefined;
}

/** A text that a search found. */
export interface Hypothesis {
  /** Without the end of text. */
  readonly tokens: number[];
  /** Sum of the log probabilities, that of the end of text among them where it came. */
  readonly sumLogprob: number;
  readonly stop: Stop;
}

/** A copy of the first logits with the rules applied. */
export function firstRow({ firstLogits, rules }: Search): Float32Array {
  const row = firstLogits.slice();
  rules(row, []);
  return row;
}

export function refuseLogits(): never {
  throw new ModelFormatError(
    "the decoder gives no number for any token that may come; fetch the model again",
  );
}

/** Score that texts are compared by: log probability over length, or with `lengthPenalty` over the penalty of Wu et al. 2016 (arXiv:1609.08144, equation 14), as openai/whisper's `MaximumLikelihoodRanker`. */
export function rankScore({ tokens, sumLogprob }: Hypothesis, lengthPenalty: number | undefined): number {
  // An empty text, which the reference would divide by zero, counts as one token.
  if (lengthPenalty === undefined) return sumLogprob / Math.max(1, tokens.length);
  return sumLogprob / ((5 + tokens.length) / 6) ** lengthPenalty;
}

/** The best of at least one hypothesis; the first of equals. */
export function bestOf(hypotheses: readonly Hypothesis[], lengthPenalty: number | undefined): Hypothesis {
  return hypotheses.reduce((best, other) =>
    rankScore(other, lengthPenalty) > rankScore(best, lengthPenalty) ? other : best,
  );
}
