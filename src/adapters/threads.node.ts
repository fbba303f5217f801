/** Worker threads of Node, Deno and Bun, all by node:worker_threads. */
import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parentPort, Worker, workerData } from "node:worker_threads";
import { UnsupportedRuntimeError } from "../core/errors.ts";

/** A thread of our own program. */
export interface Thread {
  /** Sends a message; does nothing once the thread has ended. */
  post(message: unknown): void;
  /** Ends the thread. Resolves when it touches no memory any more, for one that is `idle` at once. */
  terminate(idle?: boolean): Promise<void>;
  /** Ends the thread as if it had died by itself. */
  crash(): Promise<void>;
}

/** What a thread is told of and tells. */
export interface ThreadEvents {
  message(message: unknown): void;
  /** It ended without being asked to: it threw, ran out of memory or exited. */
  lost(reason: string): void;
}

/** What a thread sees of its own start. */
export interface ThreadHost {
  readonly data: unknown;
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** Places of the built threads: beside the bundle, above its chunks, and from the sources. */
const PLACES = ["./", "../", "../../dist/"];
/**
 * Deno's `terminate()` resolves at once and lets a thread that is busy in Wasm run on; it is over when that call returns. The
 * longest of ours, a codec's call on one piece, is far shorter.
 */
const DENO_LINGERS = 5000;

/**
 * Starts a thread of the build. It keeps the process alive until it ends.
 *
 * @param name file in dist/, without its extension
 * @param heapMegabytes most that its JavaScript heap may take, where the runtime limits it (Node)
 * @throws UnsupportedRuntimeError when the file is not there.
 */
export function startThread(
  name: string,
  data: unknown,
  events: ThreadEvents,
  heapMegabytes?: number,
): Thread {
  const url = PLACES.map((place) => new URL(`${place}${name}.js`, import.meta.url)).find((candidate) =>
    existsSync(fileURLToPath(candidate)),
  );
  if (!url) throw new UnsupportedRuntimeError(`${name}.js is not beside wavepool's bundle; build it again`);
  const worker = new Worker(url, {
    workerData: data,
    ...(heapMegabytes !== undefined && { resourceLimits: { maxOldGenerationSizeMb: heapMegabytes } }),
  });
  let over = false;
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const lost = (reason: string) => {
    if (over) return;
    over = true;
    events.lost(reason);
  };
  worker.on("message", (message) => {
    if (!over) events.message(message);
  });
  worker.on("error", (error) => lost(error instanceof Error ? error.message : String(error)));
  exited.then(() => lost("the thread ended"));
  async function stop(idle: boolean): Promise<void> {
    await worker.terminate();
    if (idle) return;
    if (process.versions.deno) return wait(DENO_LINGERS, undefined, { ref: false });
    // Bun may never tell of the exit of a thread that it has stopped.
    await Promise.race([exited, wait(DENO_LINGERS, undefined, { ref: false })]);
  }

  return {
    post(message) {
      if (!over) worker.postMessage(message);
    },
    terminate(idle = false) {
      over = true;
      return stop(idle);
    },
    async crash() {
      await stop(false);
      lost("it was stopped");
    },
  };
}

/** The thread that this code runs in. */
export function threadHost(): ThreadHost {
  const port = parentPort;
  if (!port) throw new UnsupportedRuntimeError("this module is a thread's; it is not to be imported");
  return {
    data: workerData,
    post: (message) => port.postMessage(message),
    onMessage: (listener) => void port.on("message", listener),
  };
}
