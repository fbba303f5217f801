/**
 * A pool of equal buffers: acquire, retain, release. Lock-free from any number of agents, no allocation.
 *
 * The free slots form a Treiber stack (R. K. Treiber, "Systems Programming: Coping with Parallelism", IBM
 * RJ 5118, 1986) whose head carries a tag against ABA: top index and tag are exchanged as one 64-bit word,
 * so that an agent that was interrupted between reading the top and exchanging it fails if anything
 * happened in between, even if the same slot is on top again. The slot released last is handed out first:
 * its lines are still in the cache. test/models explores these steps over all interleavings.
 *
 * Who may write what: slots off the stack belong to the agent that popped them, whose ordinary stores
 * become visible with its next exchange; a slot's word is only ever exchanged, or stored by the one agent
 * that holds it BUSY.
 *
 * Counting follows the exchange that it counts at once, with no loop and no call between: engines end a
 * terminated thread only at loops and calls, so that the counts stay exact when an agent dies.
 */
import { add32, cas32, cas64, load32, load64, notify, store32 } from "../memory/atomics";
import { placeOf } from "../memory/agents";
import { arenaAllocate, arenaRelease } from "../memory/arena";
import {
  asPool,
  asSlot,
  BUSY,
  CLOSED,
  GENERATION_SHIFT,
  HEAD,
  handleOf,
  headPopped,
  headPushed,
  INDEX_BITS,
  INDEX_MASK,
  inUseOf,
  nextTenancy,
  NIL,
  REFERENCES,
  RETAINS,
  RETIRED,
  SERVING,
  slotAt,
  STATE,
  STATISTICS,
  tagOf,
  topOf,
  WAITERS,
  WAKE,
  ZERO_ON_RELEASE,
} from "./layout";
import { asShard, COUNTER, count, countHold, poolOf, SEVERAL } from "./shard";

// Results of poolAcquire other than a handle.
// @ts-ignore: decorator
@inline const EXHAUSTED: i32 = 0;
// @ts-ignore: decorator
@inline const OUT_OF_MEMORY: i32 = -1;
// @ts-ignore: decorator
@inline const POOL_CLOSED: i32 = -2;

// Results of poolRelease, poolRetain and poolAdopt.
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
 * Leases a slot to the shard's agent. `now` is a time in milliseconds where the pool keeps times, else 0.
 * Returns its handle; 0 when every slot is leased, -1 when a slot is left but the arena has no room for its
 * buffer, -2 when the pool is closed.
 */
export function poolAcquire(shard: usize, now: f64): i32 {
  const pool = poolOf(shard);
  let head = load64(pool + HEAD);
  while (true) {
    const index = topOf(head);
    if (index == NIL) return refuse(shard, EXHAUSTED);
    asShard(shard).journal = index + 1;
    const slot = slotAt(pool, index);
    // Another agent may have popped this slot since; then `next` is stale and the tag has changed.
    const popped = headPopped(head, asSlot(slot).next);
    const seen = cas64(pool + HEAD, head, popped);
    if (seen != head) {
      head = seen;
      continue;
    }
    const word = load32(slot);
    // Exchanged, not stored: a trimming agent may be taking the buffer away at this moment.
    if ((word & STATE) == SERVING && cas32(slot, word, word + 1) == word) {
      return lease(shard, slot, handleOf(word, index), inUseOf(popped), now);
    }
    return acquireBeyond(shard, index, now);
  }
}

// @ts-ignore: decorator
@inline function lease(shard: usize, slot: usize, handle: i32, inUse: u32, now: f64): i32 {
  const fields = asSlot(slot);
  fields.owner = asShard(shard).agent + 1;
  if (asShard(shard).level >= STATISTICS.COUNTS) {
    count(shard, COUNTER.ACQUIRES);
    if (inUse > asShard(shard).peak) asShard(shard).peak = inUse;
  }
  fields.acquireTime = now;
  fields.useCount++;
  if (fields.retained) {
    memory.fill(slot + RETAINS, 0, 64);
    fields.retained = 0;
  }
  asShard(shard).journal = 0;
  return handle;
}

/**
 * The way of an acquire that popped a slot it could not lease at once: retired, or in another agent's hands.
 * Slots that cannot serve are set aside and go back at the end, so that a serving one below them is found
 * even when the arena has no room. Each slot of the pool is visited at most once: what is aside is off the stack.
 */
function acquireBeyond(shard: usize, first: u32, now: f64): i32 {
  const pool = poolOf(shard);
  let failure = EXHAUSTED;
  let handle: i32 = 0;
  let aside: u32 = NIL;
  let asideCount: u32 = 0;
  for (let index = first; index != NIL; index = popAny(pool)) {
    handle = claim(shard, slotAt(pool, index), index, asideCount, now);
    if (handle > 0) break;
    failure = min(failure, handle);
    asShard(shard).journal = SEVERAL;
    asSlot(slotAt(pool, index)).next = aside;
    aside = index;
    asideCount++;
  }
  while (aside != NIL) {
    const below = asSlot(slotAt(pool, aside)).next;
    push(pool, aside);
    aside = below;
  }
  return handle > 0 ? handle : refuse(shard, failure);
}

/** Tries to lease a slot that this agent has popped. Returns its handle, 0 when it is busy, -1 without room. */
function claim(shard: usize, slot: usize, index: u32, asideCount: u32, now: f64): i32 {
  const pool = poolOf(shard);
  let word = load32(slot);
  while (true) {
    const state = word & STATE;
    if (state == BUSY || (state == RETIRED && load32(pool + CLOSED) != 0)) return EXHAUSTED;
    const seen = cas32(slot, word, state == RETIRED ? (word & ~STATE) | BUSY : word + 1);
    if (seen == word) {
      if (state == RETIRED) {
        if (!giveBuffer(pool, slot)) {
          store32(slot, word);
          return OUT_OF_MEMORY;
        }
        word &= ~STATE;
        if (asShard(shard).level >= STATISTICS.COUNTS) count(shard, COUNTER.MISSES);
        count(shard, COUNTER.GROWN);
        store32(slot, word + 1);
      }
      return lease(shard, slot, handleOf(word, index), inUseOf(load64(pool + HEAD)) - asideCount, now);
    }
    word = seen;
  }
}

/** Gives a slot that the agent holds BUSY a buffer from the arena. Returns false when there is no room. */
export function giveBuffer(pool: usize, slot: usize): bool {
  const buffer = arenaAllocate(asPool(pool).grantedBytes as usize);
  if (buffer == 0) return false;
  asSlot(slot).payload = buffer as u32;
  return true;
}

/** Takes the buffer of a slot that the agent holds BUSY, and gives it back to the arena. */
export function takeBuffer(pool: usize, slot: usize): void {
  const buffer = asSlot(slot).payload as usize;
  asSlot(slot).payload = 0;
  arenaRelease(buffer, asPool(pool).grantedBytes as usize);
}

/** Pops whatever is on top. Returns its index, or NIL. */
function popAny(pool: usize): u32 {
  let head = load64(pool + HEAD);
  while (true) {
    const index = topOf(head);
    if (index == NIL) return NIL;
    const seen = cas64(pool + HEAD, head, headPopped(head, asSlot(slotAt(pool, index)).next));
    if (seen == head) return index;
    head = seen;
  }
}

/** Puts a slot that this agent holds on the stack, and wakes an agent that waits for one. */
export function push(pool: usize, index: u32): void {
  const slot = slotAt(pool, index);
  let head = load64(pool + HEAD);
  while (true) {
    asSlot(slot).next = topOf(head);
    const seen = cas64(pool + HEAD, head, headPushed(head, index));
    if (seen == head) break;
    head = seen;
  }
  // A waiter counts itself in before it tries a last time, so that one of the two sees the other.
  if (load32(pool + WAITERS) != 0) {
    add32(pool + WAKE, 1);
    notify(pool + WAKE, 1);
  }
}

function refuse(shard: usize, result: i32): i32 {
  asShard(shard).journal = 0;
  if (load32(poolOf(shard) + CLOSED) != 0) return POOL_CLOSED;
  count(shard, COUNTER.EXHAUSTED);
  if (result == OUT_OF_MEMORY) count(shard, COUNTER.OUT_OF_MEMORY);
  return result;
}

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
    const references = word & REFERENCES;
    if (references == 0 || word >>> GENERATION_SHIFT != (handle as u32) >>> INDEX_BITS) {
      asShard(shard).journal = 0;
      count(shard, COUNTER.DOUBLE_RELEASES);
      return STALE;
    }
    if (references > 1) {
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

/** Puts a slot whose tenancy has ended on the stack; in a closed pool its buffer goes back first. */
export function bringBack(shard: usize, slot: usize, index: u32, free: u32): void {
  const pool = poolOf(shard);
  asSlot(slot).releaseTag = tagOf(load64(pool + HEAD)) + 1;
  if (load32(pool + CLOSED) != 0 && cas32(slot, free, free | BUSY) == free) {
    takeBuffer(pool, slot);
    store32(slot, free | RETIRED);
  }
  push(pool, index);
}

/**
 * Gives back one of several references. The agent's own books come first: once the word is exchanged, the
 * slot may end its tenancy in another agent and begin the next.
 */
function dropShared(shard: usize, slot: usize, word: u32): bool {
  const retains = slot + RETAINS + (placeOf(asShard(shard).agent) as usize);
  const own = load<u8>(retains);
  const owner = asSlot(slot).owner;
  if (own > 0) store<u8>(retains, own - 1);
  else asSlot(slot).owner = 0;
  if (cas32(slot, word, word - 1) == word) return true;
  if (own > 0) store<u8>(retains, own);
  else asSlot(slot).owner = owner;
  return false;
}

/** Adds a reference. Result: 0 done, 1 stale handle, 2 no handle of this pool, 3 more than 255 by this agent. */
export function poolRetain(shard: usize, handle: i32): i32 {
  const pool = poolOf(shard);
  const index = (handle as u32) & INDEX_MASK;
  if (handle <= 0 || index >= asPool(pool).max) return misused(shard, FOREIGN);
  const slot = slotAt(pool, index);
  let word = load32(slot);
  while (true) {
    if (!alive(word, handle)) return misused(shard, STALE);
    const retains = slot + RETAINS + (placeOf(asShard(shard).agent) as usize);
    const own = load<u8>(retains);
    if (own >= MAX_RETAINS || (word & REFERENCES) == REFERENCES) return TOO_MANY;
    const seen = cas32(slot, word, word + 1);
    if (seen == word) {
      asSlot(slot).retained = 1;
      store<u8>(retains, own + 1);
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
  const pool = poolOf(shard);
  const index = (handle as u32) & INDEX_MASK;
  if (handle <= 0 || index >= asPool(pool).max) return misused(shard, FOREIGN);
  const slot = slotAt(pool, index);
  if (!alive(load32(slot), handle)) return misused(shard, STALE);
  asSlot(slot).owner = asShard(shard).agent + 1;
  return DONE;
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
