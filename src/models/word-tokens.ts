import { UNSPACED_LANGUAGES } from "./languages.ts";

/** A word (or character, or piece of punctuation) and the tokens that it is made of. */
export interface WordTokens {
  word: string;
  tokens: number[];
}

const REPLACEMENT = "\ufffd";
/** Python's `string.punctuation`. */
const PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/**
 * Splits tokens into words: at spaces and punctuation, or for languages without spaces at every character
 * (openai/whisper `tokenizer.py`, `split_to_word_tokens`). A character is never cut, though its bytes may be
 * spread over several tokens.
 *
 * @param decode text of tokens, special ones written out
 * @param endOfText tokens from this id on are words of their own
 */
export function splitToWords(
  tokens: readonly number[],
  language: string,
  endOfText: number,
  decode: (tokens: readonly number[]) => string,
): WordTokens[] {
  const pieces = splitAtCharacters(tokens, decode);
  return UNSPACED_LANGUAGES.has(language) ? pieces : joinAtSpaces(pieces, endOfText);
}

function splitAtCharacters(
  tokens: readonly number[],
  decode: (tokens: readonly number[]) => string,
): WordTokens[] {
  const whole = decode(tokens);
  const pieces: WordTokens[] = [];
  let current: number[] = [];
  let offset = 0;
  for (const token of tokens) {
    current.push(token);
    const word = decode(current);
    const gap = word.indexOf(REPLACEMENT);
    // A replacement character that the whole text has in the same place is no cut but the model's own.
    if (gap >= 0 && whole[offset + gap] !== REPLACEMENT) continue;
    pieces.push({ word, tokens: current });
    current = [];
    offset += word.length;
  }
  return pieces;
}

function joinAtSpaces(pieces: readonly WordTokens[], endOfText: number): WordTokens[] {
  const words: WordTokens[] = [];
  for (const { word, tokens } of pieces) {
    const last = words.at(-1);
    const apart =
      tokens[0]! >= endOfText || word.startsWith(" ") || PUNCTUATION.includes(word.trim()) || !last;
    if (apart) words.push({ word, tokens: [...tokens] });
    else {
      last.word += word;
      last.tokens.push(...tokens);
    }
  }
  return words;
}
