import type { BufferPool } from "./buffer-pool.ts";
import type { Dtype } from "./dtype.ts";

/** Acquires that are looked back on, and the share of misses above which the pool grows. */
const HISTORY = 100;
const MISS_SHARE = 0.1;
/** Milliseconds after which a buffer above `initial` is idle. */
const IDLE = 30_000;

/**
 * Grows a pool by one buffer ahead of demand when more than 10 % of this agent's last 100 acquires were
 * misses, which means that callers had to wait while buffers were brought into service; and takes buffers out
 * of service that nobody has used for 30 to 60 seconds.
 */
export class AdaptiveSizing<D extends Dtype> {
  readonly #pool: BufferPool<D>;
  readonly #idle: number;
  /** 1 for each miss among the last acquires, a ring. */
  readonly #misses = new Uint8Array(HISTORY);
  #acquires = 0;
  #missesInHistory = 0;
  #missesSeen = 0;
  /** Runs while there may be buffers above `initial`. */
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(pool: BufferPool<D>, idle = IDLE) {
    this.#pool = pool;
    this.#idle = idle;
  }

  /** Looks at the acquire that has just succeeded; `misses` is how many have missed in all. */
  afterAcquire(misses: number): void {
    const missed = misses > this.#missesSeen ? 1 : 0;
    this.#missesSeen = misses;
    // An audio worklet has no timers: what was grown there stays.
    if (missed && this.#timer === undefined && typeof setInterval !== "undefined") this.#watchIdle();
    const place = this.#acquires++ % HISTORY;
    this.#missesInHistory += missed - this.#misses[place]!;
    this.#misses[place] = missed;
    if (this.#acquires < HISTORY || this.#missesInHistory <= HISTORY * MISS_SHARE) return;
    this.#pool.grow(1);
    // A new look at what follows: the misses that called for this buffer are not to call for another.
    this.#misses.fill(0);
    this.#missesInHistory = 0;
    this.#acquires = 0;
  }

  /** Stops shrinking. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #watchIdle(): void {
    let unusedSince = this.#pool.moment();
    this.#timer = setInterval(() => {
      this.#pool.trim({ unusedSince });
      unusedSince = this.#pool.moment();
      if (this.#pool.stats().total <= this.#pool.initial) this.stop();
    }, this.#idle);
    (this.#timer as { unref?: () => void }).unref?.();
  }
}
