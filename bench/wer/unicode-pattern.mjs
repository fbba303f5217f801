const WORD = "[\\p{L}\\p{N}_]";
const BOUNDARY = `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`;

/** A regular expression whose `\b` and `\d` know all letters and digits, as Python's do and JavaScript's do not. */
export function unicodePattern(source, flags = "") {
  return new RegExp(source.replaceAll("\\b", BOUNDARY).replaceAll("\\d", "\\p{Nd}"), `${flags}u`);
}
