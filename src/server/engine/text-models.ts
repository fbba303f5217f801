import type { Core } from "../../core/core.ts";
import type { ModelOptions, ServedModel } from "./messages.ts";
import { startTextModel, type TextModel } from "./text-model.ts";

/** Threads that each run the model, and what each is at. */
export interface TextModels {
  /** The model as one of the threads has loaded it; undefined while none has. */
  readonly model: ServedModel | undefined;
  /** Threads that have loaded it, of so many. */
  readonly loaded: number;
  readonly count: number;
  readonly cores: Core[];
  /** Threads that died and were replaced. */
  readonly replaced: number;
  /** Waits for all of them; throws what the first to fail throws. */
  ready(): Promise<ServedModel>;
  /** The thread that has the fewest jobs, those that are loaded first; the job is over with `put`. */
  take(): TextModel;
  put(text: TextModel): void;
  /** Ends them, in good order as far as they do so within so many milliseconds. */
  close(timeout: number): Promise<void>;
  /** Ends the thread with the most jobs as a crash would, for tests. */
  kill(): Promise<void>;
}

/**
 * Starts threads for a model.
 *
 * @param jobs at once, in all of them together
 * @param memoryBytes of each thread's core, by the jobs that it may have
 */
export function startTextModels(
  options: ModelOptions,
  count: number,
  jobs: number,
  memoryBytes: (jobs: number) => number,
): TextModels {
  const most = Math.ceil(jobs / count);
  const texts = Array.from({ length: count }, () => startTextModel(options, memoryBytes(most)));
  const busy = new Map<TextModel, number>(texts.map((text) => [text, 0]));
  const jobsOf = (text: TextModel) => busy.get(text)!;
  /** A job that waits for a thread to load is better than one too many on another. */
  const rank = (text: TextModel) =>
    (jobsOf(text) >= most ? 2 * jobs : 0) + (text.model ? 0 : jobs) + jobsOf(text);
  const loaded = () => texts.filter(({ model }) => model !== undefined);

  return {
    get model() {
      return loaded()[0]?.model;
    },
    get loaded() {
      return loaded().length;
    },
    count,
    get cores() {
      return texts.flatMap(({ core }) => core ?? []);
    },
    get replaced() {
      return texts.reduce((sum, text) => sum + text.replaced, 0);
    },
    ready: async () => (await Promise.all(texts.map((text) => text.ready())))[0]!,
    take() {
      const text = texts.reduce((best, other) => (rank(other) < rank(best) ? other : best));
      busy.set(text, jobsOf(text) + 1);
      return text;
    },
    put: (text) => void busy.set(text, jobsOf(text) - 1),
    async close(timeout) {
      await Promise.all(texts.map((text) => text.close(timeout)));
    },
    kill: () => texts.reduce((best, other) => (jobsOf(other) > jobsOf(best) ? other : best)).kill(),
  };
}
