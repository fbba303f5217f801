/** What a dead agent leaves behind: leases, and slots that it was moving when it died. */
import { cas32, exchange8, load32, load64, store32 } from "../memory/atomics";
import { MAX_AGENTS, placeOf, placeTaken } from "../memory/agents";
import {
  asPool,
  asSlot,
  BUSY,
  CLOSED,
  HEAD,
  nextTenancy,
  REFERENCES,
  RETAINS,
  RETIRED,
  SERVING,
  Slot,
  slotAt,
  STATE,
  topOf,
} from "./layout";
import { asShard, COUNTER, count, poolOf, poolShard, SEVERAL, Shard } from "./shard";
import { trim } from "./resize";
import { bringBack, push, retireIfClosed, wake } from "./slot-pool";

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
  const dead = poolShard(pool, agent);
  // Without a shard of its own it has leased nothing here; and its place may be another agent's by now.
  if (dead == 0 || asShard(dead).agent != agent) return 0;
  let ended: u32 = 0;
  for (let i: u32 = 0; i < asPool(pool).max; i++) {
    if (dropAll(shard, slotAt(pool, i), i, agent)) ended++;
  }
  store32(dead + offsetof<Shard>("journal"), 0);
  wake(pool, -1); // it may have been woken last, and not have lived to act on it
  return ended;
}

/**
 * Gives back every reference of `agent` to a slot. Returns whether the tenancy ended. The dead agent's books
 * are closed first, by exchange, so that of several agents that reclaim at once only one gives a reference back.
 */
function dropAll(shard: usize, slot: usize, index: u32, agent: u32): bool {
  const pool = poolOf(shard);
  const retains = slot + RETAINS + (placeOf(agent) as usize);
  const owner = slot + offsetof<Slot>("owner");
  asShard(shard).journal = index + 1;
  let last = false;
  while (true) {
    const word = load32(slot);
    const references = word & REFERENCES;
    if (references == 0) break;
    const retained: u8 = asSlot(slot).retained != 0 ? exchange8(retains, 0) : 0;
    const owned = cas32(owner, agent + 1, 0) == agent + 1;
    const held = (retained as u32) + u32(owned);
    if (held == 0) break;
    last = references <= held;
    if (cas32(slot, word, last ? nextTenancy(word) | BUSY : word - held) == word) {
      if (last) {
        count(shard, COUNTER.RECLAIMED);
        bringBack(shard, slot, index, settle(pool, slot));
      }
      break;
    }
    last = false;
    if (retained > 0) store<u8>(retains, retained);
    if (owned) cas32(owner, 0, agent + 1);
  }
  asShard(shard).journal = 0;
  return last;
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
          retireIfClosed(pool, slot, settle(pool, slot));
          if (lost) {
            push(pool, i);
            wake(pool, 1);
            recovered++;
          }
        }
        asShard(shard).journal = 0;
        if (claimed) break;
      }
      if (++attempts > ATTEMPTS) return -1;
    }
  }
  // A buffer that its agent, dead since, had brought into service just before it looked whether the pool is closed.
  if (load32(pool + CLOSED) != 0) trim(shard, asPool(pool).max, 0, false, 0);
  return recovered;
}

/**
 * Ends the busy state of a slot that this agent holds: zeroed and serving if it has a buffer, else retired.
 * Returns the word that it stored, of a new generation: others may be looking at the old one.
 */
function settle(pool: usize, slot: usize): u32 {
  const buffer = asSlot(slot).payload as usize;
  if (buffer != 0) memory.fill(buffer, 0, asPool(pool).grantedBytes);
  const word = nextTenancy(load32(slot)) | (buffer != 0 ? SERVING : RETIRED);
  store32(slot, word);
  return word;
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
