import { ModelFormatError } from "../core/errors.ts";
import type { Decoder } from "../inference/decoder.ts";
import { giveWay } from "../inference/give-way.ts";
import type { Tensor } from "../inference/tensor.ts";
import type { WhisperTokenizer } from "../models/whisper-tokenizer.ts";

/** The language that a window is most probably in. */
export interface DetectedLanguage {
  /** Code, such as "de". */
  readonly language: string;
  /** Probability of each language that the model knows, by code; they sum up to 1. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/**
 * Detects the language of an encoded window: one run of the decoder on the start token, whose logits are
 * compared over the language tokens alone (openai/whisper `decoding.py`, `detect_language`). English-only models
 * know but English; nothing is run.
 *
 * @param hiddenState the encoder's output; it stays the caller's
 * @throws ModelFormatError when no language has a number.
 * @throws the signal's reason when it is aborted.
 */
export async function detectLanguage(
  decoder: Pick<Decoder, "start">,
  tokenizer: Pick<WhisperTokenizer, "startOfText" | "languageTokens" | "multilingual">,
  hiddenState: Tensor,
  signal?: AbortSignal,
): Promise<DetectedLanguage> {
  if (!tokenizer.multilingual) return { language: "en", probabilities: { en: 1 } };
  await giveWay(signal);
  const { logits, cache } = await decoder.start(hiddenState, [tokenizer.startOfText]);
  try {
    const entries = [...tokenizer.languageTokens].map(([code, token]) => [code, logits[token]!] as const);
    const best = entries.reduce((best, entry) => (entry[1] > best[1] ? entry : best));
    const sum = entries.reduce((sum, [, logit]) => sum + Math.exp(logit - best[1]), 0);
    if (!Number.isFinite(sum)) {
      throw new ModelFormatError("the decoder gives no number for some languages; fetch the model again");
    }
    const probabilities = Object.fromEntries(
      entries.map(([code, logit]) => [code, Math.exp(logit - best[1]) / sum]),
    );
    return { language: best[0], probabilities };
  } finally {
    cache.release();
  }
}
