/** What a dead agent leaves behind: leases, and slots that it was moving when it died. */
import { cas32, load32, load64, store32 } from "../memory/atomics";
import { MAX_AGENTS, placeOf, placeTaken } from "../memory/agents";
import {
  asPool,
  asSlot,
  BUSY,
  HEAD,
  nextTenancy,
  REFERENCES,
  RETAINS,
  RETIRED,
  SERVING,
  slotAt,
  STATE,
  topOf,
} from "./layout";
import { asShard, COUNTER, count, poolOf, poolShard, SEVERAL, Shard } from "./shard";
import { bringBack, push, retireIfClosed } from "./slot-pool";

/** Attempts at a moment in which the stack stands still. */
// @ts-ignore: decorator
@inline const ATTEMPTS: u32 = 100_000;

/**
 * Ends what the dead agent `agent` held in the pool of `shard`, which belongs to the caller: its references
 * are given back, and other agents' references to the same slots stay. Returns the number of tenancies that
 * ended. The agent must be gone for good; call poolRecover after this, and agentLeave last.
 */
export function poolReclaim(shard: usize, agent: u32): u32 {
  const pool = poolOf(shard);
  let ended: u32 = 0;
  for (let i: u32 = 0; i < asPool(pool).max; i++) {
    if (dropAll(shard, slotAt(pool, i), i, agent)) ended++;
  }
  const dead = poolShard(pool, agent);
  if (dead != 0) store<u32>(dead, 0, offsetof<Shard>("journal"));
  return ended;
}

/** Gives back every reference of `agent` to a slot. Returns whether the tenancy ended. */
function dropAll(shard: usize, slot: usize, index: u32, agent: u32): bool {
  const pool = poolOf(shard);
  const retains = slot + RETAINS + (placeOf(agent) as usize);
  let word = load32(slot);
  while (true) {
    const references = word & REFERENCES;
    if (references == 0) return false;
    const own = (load<u8>(retains) as u32) * asSlot(slot).retained + u32(asSlot(slot).owner == agent + 1);
    if (own == 0) return false;
    const last = references <= own;
    asShard(shard).journal = index + 1;
    const seen = cas32(slot, word, last ? nextTenancy(word) | BUSY : word - own);
    if (seen != word) {
      word = seen;
      continue;
    }
    if (last) {
      count(shard, COUNTER.RECLAIMED);
      settle(pool, slot);
      bringBack(shard, slot, index, load32(slot));
    } else {
      store<u8>(retains, 0);
      if (asSlot(slot).owner == agent + 1) asSlot(slot).owner = 0;
    }
    asShard(shard).journal = 0;
    return last;
  }
}

/**
 * Puts slots back on the stack that an agent had in its hands when it died: without references, not on the
 * stack, and in no living agent's journal. Slots that such an agent left busy are settled. Returns how many
 * came back, or -1 when the stack never stood still long enough to tell; call again then.
 *
 * A slot is an orphan if, with the head unchanged from first to last: the stack does not hold it, its word
 * has no references, after that no journal names it, and after that its word is still the same. A living
 * agent enters the slot in its journal before it takes it, and strikes it out after it has put it back
 * (which moves the head) or leased it (which changes the word). Of several agents that recover at once, the
 * one that raises the slot's generation first has it.
 */
export function poolRecover(shard: usize): i32 {
  const pool = poolOf(shard);
  let recovered: i32 = 0;
  let attempts: u32 = 0;
  for (let i: u32 = 0; i < asPool(pool).max; i++) {
    const slot = slotAt(pool, i);
    while (true) {
      const head = load64(pool + HEAD);
      const word = load32(slot);
      if ((word & REFERENCES) != 0) break;
      const lost = !onStack(pool, head, i);
      if (!lost && (word & STATE) != BUSY) break;
      if (load64(pool + HEAD) == head && !inJournal(pool, i) && load64(pool + HEAD) == head) {
        asShard(shard).journal = i + 1;
        const claimed = cas32(slot, word, nextTenancy(word) | BUSY) == word;
        if (claimed) {
          settle(pool, slot);
          retireIfClosed(pool, slot, load32(slot));
          if (lost) {
            push(pool, i);
            recovered++;
          }
        }
        asShard(shard).journal = 0;
        if (claimed) break;
      }
      if (++attempts > ATTEMPTS) return -1;
    }
  }
  return recovered;
}

/** Ends the busy state of a slot that this agent holds: zeroed and serving if it has a buffer, else retired. */
function settle(pool: usize, slot: usize): void {
  const buffer = asSlot(slot).payload as usize;
  if (buffer != 0) memory.fill(buffer, 0, asPool(pool).grantedBytes);
  store32(slot, (load32(slot) & ~STATE) | (buffer != 0 ? SERVING : RETIRED));
}

/** Walks the stack as it was at `head`; what it finds holds only if the head is the same afterwards. */
function onStack(pool: usize, head: u64, index: u32): bool {
  let at = topOf(head);
  for (let steps: u32 = 0; at < asPool(pool).max && steps < asPool(pool).max; steps++) {
    if (at == index) return true;
    at = asSlot(slotAt(pool, at)).next;
  }
  return false;
}

function inJournal(pool: usize, index: u32): bool {
  for (let place: u32 = 0; place < MAX_AGENTS; place++) {
    if (!placeTaken(place)) continue;
    const shard = poolShard(pool, place);
    if (shard == 0) continue;
    const journal = load32(shard + offsetof<Shard>("journal"));
    if (journal == index + 1 || journal == SEVERAL) return true;
  }
  return false;
}
