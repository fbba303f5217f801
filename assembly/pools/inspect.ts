/** What can be read of a pool and its slots without changing them, from any agent. */
import { placeOf } from "../memory/agents";
import { load32, load64, store64 } from "../memory/atomics";
import { asPool, asSlot, HEAD, handleOf, inUseOf, NAME, POOL_MAGIC, REFERENCES, RETAINS, Slot, slotAt, WAITERS } from "./layout";

/** The slot at an index, refused where there is none. */
// @ts-ignore: decorator
@inline function checked(pool: usize, index: u32): usize {
  assert(asPool(pool).magic == POOL_MAGIC, "pool: no pool at this address");
  assert(index < asPool(pool).max, "pool: slot index out of range");
  return slotAt(pool, index);
}

/** Slots off the stack: leased, or being moved. */
export function poolInUse(pool: usize): u32 {
  return inUseOf(load64(pool + HEAD));
}

export function poolMax(pool: usize): u32 {
  return asPool(pool).max;
}

/** Address of the two words that agents wait with: how many wait, and the word that changes when a slot comes back. */
export function poolWaiters(pool: usize): usize {
  return pool + WAITERS;
}

/** Address of the pool's name: 32 UTF-16 units, of which poolNameLength are used. */
export function poolName(pool: usize): usize {
  return pool + NAME;
}

/** Writes what the host keeps in the header: length of the name, element type, rank and shape. */
export function poolDescribe(pool: usize, nameLength: u32, dtype: u32, rank: u32, d0: u32, d1: u32, d2: u32, d3: u32): void {
  const fields = asPool(pool);
  fields.nameLength = nameLength;
  fields.dtype = dtype;
  fields.rank = rank;
  fields.dimension0 = d0;
  fields.dimension1 = d1;
  fields.dimension2 = d2;
  fields.dimension3 = d3;
}

/** Address of the pool header's first 14 words, for the host to read; see layout.ts. */
export function poolHeader(pool: usize): usize {
  assert(asPool(pool).magic == POOL_MAGIC, "pool: no pool at this address");
  return pool;
}

/** Address of the word that holds the buffer's address of slot 0; the others follow every 128 bytes. */
export function poolPayloads(pool: usize): usize {
  return checked(pool, 0) + offsetof<Slot>("payload");
}

/** Handle of the tenancy of slot `index`, or 0 when it is not leased. */
export function slotHandle(pool: usize, index: u32): i32 {
  const word = load32(checked(pool, index));
  return (word & REFERENCES) == 0 ? 0 : handleOf(word, index);
}

export function slotReferences(pool: usize, index: u32): u32 {
  return load32(checked(pool, index)) & REFERENCES;
}

/** Agent that holds the first reference, or -1 when it has given it back. */
export function slotOwner(pool: usize, index: u32): i32 {
  return (asSlot(checked(pool, index)).owner as i32) - 1;
}

/** References that an agent holds to slot `index`. */
export function slotHeldBy(pool: usize, index: u32, agent: u32): u32 {
  const slot = checked(pool, index);
  if ((load32(slot) & REFERENCES) == 0) return 0;
  const retained = asSlot(slot).retained != 0 ? (load<u8>(slot + RETAINS + (placeOf(agent) as usize)) as u32) : 0;
  return retained + u32(asSlot(slot).owner == agent + 1);
}

export function slotUses(pool: usize, index: u32): u32 {
  return asSlot(checked(pool, index)).useCount;
}

/**
 * When the slot was leased, in the host's milliseconds. Where the pool keeps no times it is `now`, stamped
 * by the first call that sees the lease: ages are then counted from the first look, never too long.
 */
export function slotSince(pool: usize, index: u32, now: f64): f64 {
  const slot = checked(pool, index);
  if (asSlot(slot).acquireTime == 0) {
    store64(slot + offsetof<Slot>("acquireTime"), reinterpret<u64>(now));
  }
  return asSlot(slot).acquireTime;
}
