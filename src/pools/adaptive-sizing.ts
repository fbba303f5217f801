import type { CoreExports, Pointer } from "../core/core-exports.ts";
import { COUNTER } from "./pool-statistics.ts";

/** Acquires that are looked back on, and the share of misses above which the pool grows. */
const HISTORY = 100;
const MISS_SHARE = 0.1;

/**
 * Grows a pool by one buffer ahead of demand when more than 10 % of this agent's last 100 acquires were
 * misses, which means that buffers were being brought into service by callers who had to wait for it.
 * Shrinking is trimming: see pressure-monitor.ts, which trims what lies idle.
 */
export class AdaptiveSizing {
  /** 1 for each miss among the last acquires, a ring. */
  readonly #misses = new Uint8Array(HISTORY);
  #acquires = 0;
  #missesInHistory = 0;
  #missesSeen = 0;

  /** Looks at the acquire that has just succeeded. */
  afterAcquire(exports: CoreExports, shard: Pointer): void {
    const total = exports.shardCounter(shard, COUNTER.misses);
    const missed = total > this.#missesSeen ? 1 : 0;
    this.#missesSeen = total;
    const place = this.#acquires++ % HISTORY;
    this.#missesInHistory += missed - this.#misses[place]!;
    this.#misses[place] = missed;
    if (this.#acquires < HISTORY || this.#missesInHistory <= HISTORY * MISS_SHARE) return;
    exports.poolGrow(shard, 1);
    // A new look at what follows: the misses that called for this buffer are not to call for another.
    this.#misses.fill(0);
    this.#missesInHistory = 0;
    this.#acquires = 0;
  }
}
