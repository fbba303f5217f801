/**
 * A pool of equal buffers: the stack of free slots, and acquiring from it. Lock-free from any number of
 * agents, no allocation. What becomes of a lease is in references.ts.
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
import { arenaAllocate, arenaRelease } from "../memory/arena";
import {
  asPool,
  asSlot,
  BUSY,
  CLOSED,
  HEAD,
  handleOf,
  headPopped,
  headPushed,
  inUseOf,
  nextTenancy,
  NIL,
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
} from "./layout";
import { asShard, COUNTER, count, poolOf, SEVERAL } from "./shard";

// Results of poolAcquire other than a handle.
// @ts-ignore: decorator
@inline const EXHAUSTED: i32 = 0;
// @ts-ignore: decorator
@inline const OUT_OF_MEMORY: i32 = -1;
// @ts-ignore: decorator
@inline const POOL_CLOSED: i32 = -2;

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
    own(shard, slot, now);
    const word = load32(slot);
    // Exchanged, not stored: a trimming agent may be taking the buffer away at this moment.
    if ((word & STATE) == SERVING && cas32(slot, word, word + 1) == word) {
      note(shard, slot, inUseOf(popped));
      asShard(shard).journal = 0;
      return handleOf(word, index);
    }
    return acquireBeyond(shard, index, inUseOf(popped), now);
  }
}

/** Whether there is reason to try an acquire: a slot is on the stack, or the pool is closed, which it would say. */
export function poolReady(pool: usize): bool {
  return topOf(load64(pool + HEAD)) != NIL || load32(pool + CLOSED) != 0;
}

/**
 * Writes the agent into a slot that it has popped. Before the exchange that begins the tenancy: an agent that
 * reclaims looks for the owner of every tenancy that it sees, and one that checks for leaks for its beginning.
 */
// @ts-ignore: decorator
@inline function own(shard: usize, slot: usize, now: f64): void {
  const fields = asSlot(slot);
  fields.owner = asShard(shard).agent + 1;
  fields.acquireTime = now;
  if (fields.retained) {
    memory.fill(slot + RETAINS, 0, 64);
    fields.retained = 0;
  }
}

/** Counts a tenancy that has just begun. */
// @ts-ignore: decorator
@inline function note(shard: usize, slot: usize, inUse: u32): void {
  if (asShard(shard).level >= STATISTICS.COUNTS) {
    count(shard, COUNTER.ACQUIRES);
    if (inUse > asShard(shard).peak) asShard(shard).peak = inUse;
  }
  asSlot(slot).useCount++;
}

/**
 * The way of an acquire that popped a slot it could not lease at once: retired, or in another agent's hands.
 * Slots that cannot serve are set aside and go back at the end, so that a serving one below them is found
 * even when the arena has no room. Each slot of the pool is visited at most once: what is aside is off the stack.
 */
function acquireBeyond(shard: usize, first: u32, inUse: u32, now: f64): i32 {
  const pool = poolOf(shard);
  let failure = EXHAUSTED;
  let handle: i32 = 0;
  let aside: u32 = NIL;
  let asideCount: u32 = 0;
  asShard(shard).inUse = inUse;
  for (let index = first; index != NIL; index = popAny(shard)) {
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
  // Not before: until then the slots set aside are in this agent's hands.
  asShard(shard).journal = 0;
  return handle > 0 ? handle : refuse(shard, failure);
}

/** Tries to lease a slot that this agent has popped. Returns its handle, 0 when it is busy, -1 without room. */
function claim(shard: usize, slot: usize, index: u32, asideCount: u32, now: f64): i32 {
  const pool = poolOf(shard);
  own(shard, slot, now);
  let word = load32(slot);
  while (true) {
    const state = word & STATE;
    if (state == BUSY || (state == RETIRED && load32(pool + CLOSED) != 0)) return EXHAUSTED;
    const seen = cas32(slot, word, state == RETIRED ? (word & ~STATE) | BUSY : word + 1);
    if (seen == word) {
      if (state == RETIRED) {
        if (!giveBuffer(pool, slot)) {
          store32(slot, nextTenancy(word) | RETIRED);
          return OUT_OF_MEMORY;
        }
        word &= ~STATE;
        store32(slot, word + 1);
        if (asShard(shard).level >= STATISTICS.COUNTS) count(shard, COUNTER.MISSES);
        count(shard, COUNTER.GROWN);
      }
      note(shard, slot, asShard(shard).inUse - asideCount);
      return handleOf(word, index);
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

/** Pops whatever is on top, and notes how many slots are in use then. Returns its index, or NIL. */
function popAny(shard: usize): u32 {
  const pool = poolOf(shard);
  let head = load64(pool + HEAD);
  while (true) {
    const index = topOf(head);
    if (index == NIL) return NIL;
    const popped = headPopped(head, asSlot(slotAt(pool, index)).next);
    const seen = cas64(pool + HEAD, head, popped);
    if (seen == head) {
      asShard(shard).inUse = inUseOf(popped);
      return index;
    }
    head = seen;
  }
}

/** Puts a slot that this agent holds on the stack. */
export function push(pool: usize, index: u32): void {
  const slot = slotAt(pool, index);
  let head = load64(pool + HEAD);
  while (true) {
    asSlot(slot).next = topOf(head);
    const seen = cas64(pool + HEAD, head, headPushed(head, index));
    if (seen == head) break;
    head = seen;
  }
}

/**
 * Wakes up to `agents` agents that wait, after a slot has come free. Not after slots set aside have gone back:
 * a waiter whose own try did that would wake itself for ever. A waiter counts itself in before it tries a last
 * time, so that one of the two sees the other.
 */
export function wake(pool: usize, agents: i32): void {
  if (load32(pool + WAITERS) == 0) return;
  add32(pool + WAKE, 1);
  notify(pool + WAKE, agents);
}

function refuse(shard: usize, result: i32): i32 {
  asShard(shard).journal = 0;
  if (load32(poolOf(shard) + CLOSED) != 0) return POOL_CLOSED;
  count(shard, COUNTER.EXHAUSTED);
  if (result == OUT_OF_MEMORY) count(shard, COUNTER.OUT_OF_MEMORY);
  return result;
}

/** Puts a slot whose tenancy has ended on the stack; in a closed pool its buffer goes back first. */
export function bringBack(shard: usize, slot: usize, index: u32, free: u32): void {
  const pool = poolOf(shard);
  asSlot(slot).releaseTag = tagOf(load64(pool + HEAD)) + 1;
  retireIfClosed(pool, slot, free);
  push(pool, index);
  wake(pool, 1);
}

/**
 * Takes the buffer of a slot again if the pool has been closed; `word` is the slot's, serving. Whoever brings
 * a slot into service that nobody leases looks here after it: the agent that closes says so before it looks
 * for serving slots, so that one of the two sees the other.
 */
export function retireIfClosed(pool: usize, slot: usize, word: u32): void {
  if (load32(pool + CLOSED) == 0 || (word & STATE) != SERVING || cas32(slot, word, word | BUSY) != word) return;
  takeBuffer(pool, slot);
  store32(slot, nextTenancy(word) | RETIRED);
}

