import { LANGUAGE_NAMES } from "../models/languages.ts";

/** English name of a language in lower case, as the OpenAI API gives it; a code that is none of Whisper's stays. */
export function languageName(code: string): string {
  const key = code.toLowerCase();
  return Object.hasOwn(LANGUAGE_NAMES, key) ? LANGUAGE_NAMES[key]! : code;
}
