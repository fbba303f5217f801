import { type Core, MAX_AGENTS, poolAddresses } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { type Percentiles, percentile } from "./histogram.ts";
import { grantedBytes, readDescription } from "./pool-description.ts";

/** Places of the counters in the core, see assembly/pools/shard.ts; from `discarded` on they are the host's. */
export const COUNTER = {
  acquires: 0,
  releases: 1,
  misses: 2,
  exhausted: 3,
  outOfMemory: 4,
  retains: 5,
  grown: 6,
  trimmed: 7,
  doubleReleases: 8,
  foreignReleases: 9,
  staleUses: 10,
  reclaimed: 11,
  discarded: 12,
  ignored: 13,
  unusedBytes: 14,
  lost: 15,
  waits: 16,
  timeouts: 17,
} as const;

/** What the agents in one of the 64 places have done in a pool: an agent may take the place of one that has gone. */
export interface AgentStatistics {
  /** The agent in this place, or the last that was. */
  agent: number;
  acquires: number;
  releases: number;
  exhausted: number;
  /** Tenancies of dead agents that this agent ended. */
  reclaimed: number;
}

/** What a pool has done so far, over all agents. Counts are exact. */
export interface PoolStatistics {
  /** Name of the pool. */
  name: string;
  /**
   * What is counted. With `"off"` acquires, releases, hits, misses, peak and bytes requested and granted stay
   * 0; with less than `"times"` the times do.
   */
  statistics: "off" | "counts" | "times";
  /** Slots in service at creation, and at most. */
  initial: number;
  max: number;
  /** Slots in service now: leased or free, with memory behind them. */
  total: number;
  /** Slots leased now. */
  inUse: number;
  /** Slots in service and free now. */
  available: number;
  /** The most slots ever leased at once. */
  peakInUse: number;
  /** `inUse` as a share of `max`. */
  utilization: number;
  /** Bytes of one buffer as asked for. */
  slotBytes: number;
  /** Bytes of all slots in service. */
  bytes: number;
  /** Leases given out. */
  acquires: number;
  /** Leases that ended with their last release. */
  releases: number;
  /** Acquires served by a slot in service, and those that had to bring one into service first. */
  hits: number;
  misses: number;
  /** Hits as a share of acquires; 1 before the first. */
  hitRate: number;
  /** Further references taken. */
  retains: number;
  /** Slots brought into service after creation, and taken out again. */
  grown: number;
  trimmed: number;
  /** Acquires refused, waiting ones not among them; and those refused for want of memory rather than of slots. */
  exhausted: number;
  outOfMemory: number;
  /** What `put` was given that was no lease of this pool; and null or undefined. */
  discarded: number;
  ignored: number;
  /** Releases of a lease that was released before. */
  doubleReleases: number;
  /** Releases of something this pool never gave out. */
  foreignReleases: number;
  /** Uses and retains of a lease that was released before. */
  staleUses: number;
  /** Leases ended because their agent died. */
  reclaimed: number;
  /** Leases that were garbage-collected without a release, as far as leak detection saw. */
  lost: number;
  /** Bytes asked for and given over all acquires, and the share given but not asked for. */
  bytesRequested: number;
  bytesGranted: number;
  waste: number;
  /** How often each slot in service has been used on average. */
  turnover: number;
  /** Calls of `acquireAsync` served, and given up by timeout. */
  waits: number;
  timeouts: number;
  /** Milliseconds that `acquireAsync` waited. */
  waitTime: Percentiles;
  /** Milliseconds that leases were held. */
  holdTime: Percentiles;
  /** The same by agent. */
  agents: AgentStatistics[];
}

const LEVELS = ["off", "counts", "times"] as const;
const HOLD = 0;
const WAIT = 1;

/** Reads the statistics of the pool at an address, whichever agent created it. */
export function readStatistics(core: Core, pool: Pointer): PoolStatistics {
  const { exports } = core;
  const { name, initial, max, bytes: slotBytes, level } = readDescription(core, pool);
  const count = (key: keyof typeof COUNTER) => exports.poolCounter(pool, COUNTER[key]);
  const acquires = count("acquires");
  const misses = count("misses");
  const total = exports.poolInService(pool);
  const inUse = exports.poolInUse(pool);
  const granted = grantedBytes(slotBytes);
  const bytesGranted = acquires * granted;
  const bytesRequested = level === 0 ? 0 : acquires * slotBytes - count("unusedBytes");
  return {
    name,
    statistics: LEVELS[level]!,
    initial,
    max,
    total,
    inUse,
    available: Math.max(0, total - inUse),
    peakInUse: exports.poolPeak(pool),
    utilization: inUse / max,
    slotBytes,
    bytes: total * granted,
    acquires,
    releases: count("releases"),
    hits: acquires - misses,
    misses,
    hitRate: acquires === 0 ? 1 : (acquires - misses) / acquires,
    retains: count("retains"),
    grown: count("grown"),
    trimmed: count("trimmed"),
    exhausted: count("exhausted"),
    outOfMemory: count("outOfMemory"),
    discarded: count("discarded"),
    ignored: count("ignored"),
    doubleReleases: count("doubleReleases"),
    foreignReleases: count("foreignReleases"),
    staleUses: count("staleUses"),
    reclaimed: count("reclaimed"),
    lost: count("lost"),
    bytesRequested,
    bytesGranted,
    waste: bytesGranted === 0 ? 0 : 1 - bytesRequested / bytesGranted,
    turnover: total === 0 ? 0 : acquires / total,
    waits: count("waits"),
    timeouts: count("timeouts"),
    waitTime: percentile(exports.poolTime(pool, WAIT), (bucket) => exports.poolBucket(pool, WAIT, bucket)),
    holdTime: percentile(exports.poolTime(pool, HOLD), (bucket) => exports.poolBucket(pool, HOLD, bucket)),
    agents: readAgents(core, pool),
  };
}

function readAgents({ exports }: Core, pool: Pointer): AgentStatistics[] {
  const agents: AgentStatistics[] = [];
  for (let place = 0; place < MAX_AGENTS; place++) {
    const shard = exports.poolShard(pool, place);
    if (shard === 0) continue;
    const count = (key: keyof typeof COUNTER) => exports.shardCounter(shard, COUNTER[key]);
    agents.push({
      agent: exports.shardAgent(shard),
      acquires: count("acquires"),
      releases: count("releases"),
      exhausted: count("exhausted"),
      reclaimed: count("reclaimed"),
    });
  }
  return agents;
}

/** Statistics of every open pool of a core, whichever agent created it. */
export function poolStatistics(core: Core): PoolStatistics[] {
  return poolAddresses(core)
    .filter((pool) => !core.exports.poolClosed(pool))
    .map((pool) => readStatistics(core, pool));
}
