/**
 * The header at address 0: what an agent needs to recognise a wavepool memory and find its way in it.
 *
 *     0     ┌─────────┬─────────┬─────────┬─────────┬──────────┬─ ─ ─ ─┐
 *           │ magic   │ version │ size    │ cursor  │ recycled │ free  │
 *     64    ├─────────┴─────────┴─────────┴─────────┴──────────┴─ ─ ─ ─┤
 *           │ directory of pools, 64 × u32                              │
 *     320   ├──────────────────────────────────────────────────────────┤
 *           │ directory of kernel tables, 32 × u32                      │
 *     448   ├──────────────────────────────────────────────────────────┤
 *           │ agents, 64 × u32                                          │  memory/agents.ts
 *     704   ├──────────────────────────────────────────────────────────┤
 *           │ directory of rings, 64 × u32                              │  rings/analysis-ring.ts
 *     1024  ├──────────────────────────────────────────────────────────┤
 *           │ regions given back, by size class: 104 × head u64         │  memory/arena.ts
 *     1856  ├──────────────────────────────────────────────────────────┤
 *           │ free                                                      │
 *     4096  └──────────────────────────────────────────────────────────┘
 *
 * An agent is whatever runs an instance of the core: a main thread, a worker, an audio worklet.
 */
import { cas32, load32, store32 } from "./atomics";

/** 'WVPL' in little-endian order. */
// @ts-ignore: decorator
@inline export const MAGIC: u32 = 0x4c505657;
/** Layout version: raised whenever an offset in this memory changes its meaning. */
// @ts-ignore: decorator
@inline export const VERSION: u32 = 2;

// @ts-ignore: decorator
@inline const MAGIC_OFFSET: usize = 0;
// @ts-ignore: decorator
@inline const VERSION_OFFSET: usize = 4;
// @ts-ignore: decorator
@inline const SIZE_OFFSET: usize = 8;
// @ts-ignore: decorator
@inline export const CURSOR_OFFSET: usize = 12;
// @ts-ignore: decorator
@inline export const RECYCLED_OFFSET: usize = 16;
// @ts-ignore: decorator
@inline export const POOLS_OFFSET: usize = 64;
// @ts-ignore: decorator
@inline const TABLES_OFFSET: usize = 320;
// @ts-ignore: decorator
@inline export const AGENTS_OFFSET: usize = 448;
// @ts-ignore: decorator
@inline export const RINGS_OFFSET: usize = 704;
// @ts-ignore: decorator
@inline export const REGIONS_OFFSET: usize = 1024;

/** Places in the directory of pools, and in that of rings. */
// @ts-ignore: decorator
@inline export const DIRECTORY_PLACES: u32 = 64;

/** Keys of the table directory: each kernel table is built once per memory and found here after. */
export namespace TABLE {
  // @ts-ignore: decorator
  @inline export const DFT400: u32 = 0;
}

/** Rounds up to the alignment of every region, a cache line. */
// @ts-ignore: decorator
@inline export function align64(bytes: usize): usize {
  return (bytes + 63) & ~63;
}

/** Lays out a fresh memory of `size` bytes. Returns 1, or 0 when the memory is already laid out. */
export function initialize(size: u32): u32 {
  if (load32(MAGIC_OFFSET) == MAGIC) return 0;
  assert((size as usize) <= (memory.size() as usize) << 16, "size exceeds the memory");
  store<u32>(0, VERSION, VERSION_OFFSET);
  store<u32>(0, size, SIZE_OFFSET);
  store<u32>(0, align64(__heap_base) as u32, CURSOR_OFFSET);
  store32(MAGIC_OFFSET, MAGIC);
  return 1;
}

/** Returns the size of a memory laid out by this version, or 0 for any other memory. */
export function attach(): u32 {
  if (load32(MAGIC_OFFSET) != MAGIC || load<u32>(0, VERSION_OFFSET) != VERSION) return 0;
  return load<u32>(0, SIZE_OFFSET);
}

// @ts-ignore: decorator
@inline export function memoryBytes(): usize {
  return load<u32>(0, SIZE_OFFSET) as usize;
}

/** Enters an address in a directory. Returns its place, or -1 when every place is taken. */
export function register(directory: usize, address: usize): i32 {
  for (let i: u32 = 0; i < DIRECTORY_PLACES; i++) {
    const place = directory + ((i as usize) << 2);
    if (load32(place) == 0 && cas32(place, 0, address as u32) == 0) return i as i32;
  }
  return -1;
}

/** Takes an address out of a directory. */
export function unregister(directory: usize, address: usize): void {
  for (let i: u32 = 0; i < DIRECTORY_PLACES; i++) {
    const place = directory + ((i as usize) << 2);
    if (cas32(place, address as u32, 0) == (address as u32)) return;
  }
}

/** Address at a place of a directory, 0 where none is entered. */
// @ts-ignore: decorator
@inline export function registered(directory: usize, place: u32): usize {
  return load32(directory + ((place as usize) << 2)) as usize;
}

/** Address of a kernel table, 0 while it has not been built. */
// @ts-ignore: decorator
@inline export function table(key: u32): usize {
  return load32(TABLES_OFFSET + ((key as usize) << 2)) as usize;
}

/**
 * Publishes a table. Two agents may have built the same one at once: the second copy is then unused, and
 * both are right, so that the first to publish wins. Returns the table to use.
 */
export function setTable(key: u32, address: usize): usize {
  const seen = cas32(TABLES_OFFSET + ((key as usize) << 2), 0, address as u32);
  return seen == 0 ? address : (seen as usize);
}
