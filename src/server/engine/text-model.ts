import { startThread, type Thread } from "../../adapters/threads.node.ts";
import type { Core } from "../../core/core.ts";
import { createCore } from "../../core/create-core.ts";
import { revivedError } from "../../core/posted-error.ts";
import {
  type ModelOptions,
  type ServedModel,
  type TextReply,
  type TextRequest,
  ThreadLostError,
} from "./messages.ts";

/** What a job hears of its text. `lost` comes when the thread died under it. */
export type TextEvent =
  | Exclude<TextReply, { type: "ready" | "failed" | "closed" }>
  | { type: "lost"; error: ThreadLostError };

/** The thread that runs the model, and those that took its place. */
export interface TextModel {
  /** The loaded model; undefined while one loads. */
  readonly model: ServedModel | undefined;
  /** The core of the thread: its pools go with it. */
  readonly core: Core | undefined;
  /** Threads that died and were replaced. */
  readonly replaced: number;
  /**
   * Waits for a thread that has loaded the model.
   *
   * @throws whatever createTranscriber throws there; ThreadLostError when it dies.
   */
  ready(): Promise<ServedModel>;
  /** Tells the thread; jobs that it does not know are ignored there. */
  post(request: TextRequest): void;
  /** Hears what the thread says of a job until the returned function is called. */
  listen(id: number, listener: (event: TextEvent) => void): () => void;
  /** Ends the thread, in good order if it does so within so many milliseconds. Returns whether it did. */
  close(timeout: number): Promise<boolean>;
  /** Ends the thread as a crash would, for tests. */
  kill(): Promise<void>;
}

/** Milliseconds before another start, doubled with each that fails, and the most. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;

/** Starts the thread of a model; loading it goes on behind. */
export function startTextModel(options: ModelOptions, memoryBytes: number): TextModel {
  const listeners = new Map<number, (event: TextEvent) => void>();
  let thread: Thread | undefined;
  let core: Core | undefined;
  let model: ServedModel | undefined;
  let replaced = 0;
  let failures = 0;
  let loadedOnce = false;
  let cancelWait = () => {};
  let closing = false;
  let closed: (() => void) | undefined;
  let loading: Promise<ServedModel> = launch();

  /** A dead thread's memory goes with it: whatever it was writing, nobody reads on there. */
  function launch(): Promise<ServedModel> {
    const loaded = new Promise<ServedModel>((resolve, reject) => {
      createCore({ memoryBytes, threads: true })
        .then((fresh) => {
          if (closing) throw new ThreadLostError("the service has ended");
          core = fresh;
          thread = startThread("text-thread", { core: fresh.share(), options }, { message, lost });
        })
        .catch(reject);
      function message(data: unknown): void {
        const reply = data as TextReply;
        if (reply.type === "ready") {
          failures = 0;
          loadedOnce = true;
          model = reply.model;
          resolve(reply.model);
        } else if (reply.type === "failed") {
          void thread?.terminate(true);
          thread = undefined;
          reject(revivedError(reply.error));
          // What loaded once will again, when memory or files are back.
          if (loadedOnce && !closing) replace();
        } else if (reply.type === "closed") closed?.();
        else listeners.get(reply.id)?.(reply);
      }
      function lost(reason: string): void {
        const error = new ThreadLostError(
          `the thread that ran the model ended (${reason}); a new one takes its place, try again`,
        );
        thread = undefined;
        model = undefined;
        closed?.();
        reject(error);
        tellLost(error);
        if (!closing) replace();
      }
    });
    loaded.catch(() => undefined); // whoever waits is told
    return loaded;
  }

  function tellLost(error: ThreadLostError): void {
    for (const listener of [...listeners.values()]) listener({ type: "lost", error });
  }

  function replace(): void {
    failures++;
    replaced++;
    const delay = failures === 1 ? 0 : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** failures);
    const waited = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, delay);
      cancelWait = () => {
        clearTimeout(timer);
        reject(new ThreadLostError("the service has ended"));
      };
    });
    loading = waited.then(launch);
    loading.catch(() => undefined);
  }

  return {
    get model() {
      return model;
    },
    get core() {
      return core;
    },
    get replaced() {
      return replaced;
    },
    ready: () => loading,
    post: (request) => thread?.post(request),
    listen(id, listener) {
      listeners.set(id, listener);
      return () => void listeners.delete(id);
    },
    async close(timeout) {
      closing = true;
      cancelWait();
      if (!thread) return true;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const inTime = await new Promise<boolean>((resolve) => {
        closed = () => resolve(true);
        timer = setTimeout(() => resolve(false), timeout);
        if (model) thread!.post({ type: "close" } satisfies TextRequest);
        else resolve(true); // nothing to give back but the thread
      });
      clearTimeout(timer);
      await thread?.terminate(inTime);
      thread = undefined;
      tellLost(new ThreadLostError("the service has ended"));
      return inTime;
    },
    kill: async () => thread?.crash(),
  };
}
