import { assertOptions, describe } from "../core/arguments.ts";
import {
  InvalidArgumentError,
  PoolExhaustedError,
  PoolTimeoutError,
  UnsupportedRuntimeError,
} from "../core/errors.ts";
import { clock } from "./clock.ts";

/** How long to wait, and what may end the wait. */
export interface WaitOptions {
  /** Milliseconds after which the wait is given up; none by default. */
  timeout?: number;
  /** Ends the wait when it aborts. */
  signal?: AbortSignal;
}

/** What a queue needs of its pool. */
export interface WaitQueueHost<T> {
  pool: string;
  /** Waiters at most. */
  limit: number;
  tryServe(): T | undefined;
  countWait(milliseconds: number): void;
  countTimeout(): void;
  /** The core's free bytes while only memory is missing for a further buffer, else undefined. */
  freeBytes(): number | undefined;
  /** In a shared memory: how many agents wait, and the word that changes when a slot comes back. */
  words: Int32Array | undefined;
}

interface Waiter<T> {
  resolve(value: T): void;
  reject(reason: unknown): void;
  since: number;
  /** Takes timer and abort listener away. */
  settle(): void;
}

const WAITERS = 0;
const WAKE = 1;
/** Longest delay of a timer: 2^31 - 1 ms. */
const MAX_TIMEOUT = 2147483647;
/** Where Atomics.waitAsync is missing, the word is looked at this often, in milliseconds. */
const POLL_INTERVAL = 1;
/** How often free memory is looked at, where a waiter needs some, in milliseconds. */
const MEMORY_INTERVAL = 20;

interface AsyncWait {
  waitAsync?(words: Int32Array, index: number, value: number): { value: Promise<string> | string };
}

/**
 * Waiters for a pool, served in order of arrival: at once by a release of this agent, and through a word in
 * shared memory by those of other agents. The queue as a whole stands in line once, so that between agents
 * the turn goes round.
 */
export class WaitQueue<T> {
  readonly #host: WaitQueueHost<T>;
  readonly #waiters: Waiter<T>[] = [];
  #listening = false;
  /** Runs while listening: Node lets a thread end that only waits on memory. */
  #keepAlive: ReturnType<typeof setInterval> | undefined;
  #memoryTimer: ReturnType<typeof setTimeout> | undefined;
  #closedWith: Error | undefined;

  constructor(host: WaitQueueHost<T>) {
    this.#host = host;
  }

  /** Serves at once if nobody waits, else queues. */
  async wait(options: WaitOptions): Promise<T> {
    assertOptions(options, `pool "${this.#host.pool}": acquireAsync`);
    const { timeout, signal } = options;
    if (timeout !== undefined && !(typeof timeout === "number" && timeout >= 0 && timeout <= MAX_TIMEOUT)) {
      throw new InvalidArgumentError(
        `pool "${this.#host.pool}": timeout is ${describe(timeout)}; give milliseconds from 0 to ${MAX_TIMEOUT}`,
      );
    }
    if (timeout !== undefined && typeof setTimeout === "undefined") {
      throw new UnsupportedRuntimeError(
        `pool "${this.#host.pool}": the audio thread has no timers for a timeout of ${timeout} ms; wait without one, or use tryAcquire`,
      );
    }
    if (signal !== undefined && !(typeof AbortSignal === "function" && signal instanceof AbortSignal)) {
      throw new InvalidArgumentError(
        `pool "${this.#host.pool}": signal is ${describe(signal)}; give an AbortSignal`,
      );
    }
    signal?.throwIfAborted();
    if (this.#closedWith) throw this.#closedWith;
    if (this.#waiters.length === 0) {
      const served = this.#host.tryServe();
      if (served !== undefined) {
        this.#host.countWait(0);
        return served;
      }
    }
    if (this.#waiters.length >= this.#host.limit) {
      throw new PoolExhaustedError(
        `pool "${this.#host.pool}": ${this.#waiters.length} wait already, the queue's limit; retry later or raise queueLimit`,
      );
    }
    return this.#enqueue(timeout, signal);
  }

  #enqueue(timeout: number | undefined, signal: AbortSignal | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave = (reason: unknown) => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        waiter.settle();
        reject(reason);
      };
      const onAbort = () => leave(signal!.reason);
      const onTimeout = () => {
        this.#host.countTimeout();
        leave(
          new PoolTimeoutError(
            `pool "${this.#host.pool}": no buffer came free in ${timeout} ms; release sooner, wait longer or create the pool with a larger max`,
          ),
        );
      };
      const timer = timeout === undefined ? undefined : setTimeout(onTimeout, timeout);
      signal?.addEventListener("abort", onAbort, { once: true });
      const waiter: Waiter<T> = {
        resolve,
        reject,
        since: clock(),
        settle() {
          if (timer !== undefined) clearTimeout(timer); // an audio worklet has neither
          signal?.removeEventListener("abort", onAbort);
        },
      };
      this.#waiters.push(waiter);
      this.#watchMemory();
      void this.#listen();
    });
  }

  /** Serves as many waiters as there are free buffers. Called after each release of this agent. */
  serve(): void {
    while (this.#waiters.length > 0) {
      const served = this.#tryServe();
      if (served === undefined) return;
      const waiter = this.#waiters.shift()!;
      waiter.settle();
      this.#host.countWait(Math.max(0, clock() - waiter.since));
      waiter.resolve(served);
    }
  }

  /** Refuses all who wait, and all who come. The words in memory are not touched after this. */
  close(reason: Error): void {
    this.#closedWith = reason;
    if (this.#memoryTimer !== undefined) clearTimeout(this.#memoryTimer);
    this.#stopListening();
    this.#refuse(reason);
  }

  /** What throws here is not the releasing caller's to hear, but the waiters'. */
  #tryServe(): T | undefined {
    try {
      return this.#host.tryServe();
    } catch (cause) {
      this.#refuse(cause);
      return undefined;
    }
  }

  /** Looks now and then whether memory has come free, while that is all that is missing. */
  #watchMemory(): void {
    if (this.#memoryTimer !== undefined || typeof setTimeout === "undefined") return;
    let seen = this.#host.freeBytes();
    if (seen === undefined) return;
    const look = () => {
      this.#memoryTimer = undefined;
      if (this.#waiters.length === 0) return;
      const now = this.#host.freeBytes();
      if (now !== seen) this.serve();
      seen = now;
      if (this.#waiters.length > 0 && now !== undefined)
        this.#memoryTimer = setTimeout(look, MEMORY_INTERVAL);
    };
    this.#memoryTimer = setTimeout(look, MEMORY_INTERVAL);
  }

  #refuse(reason: unknown): void {
    for (const waiter of this.#waiters.splice(0)) {
      waiter.settle();
      waiter.reject(reason);
    }
  }

  /** Waits for releases of other agents for as long as anyone is in the queue. */
  async #listen(): Promise<void> {
    const { words } = this.#host;
    if (this.#listening || !words) return;
    this.#listening = true;
    Atomics.add(words, WAITERS, 1);
    if (typeof setInterval !== "undefined") this.#keepAlive = setInterval(() => {}, MAX_TIMEOUT);
    try {
      while (this.#listening && this.#waiters.length > 0) {
        // Read before the last try: a release after that try has changed the word, and the wait ends at once.
        const seen = Atomics.load(words, WAKE);
        this.serve();
        if (this.#waiters.length > 0) await this.#changed(words, seen);
      }
    } catch (cause) {
      this.#refuse(cause);
    } finally {
      this.#stopListening();
    }
  }

  #stopListening(): void {
    if (!this.#listening) return;
    this.#listening = false;
    if (this.#keepAlive !== undefined) clearInterval(this.#keepAlive);
    this.#keepAlive = undefined;
    const words = this.#host.words!;
    Atomics.sub(words, WAITERS, 1);
    Atomics.notify(words, WAKE); // ends the wait of #listen
  }

  /** Waits until another agent changes the word. */
  async #changed(words: Int32Array, seen: number): Promise<void> {
    const { waitAsync } = Atomics as AsyncWait;
    if (waitAsync) {
      await waitAsync(words, WAKE, seen).value;
      return;
    }
    while (this.#listening && Atomics.load(words, WAKE) === seen) {
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
    }
  }
}
