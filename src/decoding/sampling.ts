import { giveWay } from "../inference/give-way.ts";
import { logSumExp } from "./probabilities.ts";
import type { Random } from "./random.ts";
import { bestOf, firstRow, type Hypothesis, refuseLogits, type Search } from "./search.ts";

/** Picks a token from a row of filtered logits. */
export type Choose = (logits: Float32Array) => number;

/**
 * The likeliest token, the first of equals.
 *
 * @throws ModelFormatError when no logit is a number above -Infinity.
 */
export function chooseLikeliest(logits: Float32Array): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < logits.length; token++) {
    if (logits[token]! > most) {
      best = token;
      most = logits[token]!;
    }
  }
  return best < 0 ? refuseLogits() : best;
}

/**
 * A random token, each with the probability that softmax(logits / temperature) gives it.
 *
 * @throws ModelFormatError when no logit is a number above -Infinity.
 */
export function chooseRandomly(logits: Float32Array, temperature: number, random: Random): number {
  const likeliest = chooseLikeliest(logits);
  const max = logits[likeliest]!;
  let sum = 0;
  for (let token = 0; token < logits.length; token++) sum += weight(logits[token]!, max, temperature);
  let left = random() * sum;
  for (let token = 0; token < logits.length; token++) {
    left -= weight(logits[token]!, max, temperature);
    if (left < 0) return token;
  }
  return likeliest; // the sums' last bits differ
}

function weight(logit: number, max: number, temperature: number): number {
  return logit > Number.NEGATIVE_INFINITY ? Math.exp((logit - max) / temperature) : 0;
}

/**
 * Decodes one text token by token (openai/whisper `decoding.py`, `GreedyDecoder`). Log probabilities are those
 * without temperature, as there.
 *
 * @throws the signal's reason when it is aborted.
 * @throws ModelFormatError when no logit is a number.
 */
export async function decodeOne(search: Search, choose: Choose): Promise<Hypothesis> {
  const { decoder, tokenizer, rules, guard, limit, signal, onToken } = search;
  const tokens: number[] = [];
  let sumLogprob = 0;
  let logits = firstRow(search);
  let cache = search.cache.retain();
  try {
    for (;;) {
      const token = choose(logits);
      sumLogprob += logits[token]! - logSumExp(logits);
      if (token === tokenizer.endOfText) return { tokens, sumLogprob, stop: "end" };
      tokens.push(token);
      onToken?.(tokens.length, tokens);
      const stop = guard(tokens) ?? (tokens.length >= limit ? "length" : undefined);
      if (stop) return { tokens, sumLogprob, stop };
      await giveWay(signal);
      const next = await decoder.step(cache, token);
      cache.release();
      ({ logits, cache } = next);
      rules(logits, tokens);
    }
  } finally {
    cache.release();
  }
}

/**
 * Decodes `count` texts at random and takes the best (openai/whisper's `best_of`). One after another: each
 * needs but one cache of its own besides that of the prompt, which they share.
 *
 * @param temperature above 0: 1 follows the model, less prefers the likely
 * @throws as {@link decodeOne}.
 */
export async function sampleBest(
  search: Search,
  options: { temperature: number; count: number; random: Random; lengthPenalty?: number | undefined },
): Promise<Hypothesis> {
  const { temperature, count, random, lengthPenalty } = options;
  const found: Hypothesis[] = [];
  for (let i = 0; i < count; i++) {
    found.push(await decodeOne(search, (logits) => chooseRandomly(logits, temperature, random)));
  }
  return bestOf(found, lengthPenalty);
}
