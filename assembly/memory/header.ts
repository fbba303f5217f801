/**
 * The header at address 0: what an agent needs to recognise a wavepool memory and find its way in it.
 *
 *     ┌────┬────┬────┬────┬────┬────┬────┬────┬─ ─ ─ ─┬───────────────┬───────────────┐
 *     │ magic   │ version │ size    │ cursor  │ free  │ pools 64 × u32│ tables 32×u32 │
 *     └────┴────┴────┴────┴────┴────┴────┴────┴─ ─ ─ ─┴───────────────┴───────────────┘
 *     0         4         8         12        16      64              320             448 … 4096 free
 */

/** 'WVPL' in little-endian order. */
// @ts-ignore: decorator
@inline export const MAGIC: u32 = 0x4c505657;
/** Layout version: raised whenever an offset in this memory changes its meaning. */
// @ts-ignore: decorator
@inline export const VERSION: u32 = 1;

// @ts-ignore: decorator
@inline const MAGIC_OFFSET: usize = 0;
// @ts-ignore: decorator
@inline const VERSION_OFFSET: usize = 4;
// @ts-ignore: decorator
@inline const SIZE_OFFSET: usize = 8;
// @ts-ignore: decorator
@inline const CURSOR_OFFSET: usize = 12;
// @ts-ignore: decorator
@inline const POOLS_OFFSET: usize = 64;
// @ts-ignore: decorator
@inline const MAX_POOLS: u32 = 64;
// @ts-ignore: decorator
@inline const TABLES_OFFSET: usize = 320;

/** Keys of the table directory: each kernel table is built once per memory and found here after. */
export namespace TABLE {
  // @ts-ignore: decorator
  @inline export const DFT400: u32 = 0;
  // @ts-ignore: decorator
  @inline export const MEL_BANK_80: u32 = 1;
  // @ts-ignore: decorator
  @inline export const MEL_BANK_128: u32 = 2;
}

/** Rounds up to the alignment of every region, a cache line. */
// @ts-ignore: decorator
@inline export function align64(bytes: usize): usize {
  return (bytes + 63) & ~63;
}

/** Lays out a fresh memory of `size` bytes. Returns 1, or 0 when the memory is already laid out. */
export function initialize(size: u32): u32 {
  if (load<u32>(0, MAGIC_OFFSET) == MAGIC) return 0;
  assert((size as usize) <= (memory.size() as usize) << 16, "size exceeds the memory");
  store<u32>(0, VERSION, VERSION_OFFSET);
  store<u32>(0, size, SIZE_OFFSET);
  store<u32>(0, align64(__heap_base) as u32, CURSOR_OFFSET);
  store<u32>(0, MAGIC, MAGIC_OFFSET);
  return 1;
}

/** Returns the size of a memory laid out by this version, or 0 for any other memory. */
export function attach(): u32 {
  if (load<u32>(0, MAGIC_OFFSET) != MAGIC || load<u32>(0, VERSION_OFFSET) != VERSION) return 0;
  return load<u32>(0, SIZE_OFFSET);
}

// @ts-ignore: decorator
@inline export function memoryBytes(): usize {
  return load<u32>(0, SIZE_OFFSET) as usize;
}

// @ts-ignore: decorator
@inline export function arenaCursor(): usize {
  return load<u32>(0, CURSOR_OFFSET) as usize;
}

// @ts-ignore: decorator
@inline export function setArenaCursor(address: usize): void {
  store<u32>(0, address as u32, CURSOR_OFFSET);
}

/** Enters a pool in the directory. Returns false when all 64 places are taken. */
export function registerPool(pool: usize): bool {
  for (let i: u32 = 0; i < MAX_POOLS; i++) {
    const place = POOLS_OFFSET + ((i as usize) << 2);
    if (load<u32>(place) == 0) {
      store<u32>(place, pool as u32);
      return true;
    }
  }
  return false;
}

export function poolDirectoryFull(): bool {
  return load<u32>(POOLS_OFFSET + (((MAX_POOLS - 1) as usize) << 2)) != 0;
}

/** Address of a kernel table, 0 while it has not been built. */
// @ts-ignore: decorator
@inline export function table(key: u32): usize {
  return load<u32>(TABLES_OFFSET + ((key as usize) << 2)) as usize;
}

// @ts-ignore: decorator
@inline export function setTable(key: u32, address: usize): void {
  store<u32>(TABLES_OFFSET + ((key as usize) << 2), address as u32);
}
