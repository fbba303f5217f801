import type { LeakReport } from "./leak-detection.ts";
import type { PoolStatistics } from "./pool-statistics.ts";

/** The state of a pool in figures. */
export interface PoolHealth {
  utilization: number;
  hitRate: number;
  /** Milliseconds, at the 99th percentile; 0 where the pool keeps no times. */
  waitTime: number;
  holdTime: number;
}

/** Whether all is well. */
export interface Health {
  status: "healthy" | "degraded";
  /** What is wrong, in words; empty when healthy. */
  reasons: string[];
  pools: Record<string, PoolHealth>;
}

const MIN_HIT_RATE = 0.9;
/** Acquires before a hit rate says anything: a pool that starts small misses at first. */
const ENOUGH_ACQUIRES = 100;

/**
 * Judges pools: degraded when a hit rate is below 90 % after 100 acquires, when a pool is exhausted, when
 * leases have leaked, or under pressure.
 *
 * @param pressure what presses, as a pressure monitor says; nothing by default.
 */
export function poolHealth(
  statistics: readonly PoolStatistics[],
  leaks: readonly LeakReport[],
  pressure: readonly string[] = [],
): Health {
  const reasons: string[] = [];
  const pools: Record<string, PoolHealth> = {};
  for (const { name, acquires, hitRate, inUse, max, lost, utilization, waitTime, holdTime } of statistics) {
    pools[name] = { utilization, hitRate, waitTime: waitTime.p99, holdTime: holdTime.p99 };
    if (acquires >= ENOUGH_ACQUIRES && hitRate < MIN_HIT_RATE) {
      reasons.push(`pool "${name}": hit rate ${(100 * hitRate).toFixed(1)} % is below 90 %; raise initial`);
    }
    if (inUse >= max) reasons.push(`pool "${name}": exhausted, all ${max} buffers are leased`);
    const held = leaks.filter((leak) => leak.kind === "held" && leak.pool === name).length;
    if (held > 0) reasons.push(`pool "${name}": ${held} leases held too long`);
    if (lost > 0) reasons.push(`pool "${name}": ${lost} leases lost without a release`);
  }
  reasons.push(...pressure.map((source) => `pressure: ${source}`));
  return { status: reasons.length === 0 ? "healthy" : "degraded", reasons, pools };
}
