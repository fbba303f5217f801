/** Ends waiting: whoever waits for a source that may never answer waits through this. */
export interface Interruption {
  /** Waits for `work`, or until it is stopped; what `work` brings after that is dropped. */
  race<T>(work: Promise<T>): Promise<T>;
  /** Rejects whoever waits now, and all later ones, with the reason. Further calls do nothing. */
  stop(reason: unknown): void;
  /** Has `listener` called when it is stopped, at once if it is already. */
  onStop(listener: (reason: unknown) => void): void;
  /** Listens to the signal no more. */
  leave(): void;
}

/**
 * An interruption that an abort signal pulls too. Not Promise.race with one promise for all: that keeps a
 * reaction, and with it every chunk ever read, until the end.
 */
export function createInterruption(signal: AbortSignal | undefined): Interruption {
  let stopped = false;
  let why: unknown;
  let told: (reason: unknown) => void = () => {};
  const waiting = new Set<(reason: unknown) => void>();

  function stop(reason: unknown): void {
    if (stopped) return;
    stopped = true;
    why = reason;
    for (const reject of waiting) reject(reason);
    waiting.clear();
    told(reason);
  }

  const abort = () => stop(signal?.reason);
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort, { once: true });

  return {
    race(work) {
      return new Promise((resolve, reject) => {
        if (stopped) {
          work.catch(() => {}); // its caller is told why it was stopped
          reject(why);
          return;
        }
        waiting.add(reject);
        const settle = (end: () => void) => {
          waiting.delete(reject);
          end();
        };
        work.then(
          (value) => settle(() => resolve(value)),
          (error) => settle(() => reject(error)),
        );
      });
    },
    stop,
    onStop(listener) {
      if (stopped) listener(why);
      else told = listener;
    },
    leave: () => signal?.removeEventListener("abort", abort),
  };
}

/** Waits for `work`, but not longer than the signal lets it; rejects with its reason then. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const interruption = createInterruption(signal);
  try {
    return await interruption.race(work);
  } finally {
    interruption.leave();
  }
}
