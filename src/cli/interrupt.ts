import { constants } from "node:os";

/** The work was stopped by a signal such as Ctrl-C; the exit code is a shell's: 128 and the signal's number. */
export class InterruptedError extends Error {
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(signal === "SIGINT" ? "interrupted" : `stopped by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Ctrl-C and a polite kill, as an abort. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Rejects as soon as the work is interrupted, even while `work` cannot be stopped. */
  race<T>(work: Promise<T>): Promise<T>;
  stop(): void;
}

/** Listens for SIGINT and SIGTERM until it is stopped; a second one ends the process on the spot. */
export function listenForInterrupt(): Interrupt {
  const controller = new AbortController();
  const handlers = (["SIGINT", "SIGTERM"] as const).map((name) => {
    const handler = () => {
      const error = new InterruptedError(name);
      if (controller.signal.aborted) process.exit(error.exitCode);
      controller.abort(error);
    };
    process.on(name, handler);
    return () => process.off(name, handler);
  });
  const { signal } = controller;
  return {
    signal,
    async race(work) {
      signal.throwIfAborted();
      let abort!: () => void;
      const aborted = new Promise<never>((_, reject) => {
        abort = () => reject(signal.reason);
      });
      signal.addEventListener("abort", abort, { once: true });
      try {
        return await Promise.race([work, aborted]);
      } finally {
        signal.removeEventListener("abort", abort);
      }
    },
    stop: () => {
      for (const off of handlers) off();
    },
  };
}
