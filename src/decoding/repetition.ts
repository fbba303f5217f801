/** Longest phrase, in tokens, whose repetition is looked for. */
const LONGEST_PHRASE = 32;
/** Times that a phrase must follow on itself, and the tokens that this must make at least. */
const LEAST_COPIES = 5;
const LEAST_TOKENS = 48;

/** A phrase that a token sequence ends with, over and over. */
export interface Repetition {
  /** Index of the first token of the first copy. */
  readonly start: number;
  /** Tokens of the phrase. */
  readonly period: number;
}

/**
 * Finds out whether a text has run into a loop: whether it ends with five or more copies of the same phrase of up
 * to 32 tokens, 48 tokens in all or more, whole copies or not. People repeat themselves less: ten times "no, no" is 20 tokens,
 * a chorus sung four times has only four copies, and counting repeats nothing. Half a copy after the
 * last does not hide the loop, for any phase of the phrase is a phrase.
 *
 * @param tokens text tokens, without timestamps, which differ from copy to copy
 */
export function findRepetition(tokens: readonly number[]): Repetition | undefined {
  const { length } = tokens;
  for (let period = 1; period <= LONGEST_PHRASE; period++) {
    const least = Math.max(LEAST_TOKENS, LEAST_COPIES * period);
    if (length < least) break;
    let start = length - period;
    while (start > 0 && tokens[start - 1] === tokens[start - 1 + period]) start--;
    if (length - start >= least) return { start, period };
  }
  return undefined;
}
