/**
 * Shards: what one agent has counted in one pool. Only that agent writes its shard, with ordinary stores,
 * so that counting costs no locked instruction and moves no cache line between cores; readers add all
 * shards up. Aligned 64-bit stores do not tear on any machine that runs Wasm with threads.
 *
 *     0     ┌───────┬───────┬───────┬───────┬───────┬───────┬───────────────┐
 *           │ pool  │ agent │journal│ peak  │ level │ in use│ hold ms f64   │
 *     32    ├───────┴───────┼───────┼───────┴───────┴───────┴───────────────┤
 *           │ wait ms f64   │ left  │ free                                  │
 *     64    ├───────────────┴───────┴───────────────────────────────────────┤
 *           │ counters, 24 × u64                                            │
 *     256   ├───────────────────────────────────────────────────────────────┤
 *           │ histograms of hold and wait times, 128 × u64 each             │  where times are kept
 *     2304  └───────────────────────────────────────────────────────────────┘
 *
 * The journal names the slot that the agent is moving between the stack and a lease, plus 1: 0 means none.
 * An agent that dies in the middle leaves it behind, and pools/reclaim.ts finds the slot.
 */
import { load32, load64, store32 } from "../memory/atomics";
import { MAX_AGENTS, placeOf } from "../memory/agents";
import { arenaAllocate, arenaRelease } from "../memory/arena";
import { asPool, POOL_MAGIC, SHARDS, STATISTICS, statisticsLevel } from "./layout";

@unmanaged
export class Shard {
  pool: u32;
  agent: u32;
  journal: u32;
  /** The most slots in use that this agent has seen when it acquired. */
  peak: u32;
  /** Statistics level, copied from the pool. */
  level: u32;
  /** Slots in use after the last pop of acquireBeyond. */
  inUse: u32;
  holdTime: f64;
  waitTime: f64;
  /** Whether the agent has done with the pool; its memory may be given back then. */
  left: u32;
}

/** Journal of an agent that holds several slots off the stack at once. */
// @ts-ignore: decorator
@inline export const SEVERAL: u32 = 0xffffffff;

/** Keys of the counters, in the order of their places. */
export namespace COUNTER {
  // @ts-ignore: decorator
  @inline export const ACQUIRES: u32 = 0;
  // @ts-ignore: decorator
  @inline export const RELEASES: u32 = 1;
  /** Acquires that had to grow the pool. */
  // @ts-ignore: decorator
  @inline export const MISSES: u32 = 2;
  // @ts-ignore: decorator
  @inline export const EXHAUSTED: u32 = 3;
  /** Those of the exhausted that found a slot but no room in the arena for its buffer. */
  // @ts-ignore: decorator
  @inline export const OUT_OF_MEMORY: u32 = 4;
  // @ts-ignore: decorator
  @inline export const RETAINS: u32 = 5;
  // @ts-ignore: decorator
  @inline export const GROWN: u32 = 6;
  // @ts-ignore: decorator
  @inline export const TRIMMED: u32 = 7;
  // @ts-ignore: decorator
  @inline export const DOUBLE_RELEASES: u32 = 8;
  // @ts-ignore: decorator
  @inline export const FOREIGN_RELEASES: u32 = 9;
  /** Retains and uses of a buffer that was released before. */
  // @ts-ignore: decorator
  @inline export const STALE_USES: u32 = 10;
  /** Tenancies ended because their holder died. */
  // @ts-ignore: decorator
  @inline export const RECLAIMED: u32 = 11;
  /** Counters from here on are the host's, through poolCount. */
  // @ts-ignore: decorator
  @inline export const HOST: u32 = 12;
  // @ts-ignore: decorator
  @inline export const COUNT: u32 = 24;
}

// @ts-ignore: decorator
@inline const COUNTERS: usize = 64;
// @ts-ignore: decorator
@inline const HISTOGRAMS: usize = 256;
// @ts-ignore: decorator
@inline const BUCKETS: u32 = 128;
// @ts-ignore: decorator
@inline const HISTOGRAM_BYTES: usize = (BUCKETS as usize) << 3;

// @ts-ignore: decorator
@inline export function asShard(shard: usize): Shard {
  return changetype<Shard>(shard);
}

// @ts-ignore: decorator
@inline export function poolOf(shard: usize): usize {
  return asShard(shard).pool as usize;
}

// @ts-ignore: decorator
@inline export function count(shard: usize, counter: u32, by: u64 = 1): void {
  const address = shard + COUNTERS + ((counter as usize) << 3);
  store<u64>(address, load<u64>(address) + by);
}

// @ts-ignore: decorator
@inline function shardOf(pool: usize, place: u32): usize {
  return load32(pool + SHARDS + ((place as usize) << 2)) as usize;
}

/** The shard of an agent's place in a pool, or 0 while there is none. */
export function poolShard(pool: usize, agent: u32): usize {
  return shardOf(pool, placeOf(agent));
}

/** The agent that a shard counts for, or counted for last. */
export function shardAgent(shard: usize): u32 {
  return asShard(shard).agent;
}

/** Bytes of a shard at a statistics level. */
export function shardBytes(level: u32): usize {
  return level >= STATISTICS.TIMES ? HISTOGRAMS + 2 * HISTOGRAM_BYTES : HISTOGRAMS;
}

/**
 * The shard of `agent` in `pool`, made when the agent first comes. Returns 0 when the arena has no room.
 * A later agent in the same place goes on with the same shard: totals stay exact.
 */
export function poolJoin(pool: usize, agent: u32): usize {
  assert(asPool(pool).magic == POOL_MAGIC, "pool: no pool at this address");
  const place = placeOf(agent);
  const known = shardOf(pool, place);
  if (known != 0) {
    asShard(known).agent = agent;
    asShard(known).left = 0;
    return known;
  }
  const level = statisticsLevel(asPool(pool).flags);
  const shard = arenaAllocate(shardBytes(level));
  if (shard == 0) return 0;
  const fields = asShard(shard);
  fields.pool = pool as u32;
  fields.agent = agent;
  fields.level = level;
  store32(pool + SHARDS + ((place as usize) << 2), shard as u32);
  return shard;
}

/** Says that the shard's agent has done with the pool, but for leases that it still holds. */
export function poolLeave(shard: usize): void {
  asShard(shard).left = 1;
}

/** Gives all shards of a pool back to the arena. */
export function releaseShards(pool: usize): void {
  const bytes = shardBytes(statisticsLevel(asPool(pool).flags));
  for (let place: u32 = 0; place < MAX_AGENTS; place++) {
    const shard = shardOf(pool, place);
    if (shard != 0) arenaRelease(shard, bytes);
  }
}

/** Adds to one of the host's counters: keys from COUNTER.HOST on, and the misuse counters. */
export function poolCount(shard: usize, counter: u32, by: f64): void {
  assert(counter >= COUNTER.DOUBLE_RELEASES && counter < COUNTER.COUNT, "pool: no counter of the host");
  count(shard, counter, by as u64);
}

/** Counter `key` of one agent as a float64: exact up to 2^53. */
export function shardCounter(shard: usize, key: u32): f64 {
  assert(key < COUNTER.COUNT, "pool: counter out of range");
  return load64(shard + COUNTERS + ((key as usize) << 3)) as f64;
}

/** Counter `key` of a pool: the sum over its agents. */
export function poolCounter(pool: usize, key: u32): f64 {
  let sum: f64 = 0;
  for (let place: u32 = 0; place < MAX_AGENTS; place++) {
    const shard = shardOf(pool, place);
    if (shard != 0) sum += shardCounter(shard, key);
  }
  return sum;
}

/**
 * The most slots ever in use at once. Each acquire saw the exact number off the stack, so that the greatest
 * seen is exact; a slot that another agent has popped and not yet leased, or set aside, counts as in use.
 */
export function poolPeak(pool: usize): u32 {
  let peak: u32 = 0;
  for (let place: u32 = 0; place < MAX_AGENTS; place++) {
    const shard = shardOf(pool, place);
    if (shard != 0) peak = max(peak, asShard(shard).peak);
  }
  return peak;
}

/** Milliseconds that leases were held (which = 0) or waited for (1), over all agents. */
export function poolTime(pool: usize, which: u32): f64 {
  let sum: f64 = 0;
  for (let place: u32 = 0; place < MAX_AGENTS; place++) {
    const shard = shardOf(pool, place);
    if (shard != 0) sum += which == 0 ? asShard(shard).holdTime : asShard(shard).waitTime;
  }
  return sum;
}

/** Entries in one bucket of the hold (which = 0) or wait (1) histogram, over all agents. */
export function poolBucket(pool: usize, which: u32, bucket: u32): f64 {
  assert(which < 2 && bucket < BUCKETS, "pool: bucket out of range");
  if (statisticsLevel(asPool(pool).flags) < STATISTICS.TIMES) return 0;
  let sum: f64 = 0;
  for (let place: u32 = 0; place < MAX_AGENTS; place++) {
    const shard = shardOf(pool, place);
    if (shard != 0) sum += load64(bucketAddress(shard, which, bucket)) as f64;
  }
  return sum;
}

// @ts-ignore: decorator
@inline function bucketAddress(shard: usize, which: u32, bucket: u32): usize {
  return shard + HISTOGRAMS + (which as usize) * HISTOGRAM_BYTES + ((bucket as usize) << 3);
}

/**
 * The bucket of a time: four to an octave, read off the exponent and the top two bits of the mantissa.
 * Bucket 0 ends at 2^-11 ms (0.49 µs), bucket 127 begins at 1.5 × 2^20 ms (26 minutes).
 */
// @ts-ignore: decorator
@inline function bucketOf(milliseconds: f64): u32 {
  const quarters = ((reinterpret<u64>(max<f64>(milliseconds, 0)) >> 50) as i32) - (((1023 - 11) << 2) - 1);
  return min(max(quarters, 0), (BUCKETS - 1) as i32) as u32;
}

/** Records a hold time. */
// @ts-ignore: decorator
@inline export function countHold(shard: usize, milliseconds: f64): void {
  asShard(shard).holdTime += milliseconds;
  const address = bucketAddress(shard, 0, bucketOf(milliseconds));
  store<u64>(address, load<u64>(address) + 1);
}

/** Records a wait; does nothing where times are not kept. */
export function poolCountWait(shard: usize, milliseconds: f64): void {
  if (asShard(shard).level < STATISTICS.TIMES) return;
  asShard(shard).waitTime += milliseconds;
  const address = bucketAddress(shard, 1, bucketOf(milliseconds));
  store<u64>(address, load<u64>(address) + 1);
}
