/** Word error rate after Whisper's English normaliser, which lies with the bench that measures it. */
import { editDistance, normalWords } from "../../bench/wer/error-rate.mjs";

export { editDistance as wordErrors, normalWords as normalize };

/** Word errors per word of the reference, over all pairs of [reference, hypothesis]. */
export function wordErrorRate(pairs: [string, string][], spellings: Record<string, string> = {}): number {
  let errors = 0;
  let words = 0;
  for (const [reference, hypothesis] of pairs) {
    const expected = normalWords(reference, spellings);
    errors += editDistance(expected, normalWords(hypothesis, spellings));
    words += expected.length;
  }
  return errors / words;
}
