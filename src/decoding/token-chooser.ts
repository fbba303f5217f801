import { ModelFormatError } from "../core/errors.ts";
import type { WhisperConfig } from "../models/whisper-config.ts";

/**
 * Greedy choice over a row of logits. Left out are the tokens that the model's configuration
 * suppresses, timestamps (every id from `noTimestamps` on), and for the first token a blank and the end
 * of text: `SuppressTokens` and `SuppressBlank` of openai/whisper `decoding.py`.
 *
 * @returns a function from logits [vocabulary] to a token id
 */
export function createTokenChooser(
  config: Pick<WhisperConfig, "vocabularySize" | "suppress" | "suppressFirst">,
  noTimestamps: number,
): (logits: Float32Array, first: boolean) => number {
  const { vocabularySize } = config;
  const allowed = new Uint8Array(vocabularySize).fill(1);
  for (const id of config.suppress) allowed[id] = 0;
  allowed.fill(0, noTimestamps);
  const allowedFirst = allowed.slice();
  for (const id of config.suppressFirst) allowedFirst[id] = 0;

  return (logits, first) => {
    const row = logits.length - vocabularySize;
    const mask = first ? allowedFirst : allowed;
    let best = -1;
    let bestLogit = Number.NEGATIVE_INFINITY;
    for (let id = 0; id < vocabularySize; id++) {
      const logit = logits[row + id]!;
      if (mask[id] === 1 && logit > bestLogit) {
        best = id;
        bestLogit = logit;
      }
    }
    if (best < 0)
      throw new ModelFormatError("the decoder gives no number for any token; fetch the model again");
    return best;
  };
}
