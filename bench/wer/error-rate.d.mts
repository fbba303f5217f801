export interface ErrorCounts {
  words: number;
  wordErrors: number;
  characters: number;
  characterErrors: number;
}
export function editDistance(reference: ArrayLike<string>, hypothesis: ArrayLike<string>): number;
export function normalWords(text: string, spellings?: Record<string, string>, language?: string): string[];
export function countErrors(
  reference: string,
  hypothesis: string,
  spellings?: Record<string, string>,
  language?: string,
): ErrorCounts;
export function rates(counts: readonly ErrorCounts[]): { wer: number; cer: number };
export function bootstrap<T>(
  clips: readonly T[],
  figure: (clips: T[]) => number,
  options?: { draws?: number; seed?: number; level?: number },
): { value: number; low: number; high: number };
export function align(
  reference: readonly string[],
  hypothesis: readonly string[],
): { matches: { index: number; same: boolean }[]; inserted: { index: number; before: number }[] };
