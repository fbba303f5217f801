import type * as ort from "#onnxruntime";
import { ModelFormatError } from "../core/errors.ts";
import type { WhisperConfig } from "./whisper-config.ts";

/**
 * Greedy choice over the last row of logits. Left out are the tokens that the model's configuration
 * suppresses, timestamps (every id from `noTimestamps` on), and for the first token a blank and the end
 * of text: `SuppressTokens` and `SuppressBlank` of openai/whisper `decoding.py`.
 *
 * @returns a function from logits [1, tokens, vocabulary] float32 to a token id
 */
export function createTokenChooser(
  config: Pick<WhisperConfig, "vocabularySize" | "suppress" | "suppressFirst">,
  noTimestamps: number,
): (logits: Pick<ort.Tensor, "data" | "dims">, first: boolean) => number {
  const { vocabularySize } = config;
  const allowed = new Uint8Array(vocabularySize).fill(1);
  for (const id of config.suppress) allowed[id] = 0;
  allowed.fill(0, noTimestamps);
  const allowedFirst = allowed.slice();
  for (const id of config.suppressFirst) allowedFirst[id] = 0;

  return ({ data, dims }, first) => {
    if (dims.at(-1) !== vocabularySize) {
      throw new ModelFormatError(
        `the decoder gives ${dims.at(-1)} logits, but config.json has a vocab_size of ${vocabularySize}; check that all files are of one model`,
      );
    }
    const logits = data as Float32Array;
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
