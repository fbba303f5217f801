/**
 * A pool of equal slots, all taken from the arena when the pool is created.
 *
 *     pool header (128 B)
 *     ┌──────────┬──────────┬──────────┬──────────┬──────────┬─ ─ ─ ─ ─ ─┬──────────────────┐
 *     │ magic    │ payload B│ stride B │ capacity │ free head│ free      │ counters 8 × u64 │
 *     └──────────┴──────────┴──────────┴──────────┴──────────┴─ ─ ─ ─ ─ ─┴──────────────────┘
 *     0          4          8          12         16         20          64                 128
 *
 *     slot = header (64 B) + payload, both 64-byte aligned
 *     ┌──────────┬──────────┬──────────┬─ ─ ─ ─ ─ ─ ─┬─────────────────────────────┐
 *     │ next     │generation│ state    │ free        │ payload                     │
 *     └──────────┴──────────┴──────────┴─ ─ ─ ─ ─ ─ ─┴─────────────────────────────┘
 *     0          4          8          12            64
 *
 * A handle names a slot and one tenancy of it, so that a stale handle is told from a live one:
 *
 *     29                           12 11                0
 *     ┌──────────────────────────────┬──────────────────┐   30 bits: a small integer in every
 *     │ generation (18 bits)         │ index (12 bits)  │   JavaScript engine, never boxed
 *     └──────────────────────────────┴──────────────────┘
 *
 * Slots form a last-in first-out list: the slot released last is the one whose lines are still in
 * the cache.
 */
import { arenaAllocate, arenaFree } from "../memory/arena";
import { align64, poolDirectoryFull, registerPool } from "../memory/header";

/** 'POOL' in little-endian order. */
// @ts-ignore: decorator
@inline const POOL_MAGIC: u32 = 0x4c4f4f50;
// @ts-ignore: decorator
@inline const POOL_HEADER_BYTES: usize = 128;
// @ts-ignore: decorator
@inline const SLOT_HEADER_BYTES: usize = 64;
// @ts-ignore: decorator
@inline const INDEX_BITS: u32 = 12;
// @ts-ignore: decorator
@inline const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;
// @ts-ignore: decorator
@inline const GENERATION_MASK: u32 = (1 << 18) - 1;
/** End of the free list. */
// @ts-ignore: decorator
@inline const NIL: u32 = 0xffffffff;
// @ts-ignore: decorator
@inline const STATE_FREE: u32 = 0;
// @ts-ignore: decorator
@inline const STATE_LEASED: u32 = 1;

// Results of poolAcquire (negative) and poolRelease.
// @ts-ignore: decorator
@inline const EXHAUSTED: i32 = -1;
// @ts-ignore: decorator
@inline const RELEASED: i32 = 0;
// @ts-ignore: decorator
@inline const STALE: i32 = 1;
// @ts-ignore: decorator
@inline const FOREIGN: i32 = 2;

@unmanaged
class SlotPool {
  magic: u32;
  payloadBytes: u32;
  strideBytes: u32;
  capacity: u32;
  freeHead: u32;
}

@unmanaged
class Slot {
  next: u32;
  generation: u32;
  state: u32;
}

/** Keys of poolCounter, in the order of their places in the pool header. */
namespace COUNTER {
  // @ts-ignore: decorator
  @inline export const ACQUIRES: u32 = 0;
  // @ts-ignore: decorator
  @inline export const RELEASES: u32 = 1;
  // @ts-ignore: decorator
  @inline export const EXHAUSTED: u32 = 2;
  // @ts-ignore: decorator
  @inline export const DOUBLE_RELEASES: u32 = 3;
  // @ts-ignore: decorator
  @inline export const FOREIGN_RELEASES: u32 = 4;
  // @ts-ignore: decorator
  @inline export const IN_USE: u32 = 5;
  // @ts-ignore: decorator
  @inline export const PEAK_IN_USE: u32 = 6;
}

// @ts-ignore: decorator
@inline function counterAddress(pool: usize, counter: u32): usize {
  return pool + 64 + ((counter as usize) << 3);
}

// @ts-ignore: decorator
@inline function count(pool: usize, counter: u32): void {
  const address = counterAddress(pool, counter);
  store<u64>(address, load<u64>(address) + 1);
}

// @ts-ignore: decorator
@inline function slotAt(pool: usize, index: u32): Slot {
  const stride = changetype<SlotPool>(pool).strideBytes as usize;
  return changetype<Slot>(pool + POOL_HEADER_BYTES + (index as usize) * stride);
}

/**
 * Creates a pool of `capacity` slots (1 to 4096) of `payloadBytes` each.
 * Returns its address, or 0 when the arena or the pool directory has no room: nothing is taken then.
 */
export function poolCreate(payloadBytes: u32, capacity: u32): usize {
  assert(payloadBytes > 0 && capacity > 0 && capacity <= INDEX_MASK + 1, "pool: size out of range");
  if (poolDirectoryFull()) return 0;
  const stride = SLOT_HEADER_BYTES as u64 + align64(payloadBytes) as u64;
  const bytes = POOL_HEADER_BYTES as u64 + stride * (capacity as u64);
  if (bytes > arenaFree() as u64) return 0;
  const pool = arenaAllocate(bytes as usize);
  const header = changetype<SlotPool>(pool);
  header.magic = POOL_MAGIC;
  header.payloadBytes = payloadBytes;
  header.strideBytes = stride as u32;
  header.capacity = capacity;
  header.freeHead = 0;
  for (let i: u32 = 0; i < capacity; i++) {
    const slot = slotAt(pool, i);
    slot.next = i + 1 < capacity ? i + 1 : NIL;
    slot.generation = 0;
    slot.state = STATE_FREE;
  }
  registerPool(pool);
  return pool;
}

/** Takes a slot. Returns its handle, or -1 when every slot is leased. */
export function poolAcquire(pool: usize): i32 {
  const header = changetype<SlotPool>(pool);
  const index = header.freeHead;
  if (index == NIL) {
    count(pool, COUNTER.EXHAUSTED);
    return EXHAUSTED;
  }
  const slot = slotAt(pool, index);
  header.freeHead = slot.next;
  slot.state = STATE_LEASED;
  count(pool, COUNTER.ACQUIRES);
  const inUse = load<u64>(counterAddress(pool, COUNTER.IN_USE)) + 1;
  store<u64>(counterAddress(pool, COUNTER.IN_USE), inUse);
  const peak = counterAddress(pool, COUNTER.PEAK_IN_USE);
  if (inUse > load<u64>(peak)) store<u64>(peak, inUse);
  return ((slot.generation << INDEX_BITS) | index) as i32;
}

/** Returns a slot. Result: 0 released, 1 released before (stale handle), 2 no handle of this pool. */
export function poolRelease(pool: usize, handle: i32): i32 {
  const header = changetype<SlotPool>(pool);
  const index = (handle as u32) & INDEX_MASK;
  if (handle < 0 || index >= header.capacity) {
    count(pool, COUNTER.FOREIGN_RELEASES);
    return FOREIGN;
  }
  const slot = slotAt(pool, index);
  if (slot.state != STATE_LEASED || slot.generation != (handle as u32) >>> INDEX_BITS) {
    count(pool, COUNTER.DOUBLE_RELEASES);
    return STALE;
  }
  slot.state = STATE_FREE;
  slot.generation = (slot.generation + 1) & GENERATION_MASK;
  slot.next = header.freeHead;
  header.freeHead = index;
  count(pool, COUNTER.RELEASES);
  const inUse = counterAddress(pool, COUNTER.IN_USE);
  store<u64>(inUse, load<u64>(inUse) - 1);
  return RELEASED;
}

/** Counts a release that the host itself knows to be the second one. */
export function poolCountDoubleRelease(pool: usize): void {
  count(pool, COUNTER.DOUBLE_RELEASES);
}

/** Address of the payload of slot `index`, 64-byte aligned. */
export function poolSlotPayload(pool: usize, index: u32): usize {
  assert(changetype<SlotPool>(pool).magic == POOL_MAGIC, "pool: no pool at this address");
  assert(index < changetype<SlotPool>(pool).capacity, "pool: slot index out of range");
  return changetype<usize>(slotAt(pool, index)) + SLOT_HEADER_BYTES;
}

export function poolCapacity(pool: usize): u32 {
  return changetype<SlotPool>(pool).capacity;
}

export function poolAvailable(pool: usize): u32 {
  return poolCapacity(pool) - (load<u64>(counterAddress(pool, COUNTER.IN_USE)) as u32);
}

/** Reads counter `key` (see COUNTER) as a float64: exact up to 2^53. */
export function poolCounter(pool: usize, key: u32): f64 {
  return load<u64>(counterAddress(pool, key)) as f64;
}
