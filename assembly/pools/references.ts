/**
 * References to a tenancy: release, retain, and passing on to another agent. They go by the handle, so that
 * what has ended, or never was, is told from what is alive.
 */
import { cas32, load32, store32 } from "../memory/atomics";
import { placeOf } from "../memory/agents";
import {
  asPool,
  asSlot,
  BUSY,
  GENERATION_SHIFT,
  INDEX_BITS,
  INDEX_MASK,
  nextTenancy,
  REFERENCES,
  RETAINS,
  Slot,
  slotAt,
  STATISTICS,
  ZERO_ON_RELEASE,
} from "./layout";
import { asShard, COUNTER, count, countHold, poolOf } from "./shard";
import { bringBack } from "./slot-pool";

// Results of all functions here.
// @ts-ignore: decorator
@inline const DONE: i32 = 0;
// @ts-ignore: decorator
@inline const STALE: i32 = 1;
// @ts-ignore: decorator
@inline const FOREIGN: i32 = 2;
// @ts-ignore: decorator
@inline const TOO_MANY: i32 = 3;

/** References that one agent can add to a tenancy: a byte counts them. */
// @ts-ignore: decorator
@inline const MAX_RETAINS: u32 = 255;

/**
 * Gives one reference back; the slot returns to the pool with the last.
 * Result: 0 done, 1 released before (stale handle), 2 no handle of this pool.
 *
 * In the terms of C++ the decrement needs release order, so that all writes to the buffer come before it,
 * and the last one acquire order too, so that they are visible to whoever zeroes or leases the buffer next;
 * an increment could be relaxed, because who retains holds a reference already. Wasm has one order, which
 * includes all of these.
 */
export function poolRelease(shard: usize, handle: i32, now: f64): i32 {
  const pool = poolOf(shard);
  const index = (handle as u32) & INDEX_MASK;
  if (handle <= 0 || index >= asPool(pool).max) {
    count(shard, COUNTER.FOREIGN_RELEASES);
    return FOREIGN;
  }
  const slot = slotAt(pool, index);
  const zero = (asPool(pool).flags & ZERO_ON_RELEASE) != 0;
  let word = load32(slot);
  while (true) {
    if (!alive(word, handle)) {
      asShard(shard).journal = 0;
      count(shard, COUNTER.DOUBLE_RELEASES);
      return STALE;
    }
    if ((word & REFERENCES) > 1) {
      asShard(shard).journal = 0; // an exchange as the last holder may have failed before
      if (dropShared(shard, slot, word)) return DONE;
      word = load32(slot);
      continue;
    }
    asShard(shard).journal = index + 1;
    const acquireTime = asSlot(slot).acquireTime;
    // The generation rises in the same exchange, so that any later use of the handle is seen to be stale.
    const free = nextTenancy(word);
    const seen = cas32(slot, word, zero ? free | BUSY : free);
    if (seen != word) {
      word = seen;
      continue;
    }
    if (asShard(shard).level >= STATISTICS.COUNTS) {
      count(shard, COUNTER.RELEASES);
      if (asShard(shard).level >= STATISTICS.TIMES) countHold(shard, now - acquireTime);
    }
    if (zero) {
      memory.fill(asSlot(slot).payload, 0, asPool(pool).grantedBytes);
      store32(slot, free);
    }
    bringBack(shard, slot, index, free);
    asShard(shard).journal = 0;
    return DONE;
  }
}

/**
 * Gives back one of several references. The agent's own books come first: once the word is exchanged, the
 * slot may end its tenancy in another agent and begin the next. The owner is exchanged, not stored, because
 * another agent may adopt the tenancy meanwhile.
 */
function dropShared(shard: usize, slot: usize, word: u32): bool {
  const retains = slot + RETAINS + (placeOf(asShard(shard).agent) as usize);
  const owner = slot + offsetof<Slot>("owner");
  const me = asShard(shard).agent + 1;
  const retained = load<u8>(retains);
  if (retained > 0) store<u8>(retains, retained - 1);
  else cas32(owner, me, 0);
  if (cas32(slot, word, word - 1) == word) return true;
  if (retained > 0) store<u8>(retains, retained);
  else cas32(owner, 0, me);
  return false;
}

/** Adds a reference. Result: 0 done, 1 stale handle, 2 no handle of this pool, 3 more than 255 by this agent. */
export function poolRetain(shard: usize, handle: i32): i32 {
  const result = check(shard, handle);
  if (result != DONE) return result;
  const slot = slotAt(poolOf(shard), (handle as u32) & INDEX_MASK);
  const retains = slot + RETAINS + (placeOf(asShard(shard).agent) as usize);
  const retained = load<u8>(retains);
  let word = load32(slot);
  while (true) {
    if (!alive(word, handle)) return misused(shard, STALE);
    if (retained >= MAX_RETAINS || (word & REFERENCES) == REFERENCES) return TOO_MANY;
    const seen = cas32(slot, word, word + 1);
    if (seen == word) {
      asSlot(slot).retained = 1;
      store<u8>(retains, retained + 1);
      count(shard, COUNTER.RETAINS);
      return DONE;
    }
    word = seen;
  }
}

/**
 * Makes the shard's agent the owner of a tenancy that another agent began and handed over with its handle.
 * Result: 0 done, 1 stale handle, 2 no handle of this pool.
 */
export function poolAdopt(shard: usize, handle: i32): i32 {
  const result = check(shard, handle);
  if (result == DONE) store32(ownerOf(shard, handle), asShard(shard).agent + 1);
  return result;
}

/** Takes the shard's agent off a tenancy that it is about to hand over. Result as that of poolAdopt. */
export function poolHandOver(shard: usize, handle: i32): i32 {
  const result = check(shard, handle);
  if (result == DONE) cas32(ownerOf(shard, handle), asShard(shard).agent + 1, 0);
  return result;
}

// @ts-ignore: decorator
@inline function ownerOf(shard: usize, handle: i32): usize {
  return slotAt(poolOf(shard), (handle as u32) & INDEX_MASK) + offsetof<Slot>("owner");
}

/** Whether a handle is live, and if not, counts why. */
function check(shard: usize, handle: i32): i32 {
  const pool = poolOf(shard);
  const index = (handle as u32) & INDEX_MASK;
  if (handle <= 0 || index >= asPool(pool).max) return misused(shard, FOREIGN);
  return alive(load32(slotAt(pool, index)), handle) ? DONE : misused(shard, STALE);
}

// @ts-ignore: decorator
@inline function alive(word: u32, handle: i32): bool {
  return (word & REFERENCES) != 0 && word >>> GENERATION_SHIFT == (handle as u32) >>> INDEX_BITS;
}

function misused(shard: usize, result: i32): i32 {
  count(shard, result == FOREIGN ? COUNTER.FOREIGN_RELEASES : COUNTER.STALE_USES);
  return result;
}

/** Whether a handle names a live tenancy of this pool. */
export function poolAlive(pool: usize, handle: i32): bool {
  const index = (handle as u32) & INDEX_MASK;
  return handle > 0 && index < asPool(pool).max && alive(load32(slotAt(pool, index)), handle);
}
