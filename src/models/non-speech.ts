const SYMBOLS = [
  ...'"#()*+/:;<=>@[\\]^_`{|}~「」『』',
  ..."<< >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪".split(" "),
];
/** One token or several; their first one begins only symbols of this kind. */
const MUSIC = [..."♩♪♫♬♭♮♯"];

/**
 * Tokens of what is written but never spoken, such as "(LAUGHTER)", "[DAVID]" and "♪♪♪"; common punctuation
 * is not among them, and hyphens and apostrophes only at the start of a word (openai/whisper `tokenizer.py`,
 * `non_speech_tokens`).
 *
 * @returns token ids, rising.
 */
export function nonSpeechTokens(encode: (text: string) => number[]): number[] {
  const found = new Set([encode(" -")[0]!, encode(" '")[0]!]);
  for (const symbol of [...SYMBOLS, ...MUSIC]) {
    for (const tokens of [encode(symbol), encode(` ${symbol}`)]) {
      if (tokens.length === 1 || MUSIC.includes(symbol)) found.add(tokens[0]!);
    }
  }
  return [...found].sort((a, b) => a - b);
}
