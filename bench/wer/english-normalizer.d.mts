export function normalizeEnglish(text: string, spellings?: Record<string, string>): string;
export function normalizeSpelling(text: string, spellings: Record<string, string>): string;
export function normalizeBasic(
  text: string,
  options?: { removeDiacritics?: boolean; splitLetters?: boolean },
): string;
export function spellingTable(json: string): Record<string, string>;
