import { BusyError } from "./messages.ts";

/** How long to wait at a gate. */
export interface GateWait {
  /** Milliseconds. */
  timeout: number;
  signal?: AbortSignal | undefined;
}

/** Lets in as much as fits, in order of arrival. */
export interface Gate {
  readonly capacity: number;
  /** How much is inside, and how many wait. */
  readonly used: number;
  readonly waiting: number;
  /**
   * Waits until `weight` fits; whoever came first goes first, whatever its weight.
   *
   * @returns a function that leaves again, or with a number leaves that much and keeps the rest; once all is left, further calls
   * do nothing.
   * @throws BusyError when the time is up; the signal's reason when it aborts.
   */
  enter(weight: number, wait: GateWait): Promise<(part?: number) => void>;
}

interface Waiter {
  weight: number;
  admit(): void;
}

/**
 * Makes a gate.
 *
 * @param what that is waited for, for the message: "room for the upload"
 */
export function createGate(capacity: number, what: string): Gate {
  const waiters: Waiter[] = [];
  let used = 0;

  function admitNext(): void {
    while (waiters.length > 0 && used + waiters[0]!.weight <= capacity) waiters.shift()!.admit();
  }

  function pass(weight: number): (part?: number) => void {
    used += weight;
    let left = weight;
    return (part = left) => {
      const less = Math.min(part, left);
      left -= less;
      used -= less;
      if (less > 0) admitNext();
    };
  }

  return {
    capacity,
    get used() {
      return used;
    },
    get waiting() {
      return waiters.length;
    },
    async enter(weight, { timeout, signal }) {
      signal?.throwIfAborted();
      if (waiters.length === 0 && used + weight <= capacity) return pass(weight);
      return await new Promise((resolve, reject) => {
        const began = performance.now();
        const settle = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", aborted);
        };
        const waiter: Waiter = {
          weight,
          admit() {
            settle();
            resolve(pass(weight));
          },
        };
        const giveUp = (reason: unknown) => {
          settle();
          waiters.splice(waiters.indexOf(waiter), 1);
          reject(reason);
          // Whoever was behind a heavy one may fit.
          admitNext();
        };
        const aborted = () => giveUp(signal!.reason);
        const timer = setTimeout(() => {
          const seconds = ((performance.now() - began) / 1000).toFixed(1);
          giveUp(new BusyError(`waited ${seconds} s for ${what}; try again later`));
        }, timeout);
        signal?.addEventListener("abort", aborted, { once: true });
        waiters.push(waiter);
      });
    },
  };
}
