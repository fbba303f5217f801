/**
 * How a pool lies in memory: its header with the slot headers behind it, the buffers, and one shard of
 * counters per agent, each in regions of its own.
 *
 *     pool header
 *     0     ┌───────┬───────┬───────┬───────┬───────┬───────┬───────┬───────┐
 *           │ magic │ bytes │granted│initial│ max   │ flags │ dtype │ rank  │  constant
 *     32    ├───────┴───────┴───────┴───────┼───────┼───────┼───────┴───────┤
 *           │ shape, 4 × u32                │ name n│ tier  │ free          │
 *     64    ├───────────────────────────────┴───────┴───────┴───────────────┤
 *           │ head u64, in a cache line of its own                          │  all agents write it
 *     128   ├────────┬──────┬───────┬───────────────────────────────────────┤
 *           │ waiters│ wake │ closed│ free                                  │
 *     192   ├────────┴──────┴───────┴───────────────────────────────────────┤
 *           │ name, 32 × u16                                                │
 *     256   ├───────────────────────────────────────────────────────────────┤
 *           │ shards of the agents, 64 × u32                                │
 *     512   ├───────────────────────────────────────────────────────────────┤
 *           │ slot headers, max × 128 B                                     │
 *           └───────────────────────────────────────────────────────────────┘
 *
 *     head                                            word of a slot
 *     63            32 31       16 15        0        31            14 13    12 11        0
 *     ┌───────────────┬───────────┬───────────┐       ┌───────────────┬────────┬───────────┐
 *     │ tag           │ in use    │ top index │       │ generation    │ state  │ references│
 *     └───────────────┴───────────┴───────────┘       └───────────────┴────────┴───────────┘
 *
 *     slot header
 *     0     ┌───────┬───────┬───────┬───────┬────────┬───────┬───────────────┐
 *           │ word  │ next  │ buffer│ owner │released│ uses  │ acquired f64  │
 *     32    ├───────┼───────┼───────┴───────┴────────┴───────┴───────────────┤
 *           │ tier  │retains│ free                                           │
 *     64    ├───────┴───────┴────────────────────────────────────────────────┤
 *           │ retains of each agent, 64 × u8                                 │
 *     128   └────────────────────────────────────────────────────────────────┘
 *
 * A slot in service has a buffer; a retired one has none. All slots but the leased ones are on one stack,
 * retired ones included: to pop a retired slot is to grow. `in use` counts the slots that are off the
 * stack and changes in the same exchange as the stack, so that it is exact at every moment.
 *
 * A handle names a slot and one tenancy of it; generation 0 is never used, so that no handle is 0:
 *
 *     29                           12 11                0
 *     ┌──────────────────────────────┬──────────────────┐   30 bits: a small integer in every
 *     │ generation (18 bits)         │ index (12 bits)  │   JavaScript engine, never boxed
 *     └──────────────────────────────┴──────────────────┘
 */

/** 'POOL' in little-endian order. */
// @ts-ignore: decorator
@inline export const POOL_MAGIC: u32 = 0x4c4f4f50;

@unmanaged
export class Pool {
  magic: u32;
  /** Bytes of a buffer as asked for, and as granted: rounded up to a cache line. */
  payloadBytes: u32;
  grantedBytes: u32;
  initial: u32;
  max: u32;
  /** ZERO_ON_RELEASE, statistics level, PINNED. */
  flags: u32;
  /** What the host calls the element type and shape; the core only keeps them. */
  dtype: u32;
  rank: u32;
  dimension0: u32;
  dimension1: u32;
  dimension2: u32;
  dimension3: u32;
  nameLength: u32;
  tier: u32;
}

// @ts-ignore: decorator
@inline export const HEAD: usize = 64;
/** Agents that wait for a slot, and the word that they wait on. */
// @ts-ignore: decorator
@inline export const WAITERS: usize = 128;
// @ts-ignore: decorator
@inline export const WAKE: usize = 132;
// @ts-ignore: decorator
@inline export const CLOSED: usize = 136;
// @ts-ignore: decorator
@inline export const NAME: usize = 192;
// @ts-ignore: decorator
@inline export const SHARDS: usize = 256;
// @ts-ignore: decorator
@inline export const POOL_HEADER_BYTES: usize = 512;

// @ts-ignore: decorator
@inline export const ZERO_ON_RELEASE: u32 = 1;
/** Buffers keep their addresses: no trimming. For pools whose views are all made beforehand. */
// @ts-ignore: decorator
@inline export const PINNED: u32 = 8;

/** Statistics level of a pool. */
// @ts-ignore: decorator
@inline export function statisticsLevel(flags: u32): u32 {
  return (flags >>> 1) & 3;
}

/** How much is counted: misuse and exhaustion always; acquires and releases; hold and wait times too. */
export namespace STATISTICS {
  // @ts-ignore: decorator
  @inline export const COUNTS: u32 = 1;
  // @ts-ignore: decorator
  @inline export const TIMES: u32 = 2;
}

@unmanaged
export class Slot {
  word: u32;
  /** Index of the slot below on the stack. */
  next: u32;
  /** Address of the buffer; 0 while retired. */
  payload: u32;
  /** Number of the agent that holds the first reference, plus 1; 0 when it has passed it on. */
  owner: u32;
  /** The head's tag when this slot was released last: orders releases, for trimming. */
  releaseTag: u32;
  useCount: u32;
  /** Milliseconds as the host gave them; 0 where times are not kept. */
  acquireTime: f64;
  tier: u32;
  /** Whether any agent retained in this tenancy. */
  retained: u32;
}

// @ts-ignore: decorator
@inline export const SLOT_BYTES: usize = 128;
// @ts-ignore: decorator
@inline export const RETAINS: usize = 64;
/** Slots that one pool can hold. */
// @ts-ignore: decorator
@inline export const MAX_SLOTS: u32 = 4096;

// Parts of the head.
/** Bottom of the stack. */
// @ts-ignore: decorator
@inline export const NIL: u32 = 0xffff;
// @ts-ignore: decorator
@inline export const TAG_ONE: u64 = 1 << 32;
// @ts-ignore: decorator
@inline export const IN_USE_ONE: u64 = 1 << 16;
// @ts-ignore: decorator
@inline const TOP_MASK: u64 = 0xffff;

// Parts of a slot's word.
// @ts-ignore: decorator
@inline export const REFERENCES: u32 = 0xfff;
// @ts-ignore: decorator
@inline export const STATE: u32 = 3 << 12;
/** On the stack (or on its way there) with a buffer; leased when there are references. */
// @ts-ignore: decorator
@inline export const SERVING: u32 = 0;
/** Without a buffer. */
// @ts-ignore: decorator
@inline export const RETIRED: u32 = 1 << 12;
/** In the hands of one agent that zeroes, gives or takes away its buffer. */
// @ts-ignore: decorator
@inline export const BUSY: u32 = 2 << 12;
// @ts-ignore: decorator
@inline export const GENERATION_SHIFT: u32 = 14;
// @ts-ignore: decorator
@inline const GENERATION_MASK: u32 = (1 << 18) - 1;

// Parts of a handle.
// @ts-ignore: decorator
@inline export const INDEX_BITS: u32 = 12;
// @ts-ignore: decorator
@inline export const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;

// @ts-ignore: decorator
@inline export function topOf(head: u64): u32 {
  return (head & TOP_MASK) as u32;
}

// @ts-ignore: decorator
@inline export function inUseOf(head: u64): u32 {
  return ((head >> 16) & 0xffff) as u32;
}

// @ts-ignore: decorator
@inline export function tagOf(head: u64): u32 {
  return (head >> 32) as u32;
}

/** The head after its top slot has been popped. */
// @ts-ignore: decorator
@inline export function headPopped(head: u64, next: u32): u64 {
  return ((head + TAG_ONE + IN_USE_ONE) & ~TOP_MASK) | (next as u64);
}

/** The head after slot `index` has been pushed. */
// @ts-ignore: decorator
@inline export function headPushed(head: u64, index: u32): u64 {
  return ((head + TAG_ONE - IN_USE_ONE) & ~TOP_MASK) | (index as u64);
}

// @ts-ignore: decorator
@inline export function slotAt(pool: usize, index: u32): usize {
  return pool + POOL_HEADER_BYTES + (index as usize) * SLOT_BYTES;
}

// @ts-ignore: decorator
@inline export function asPool(pool: usize): Pool {
  return changetype<Pool>(pool);
}

// @ts-ignore: decorator
@inline export function asSlot(slot: usize): Slot {
  return changetype<Slot>(slot);
}

/** The handle of the tenancy that a word belongs to. */
// @ts-ignore: decorator
@inline export function handleOf(word: u32, index: u32): i32 {
  return (((word >>> GENERATION_SHIFT) << INDEX_BITS) | index) as i32;
}

/** The word of the next tenancy: no references, serving. */
// @ts-ignore: decorator
@inline export function nextTenancy(word: u32): u32 {
  const generation = ((word >>> GENERATION_SHIFT) + 1) & GENERATION_MASK;
  return (generation == 0 ? 1 : generation) << GENERATION_SHIFT;
}
