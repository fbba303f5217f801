import type { BufferPool } from "./buffer-pool.ts";
import type { LeakTracker } from "./leak-detection.ts";

/** What all objects of one agent for the same pool share. */
export interface PoolState {
  closed: boolean;
  /** Whether the pool's memory has gone back to the core, and may be another's. */
  freed: boolean;
  readonly uses: BufferPool[];
}

/** What belongs to one agent's use of a pool. */
export interface PoolUse {
  /** Whether to grow ahead of demand. */
  adaptive: boolean;
  /** Waiters that `acquireAsync` queues at most. */
  queueLimit: number;
  leaks: LeakTracker | undefined;
  state: PoolState;
}
