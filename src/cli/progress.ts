import type { Progress } from "../transcription/options.ts";
import type { ProgressBar } from "./progress-bar.ts";

/** Seconds of a window, and the tokens that a second of speech makes: rough, for the bar alone. */
const WINDOW_SECONDS = 30;
const TOKENS_PER_SECOND = 3;
/** Part of a window's work that is behind when each stage begins: the encoder takes two thirds of it. */
const BEHIND: Readonly<Record<string, number>> = { audio: 0, mel: 0.02, encoder: 0.04, decoder: 0.7 };
/** Before that much is done, a guess of the time left would jump about. */
const LEAST_PART = 0.02;
const LEAST_MS = 2000;

/** Part of one clip's work that is done, 0 to 1; 0 while its length is unknown. */
export function partDone({ stage, seconds, duration, tokens }: Progress): number {
  if (duration === undefined || !(duration > 0)) return 0;
  const window = Math.min(WINDOW_SECONDS, Math.max(0, duration - seconds));
  const expected = TOKENS_PER_SECOND * window;
  const inDecoder = expected > 0 ? (1 - BEHIND.decoder!) * Math.min(1, tokens / expected) : 0;
  return Math.min(1, (seconds + window * ((BEHIND[stage] ?? 0) + inDecoder)) / duration);
}

/** One display of the progress through several files. */
export interface FilesProgress {
  begin(index: number): void;
  loading(): void;
  update(progress: Progress): void;
  /** The file is done with, well or not. */
  end(index: number): void;
}

/**
 * Shows on `bar` how far the work on all files has come. A file counts by its size, or all alike where a size is not
 * known; the time left follows from the time taken so far, unless the transcriber knows it better.
 *
 * @param sizes bytes of each file, undefined for what has none, such as stdin
 * @param clock milliseconds, for tests
 */
export function createFilesProgress(
  bar: ProgressBar,
  names: readonly string[],
  sizes: readonly (number | undefined)[],
  clock: () => number = () => performance.now(),
): FilesProgress {
  const bySize = sizes.every((size) => size !== undefined && size > 0);
  const weights = bySize ? (sizes as readonly number[]) : names.map(() => 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let before = 0;
  let current = 0;
  let began: number | undefined;

  return {
    begin(index) {
      current = weights[index]!;
      bar.file(names[index]!, index + 1, names.length);
    },
    loading: () => bar.show("loading model", before / total),
    update(progress) {
      began ??= clock();
      const done = (before + current * partDone(progress)) / total;
      const elapsed = clock() - began;
      const guess =
        done > LEAST_PART && elapsed > LEAST_MS ? ((elapsed / done) * (1 - done)) / 1000 : undefined;
      bar.show(label(progress), done, (names.length === 1 ? progress.secondsLeft : undefined) ?? guess);
    },
    end(index) {
      before += weights[index]!;
      current = 0;
    },
  };
}

function label({ stage, tokens, duration, seconds }: Progress): string {
  if (tokens > 0) return `${stage} ${tokens} tokens`;
  return duration === undefined ? `${stage} at ${Math.round(seconds)} s` : stage;
}
