/**
 * Growing ahead of demand and trimming: free slots change between serving and retired where they lie on
 * the stack. The agent that exchanged a slot's word to BUSY has its buffer to itself meanwhile; an acquire
 * that pops a busy slot sets it aside and goes on, so that nobody waits for anybody.
 */
import { cas32, load32, load64, store32 } from "../memory/atomics";
import { asPool, asSlot, BUSY, HEAD, PINNED, REFERENCES, RETIRED, SERVING, slotAt, STATE, tagOf } from "./layout";
import { asShard, COUNTER, count, poolOf } from "./shard";
import { giveBuffer, takeBuffer } from "./slot-pool";

/** The moment that poolTrim counts idleness from: slots released after it stay. */
export function poolMoment(pool: usize): u32 {
  return tagOf(load64(pool + HEAD));
}

/**
 * Retires up to `count` free slots, the least recently used first, while more than `floor` are in service.
 * Returns how many; their buffers have gone back to the arena, zeroed. A pinned pool keeps them all.
 */
export function poolTrim(shard: usize, count: u32, floor: u32): u32 {
  return pinned(shard) ? 0 : trim(shard, count, floor, 0);
}

/** As poolTrim, only of slots that nobody has used since `moment` (see poolMoment). */
export function poolTrimIdle(shard: usize, count: u32, floor: u32, moment: u32): u32 {
  return pinned(shard) ? 0 : trim(shard, count, floor, poolMoment(poolOf(shard)) - moment);
}

function pinned(shard: usize): bool {
  return (asPool(poolOf(shard)).flags & PINNED) != 0;
}

/** Trims any pool; `minAge` in exchanges of the head. */
export function trim(shard: usize, wanted: u32, floor: u32, minAge: u32): u32 {
  const pool = poolOf(shard);
  let trimmed: u32 = 0;
  // A slot that another agent leases under our hands costs a turn, so that the turns are bounded.
  for (let turn: u32 = 0; turn < 2 * asPool(pool).max && trimmed < wanted; turn++) {
    const index = pick(pool, SERVING, minAge);
    if (index < 0) break;
    const slot = slotAt(pool, index);
    const word = load32(slot);
    asShard(shard).journal = index + 1;
    if ((word & (STATE | REFERENCES)) != SERVING || cas32(slot, word, word | BUSY) != word) continue;
    // Counted without the busy ones, so that two agents that trim at once do not go below the floor together.
    if (inService(pool, false) < floor) {
      store32(slot, word);
      break;
    }
    takeBuffer(pool, slot);
    store32(slot, word | RETIRED);
    trimmed++;
  }
  asShard(shard).journal = 0;
  if (trimmed > 0) count(shard, COUNTER.TRIMMED, trimmed);
  return trimmed;
}

/** Brings up to `wanted` retired slots into service ahead of demand. Returns how many. */
export function poolGrow(shard: usize, wanted: u32): u32 {
  const pool = poolOf(shard);
  let grown: u32 = 0;
  for (let turn: u32 = 0; turn < 2 * asPool(pool).max && grown < wanted; turn++) {
    // The uppermost retired slot: the one that would be reached first.
    const index = pick(pool, RETIRED, 0);
    if (index < 0) break;
    const slot = slotAt(pool, index);
    const word = load32(slot);
    asShard(shard).journal = index + 1;
    if ((word & (STATE | REFERENCES)) != RETIRED || cas32(slot, word, (word & ~STATE) | BUSY) != word) continue;
    const room = giveBuffer(pool, slot);
    store32(slot, room ? word & ~STATE : word);
    if (!room) break;
    grown++;
  }
  asShard(shard).journal = 0;
  if (grown > 0) count(shard, COUNTER.GROWN, grown);
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
    if (asSlot(slot).payload != 0 && (busyToo || (load32(slot) & STATE) != BUSY)) found++;
  }
  return found;
}

/**
 * A free slot in the given state: of serving ones the least recently released, if that was at least
 * `minAge` exchanges ago; of retired ones the most recently released, which lies highest. Slots that were
 * never used lie at the bottom in the order of their indices. -1 for none.
 */
function pick(pool: usize, state: u32, minAge: u32): i32 {
  const now = tagOf(load64(pool + HEAD));
  let best: i32 = -1;
  let bestAge: u32 = 0;
  for (let i: u32 = 0; i < asPool(pool).max; i++) {
    const slot = slotAt(pool, i);
    if ((load32(slot) & (STATE | REFERENCES)) != state) continue;
    const age = now - asSlot(slot).releaseTag;
    const better = best < 0 || (state == SERVING ? age >= bestAge : age < bestAge);
    if (!better || age < minAge) continue;
    best = i as i32;
    bestAge = age;
  }
  return best;
}
