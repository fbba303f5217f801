/**
 * The arena: hands out regions from low to high addresses and takes none back. What must be given
 * back and reused lives in a pool, whose slots are such regions.
 */
import { align64, arenaCursor, memoryBytes, setArenaCursor } from "./header";

/** Returns a 64-byte-aligned, zeroed region of at least `bytes`, or 0 when the arena is exhausted. */
export function arenaAllocate(bytes: usize): usize {
  const address = arenaCursor();
  // Compare against what is left, not against a sum: a request near 4 GiB must not wrap around.
  if (bytes == 0 || bytes > arenaFree()) return 0;
  setArenaCursor(address + align64(bytes));
  return address;
}

/** Bytes that the arena can still hand out. */
export function arenaFree(): usize {
  return (memoryBytes() - arenaCursor()) & ~63;
}
