/**
 * The arena: hands out 64-byte-aligned, zeroed regions, lock-free.
 *
 * Fresh regions come from a cursor that moves up. A region given back moves the cursor down again if it
 * is the topmost; otherwise it joins a stack of regions of its size, from which the next request of that
 * size is served. A request that nothing else can serve splits a larger region.
 *
 *     stack of regions of one size (16 B)         head
 *     ┌──────────┬──────────┬──────────────────┐  63            32 31             0
 *     │ size     │ free     │ head             │  ┌───────────────┬───────────────┐
 *     └──────────┴──────────┴──────────────────┘  │ tag           │ address, or 0 │
 *     0          4          8                     └───────────────┴───────────────┘
 *
 * The first word of a region on a stack links to the next. An agent may read that link after another has
 * taken the region and written into it; the tag, which every exchange raises, refuses what it read.
 */
import { add32, cas32, cas64, load32, load64 } from "./atomics";
import { align64, CURSOR_OFFSET, memoryBytes, RECYCLED_OFFSET, REGIONS_OFFSET } from "./header";

// @ts-ignore: decorator
@inline const SIZES: u32 = 128;
// @ts-ignore: decorator
@inline const TAG_ONE: u64 = 1 << 32;
// @ts-ignore: decorator
@inline const TAG_MASK: u64 = 0xffffffff00000000;

// @ts-ignore: decorator
@inline function sizeEntry(i: u32): usize {
  return REGIONS_OFFSET + ((i as usize) << 4);
}

/** Returns a 64-byte-aligned, zeroed region of at least `bytes`, or 0 when nothing that large is left. */
export function arenaAllocate(bytes: usize): usize {
  // Compare before rounding: a request near 4 GiB must not wrap around.
  if (bytes == 0 || bytes > memoryBytes()) return 0;
  const size = align64(bytes);
  for (let i: u32 = 0; i < SIZES; i++) {
    const known = load32(sizeEntry(i)) as usize;
    if (known == 0) break;
    if (known == size) {
      const region = take(i);
      if (region != 0) return region;
      break;
    }
  }
  const fresh = raiseCursor(size);
  return fresh != 0 ? fresh : splitLarger(size);
}

function raiseCursor(size: usize): usize {
  let cursor = load32(CURSOR_OFFSET);
  while (true) {
    if (size > memoryBytes() - (cursor as usize)) return 0;
    const seen = cas32(CURSOR_OFFSET, cursor, cursor + (size as u32));
    if (seen == cursor) return cursor as usize;
    cursor = seen;
  }
}

/** Serves from the smallest larger size that has a region, and gives the rest back. */
function splitLarger(size: usize): usize {
  while (true) {
    let best: u32 = SIZES;
    let bestSize: usize = 0;
    for (let i: u32 = 0; i < SIZES; i++) {
      const known = load32(sizeEntry(i)) as usize;
      if (known == 0) break;
      const empty = (load64(sizeEntry(i) + 8) as u32) == 0;
      if (known > size && !empty && (best == SIZES || known < bestSize)) {
        best = i;
        bestSize = known;
      }
    }
    if (best == SIZES) return 0;
    const region = take(best);
    if (region == 0) continue; // another agent was faster
    arenaRelease(region + size, bestSize - size);
    return region;
  }
}

/** Takes a region off the stack of entry `i`, or returns 0. */
function take(i: u32): usize {
  const entry = sizeEntry(i);
  let head = load64(entry + 8);
  while (true) {
    const region = (head as u32) as usize;
    if (region == 0) return 0;
    const next = load<u32>(region);
    const seen = cas64(entry + 8, head, ((head + TAG_ONE) & TAG_MASK) | (next as u64));
    if (seen == head) {
      store<u32>(region, 0); // the link; the rest was zeroed when the region was given back
      add32(RECYCLED_OFFSET, 0 - load32(entry));
      return region;
    }
    head = seen;
  }
}

/**
 * Gives a region back, zeroed on the way. `bytes` is what was asked for. Where all 128 sizes are in use, the
 * region joins the largest smaller size and its excess is lost; without a smaller one it is lost whole.
 */
export function arenaRelease(region: usize, bytes: usize): void {
  const size = align64(bytes);
  memory.fill(region, 0, size);
  const top = (region + size) as u32;
  // No ABA here: a cursor at the region's end says all there is to say, whatever happened before.
  if (load32(CURSOR_OFFSET) == top && cas32(CURSOR_OFFSET, top, region as u32) == top) return;
  const i = entryFor(size as u32);
  if (i == SIZES) return;
  const entry = sizeEntry(i);
  let head = load64(entry + 8);
  while (true) {
    store<u32>(region, head as u32);
    const seen = cas64(entry + 8, head, ((head + TAG_ONE) & TAG_MASK) | (region as u64));
    if (seen == head) break;
    head = seen;
  }
  add32(RECYCLED_OFFSET, load32(entry));
}

/** The entry whose stack takes regions of `size`, claimed if need be; 128 when there is none. */
function entryFor(size: u32): u32 {
  let smaller: u32 = SIZES;
  let smallerSize: u32 = 0;
  for (let i: u32 = 0; i < SIZES; i++) {
    let known = load32(sizeEntry(i));
    if (known == 0) {
      known = cas32(sizeEntry(i), 0, size);
      if (known == 0) return i;
    }
    if (known == size) return i;
    if (known < size && known > smallerSize) {
      smaller = i;
      smallerSize = known;
    }
  }
  return smaller;
}

/** Bytes that the arena can still hand out; as one region at most what lies above the cursor or the largest given back. */
export function arenaFree(): usize {
  return ((memoryBytes() - (load32(CURSOR_OFFSET) as usize)) & ~63) + (load32(RECYCLED_OFFSET) as usize);
}
