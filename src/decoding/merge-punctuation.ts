import type { WordTiming } from "./align-words.ts";

/** openai/whisper `timing.py`, `prepend_punctuations` and `append_punctuations`. */
const BEFORE_WORDS = "\"'“¿([{-";
const AFTER_WORDS = "\"'.。,，!！?？:：”)]}、";

/**
 * Joins punctuation to the word that it stands before or after (openai/whisper `timing.py`, `merge_punctuations`). Times
 * and probability stay those of the word; what was joined elsewhere is left with no text and no tokens.
 */
export function mergePunctuation(timings: readonly WordTiming[]): WordTiming[] {
  const words = timings.map((timing) => ({ ...timing, tokens: [...timing.tokens] }));
  for (let i = words.length - 2, j = words.length - 1; i >= 0; i--) {
    const previous = words[i]!;
    const following = words[j]!;
    if (previous.word.startsWith(" ") && BEFORE_WORDS.includes(previous.word.trim())) {
      following.word = previous.word + following.word;
      following.tokens = [...previous.tokens, ...following.tokens];
      previous.word = "";
      previous.tokens = [];
    } else j = i;
  }
  for (let i = 0, j = 1; j < words.length; j++) {
    const previous = words[i]!;
    const following = words[j]!;
    if (!previous.word.endsWith(" ") && AFTER_WORDS.includes(following.word)) {
      previous.word += following.word;
      previous.tokens.push(...following.tokens);
      following.word = "";
      following.tokens = [];
    } else i = j;
  }
  return words;
}
