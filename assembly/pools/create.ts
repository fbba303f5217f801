/** Creation, lookup and closing of pools. */
import { add32, load32, load64, notify, store32 } from "../memory/atomics";
import { MAX_AGENTS, placeTaken } from "../memory/agents";
import { arenaAllocate, arenaRelease } from "../memory/arena";
import { align64, DIRECTORY_PLACES, POOLS_OFFSET, register, registered, unregister } from "../memory/header";
import {
  asPool,
  asSlot,
  CLOSED,
  GENERATION_SHIFT,
  HEAD,
  inUseOf,
  MAX_SLOTS,
  NAME,
  NIL,
  POOL_HEADER_BYTES,
  POOL_MAGIC,
  RETIRED,
  SERVING,
  slotAt,
  SLOT_BYTES,
  statisticsLevel,
  WAKE,
} from "./layout";
import { asShard, poolJoin, poolOf, poolShard, releaseShards, shardBytes } from "./shard";
import { trim } from "./resize";

/** Bytes of a pool's header with its slot headers. */
function headerBytes(max: u32): usize {
  return POOL_HEADER_BYTES + (max as usize) * SLOT_BYTES;
}

/** Bytes that a pool with `slots` slots in service and `agents` agents takes from the arena. */
export function poolBytes(payloadBytes: u32, max: u32, slots: u32, flags: u32, agents: u32): f64 {
  const shards = (shardBytes(statisticsLevel(flags)) as f64) * (agents as f64);
  return (headerBytes(max) as f64) + (align64(payloadBytes) as f64) * (slots as f64) + shards;
}

/**
 * Creates a pool of `initial` to `max` slots (max 1 to 4096) of `payloadBytes` each, with the first
 * `initial` in service and `agent`'s counters. The host writes name, type and shape, then calls poolPublish.
 * Returns its address, or 0 when the arena has no room: nothing is taken then.
 */
export function poolCreate(payloadBytes: u32, initial: u32, max: u32, flags: u32, tier: u32, agent: u32): usize {
  assert(payloadBytes > 0 && max > 0 && max <= MAX_SLOTS && initial <= max, "pool: size out of range");
  const pool = arenaAllocate(headerBytes(max));
  if (pool == 0) return 0;
  const fields = asPool(pool);
  fields.magic = POOL_MAGIC;
  fields.payloadBytes = payloadBytes;
  fields.grantedBytes = align64(payloadBytes) as u32;
  fields.initial = initial;
  fields.max = max;
  fields.flags = flags;
  fields.tier = tier;
  for (let i: u32 = 0; i < max; i++) {
    const slot = asSlot(slotAt(pool, i));
    slot.next = i + 1 < max ? i + 1 : NIL;
    slot.tier = tier;
    slot.word = (1 << GENERATION_SHIFT) | RETIRED;
    if (i >= initial) continue;
    slot.payload = arenaAllocate(fields.grantedBytes as usize) as u32;
    if (slot.payload == 0) {
      giveBack(pool);
      return 0;
    }
    slot.word = (1 << GENERATION_SHIFT) | SERVING;
  }
  if (poolJoin(pool, agent) == 0) {
    giveBack(pool);
    return 0;
  }
  return pool; // the head is all zeros: slot 0 on top, none in use
}

/**
 * Enters a pool in the directory, where other agents find it. Result: 1, or 0 when all 64 places are taken,
 * or 2 when another pool of that name is there; the pool is given back in both cases. Of two agents that
 * publish one name at once at least one is refused.
 */
export function poolPublish(pool: usize): i32 {
  let result: i32 = register(POOLS_OFFSET, pool) < 0 ? 0 : 1;
  for (let i: u32 = 0; result == 1 && i < DIRECTORY_PLACES; i++) {
    const other = registered(POOLS_OFFSET, i);
    if (other == 0 || other == pool || load32(other + CLOSED) != 0 || !sameName(other, pool)) continue;
    unregister(POOLS_OFFSET, pool);
    result = 2;
  }
  if (result != 1) giveBack(pool);
  return result;
}

function sameName(a: usize, b: usize): bool {
  const length = asPool(a).nameLength;
  return length == asPool(b).nameLength && memory.compare(a + NAME, b + NAME, (length as usize) << 1) == 0;
}

/** Whether a pool has been closed. */
export function poolClosed(pool: usize): bool {
  return load32(pool + CLOSED) != 0;
}

/** The pool at a place of the directory, or 0. */
export function poolAt(place: u32): usize {
  return place < DIRECTORY_PLACES ? registered(POOLS_OFFSET, place) : 0;
}

/**
 * Closes a pool: no acquire succeeds from here on, free buffers go back to the arena, and the leased ones
 * follow with their release. Its name is free again; it stays in the directory until poolFree, so that leases of
 * agents that die can be reclaimed. Returns the number of slots still leased.
 */
export function poolClose(shard: usize): u32 {
  const pool = poolOf(shard);
  store32(pool + CLOSED, 1);
  trim(shard, asPool(pool).max, 0, false, 0);
  // Whoever waits for a slot is to learn that none will come.
  add32(pool + WAKE, 1);
  notify(pool + WAKE, -1);
  return inUseOf(load64(pool + HEAD));
}

/**
 * Gives the header and counters of a closed pool back too. Returns false, and leaves them, while a slot is
 * leased or an agent that is present has not left the pool (see poolLeave).
 */
export function poolFree(pool: usize): bool {
  if (load32(pool + CLOSED) == 0 || inUseOf(load64(pool + HEAD)) != 0) return false;
  for (let place: u32 = 0; place < MAX_AGENTS; place++) {
    const shard = poolShard(pool, place);
    if (shard != 0 && placeTaken(place) && asShard(shard).left == 0) return false;
  }
  unregister(POOLS_OFFSET, pool);
  giveBack(pool);
  return true;
}

/** Gives everything of a pool back that no agent can reach. */
function giveBack(pool: usize): void {
  const fields = asPool(pool);
  for (let i: u32 = 0; i < fields.max; i++) {
    const buffer = asSlot(slotAt(pool, i)).payload as usize;
    if (buffer != 0) arenaRelease(buffer, fields.grantedBytes as usize);
  }
  releaseShards(pool);
  arenaRelease(pool, headerBytes(fields.max));
}
