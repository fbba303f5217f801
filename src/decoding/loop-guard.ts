import type { WhisperTokenizer } from "../models/whisper-tokenizer.ts";
import { findRepetition } from "./repetition.ts";

/** Why a text ended: by itself, at the decoder's limit, in a loop, or with more text than can be spoken. */
export type Stop = "end" | "length" | "repetition" | "rate";

/** Text tokens a second that speech seldom exceeds: fast English has some six. */
export const TOKENS_PER_SECOND = 12;
/** Tokens granted beyond that, for a short window holds a short phrase however long it is cut. */
const SPARE_TOKENS = 24;

/** Says after each token whether decoding is to stop early. */
export type LoopGuard = (sampled: readonly number[]) => "repetition" | "rate" | undefined;

/**
 * Watches over a text that is being decoded, so that a loop does not run to the decoder's limit.
 *
 * The cap on tokens counts only those that begin a character: scripts of which the vocabulary knows
 * only bytes need up to three a character.
 *
 * @param seconds speech in the window; no cap when undefined
 * @param tokensPerSecond the cap, {@link TOKENS_PER_SECOND} by default; Infinity for none
 */
export function createLoopGuard(
  tokenizer: Pick<WhisperTokenizer, "endOfText" | "beginsCharacter">,
  seconds: number | undefined,
  tokensPerSecond: number = TOKENS_PER_SECOND,
): LoopGuard {
  const cap = seconds === undefined ? Number.POSITIVE_INFINITY : seconds * tokensPerSecond + SPARE_TOKENS;
  return (sampled) => {
    const text = sampled.filter((token) => token < tokenizer.endOfText);
    if (findRepetition(text)) return "repetition";
    if (text.length > cap && text.filter(tokenizer.beginsCharacter).length > cap) return "rate";
    return undefined;
  };
}

/** Tokens without the second and later copies of the loop that they end with. */
export function cutRepetition(
  sampled: readonly number[],
  tokenizer: Pick<WhisperTokenizer, "endOfText">,
): number[] {
  const text = [...sampled.keys()].filter((index) => sampled[index]! < tokenizer.endOfText);
  const loop = findRepetition(text.map((index) => sampled[index]!));
  if (!loop) return [...sampled];
  const end = text[loop.start + loop.period]!;
  return sampled.slice(0, end);
}
