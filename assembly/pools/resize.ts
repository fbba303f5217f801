/**
 * Growing ahead of demand and trimming: free slots change between serving and retired where they lie on
 * the stack. The agent that exchanged a slot's word to BUSY has its buffer to itself meanwhile; an acquire
 * that pops a busy slot sets it aside and goes on, so that nobody waits for anybody. A slot leaves BUSY with
 * a new generation, so that its word never comes again: see poolRecover.
 */
import { cas32, load32, load64, store32 } from "../memory/atomics";
import {
  asPool,
  asSlot,
  BUSY,
  CLOSED,
  HEAD,
  nextTenancy,
  PINNED,
  REFERENCES,
  RETIRED,
  SERVING,
  slotAt,
  STATE,
  tagOf,
} from "./layout";
import { asShard, COUNTER, count, poolOf } from "./shard";
import { giveBuffer, retireIfClosed, takeBuffer, wake } from "./slot-pool";

/** The moment that poolTrim counts idleness from: slots released after it stay. */
export function poolMoment(pool: usize): u32 {
  return tagOf(load64(pool + HEAD));
}

/**
 * Retires up to `count` free slots, the least recently used first, while more than `floor` are in service.
 * Returns how many; their buffers have gone back to the arena, zeroed. A pinned pool keeps them all.
 */
export function poolTrim(shard: usize, count: u32, floor: u32): u32 {
  return pinned(shard) ? 0 : trim(shard, count, floor, false, 0);
}

/** As poolTrim, only of slots that nobody has used since `moment` (see poolMoment). */
export function poolTrimIdle(shard: usize, count: u32, floor: u32, moment: u32): u32 {
  return pinned(shard) ? 0 : trim(shard, count, floor, true, moment);
}

function pinned(shard: usize): bool {
  return (asPool(poolOf(shard)).flags & PINNED) != 0;
}

/** Trims any pool; with `idle` only slots not released after `moment`. */
export function trim(shard: usize, wanted: u32, floor: u32, idle: bool, moment: u32): u32 {
  const pool = poolOf(shard);
  let trimmed: u32 = 0;
  // A slot that another agent leases under our hands costs a turn, so that the turns are bounded.
  for (let turn: u32 = 0; turn < 2 * asPool(pool).max && trimmed < wanted; turn++) {
    const index = pick(pool, SERVING, idle, moment);
    if (index < 0) break;
    const slot = slotAt(pool, index);
    const word = load32(slot);
    asShard(shard).journal = index + 1;
    if ((word & (STATE | REFERENCES)) != SERVING || cas32(slot, word, word | BUSY) != word) continue;
    // Counted without the busy ones, so that two agents that trim at once do not go below the floor together.
    if (inService(pool, false) < floor) {
      const again = nextTenancy(word);
      store32(slot, again);
      retireIfClosed(pool, slot, again);
      break;
    }
    count(shard, COUNTER.TRIMMED);
    takeBuffer(pool, slot);
    store32(slot, nextTenancy(word) | RETIRED);
    trimmed++;
  }
  asShard(shard).journal = 0;
  return trimmed;
}

/** Brings up to `wanted` retired slots into service ahead of demand. Returns how many. */
export function poolGrow(shard: usize, wanted: u32): u32 {
  const pool = poolOf(shard);
  let grown: u32 = 0;
  for (let turn: u32 = 0; turn < 2 * asPool(pool).max && grown < wanted; turn++) {
    // The uppermost retired slot: the one that would be reached first.
    const index = pick(pool, RETIRED, false, 0);
    if (index < 0) break;
    const slot = slotAt(pool, index);
    const word = load32(slot);
    asShard(shard).journal = index + 1;
    if ((word & (STATE | REFERENCES)) != RETIRED || cas32(slot, word, (word & ~STATE) | BUSY) != word) continue;
    const again = nextTenancy(word);
    if (load32(pool + CLOSED) != 0 || !giveBuffer(pool, slot)) {
      store32(slot, again | RETIRED);
      break;
    }
    store32(slot, again);
    count(shard, COUNTER.GROWN);
    retireIfClosed(pool, slot, again);
    grown++;
  }
  asShard(shard).journal = 0;
  if (grown > 0) wake(pool, grown as i32);
  return grown;
}

/** Slots that have a buffer. */
export function poolInService(pool: usize): u32 {
  return inService(pool, true);
}

function inService(pool: usize, busyToo: bool): u32 {
  let found: u32 = 0;
  for (let i: u32 = 0; i < asPool(pool).max; i++) {
    const slot = slotAt(pool, i);
    // One load decides: a buffer seen before and a state seen after may never have been true together.
    const state = load32(slot) & STATE;
    if (state == SERVING || (busyToo && state == BUSY && asSlot(slot).payload != 0)) found++;
  }
  return found;
}

/**
 * A free slot in the given state: of serving ones the least recently released, with `idle` only if that was
 * not after `moment`; of retired ones the most recently released, which lies highest. Slots that were never
 * used lie at the bottom in the order of their indices. -1 for none.
 */
function pick(pool: usize, state: u32, idle: bool, moment: u32): i32 {
  const now = tagOf(load64(pool + HEAD));
  let best: i32 = -1;
  let bestAge: i32 = 0;
  for (let i: u32 = 0; i < asPool(pool).max; i++) {
    const slot = slotAt(pool, i);
    if ((load32(slot) & (STATE | REFERENCES)) != state) continue;
    const tag = asSlot(slot).releaseTag;
    if (idle && ((tag - moment) as i32) > 0) continue;
    // Signed: a slot on its way to the stack bears the tag of an exchange that is still to come.
    const age = (now - tag) as i32;
    if (best >= 0 && (state == SERVING ? age < bestAge : age >= bestAge)) continue;
    best = i as i32;
    bestAge = age;
  }
  return best;
}
