/**
 * The arena: hands out 64-byte-aligned, zeroed regions, lock-free, and takes them back.
 *
 * Fresh regions come from a cursor that moves up. A region given back moves the cursor down again if it is
 * the topmost; otherwise it joins the stack of its size class, four classes to an octave. A request is served
 * from its own class, then by the cursor, then by splitting a region of a larger class, then by joining
 * neighbours.
 *
 *     head of a class                             region on a stack
 *     63            32 31             0           0          4          8
 *     ┌───────────────┬───────────────┐           ┌──────────┬──────────┬─ ─ ─ ─ ─ ─ ─
 *     │ tag           │ address, or 0 │           │ next     │ size     │ zeros
 *     └───────────────┴───────────────┘           └──────────┴──────────┴─ ─ ─ ─ ─ ─ ─
 *
 * An agent may read a region's link after another has taken it and written into it; the tag, which every
 * exchange raises, refuses what it read.
 */
import { add32, cas32, cas64, load32, load64 } from "./atomics";
import { align64, CURSOR_OFFSET, memoryBytes, RECYCLED_OFFSET, REGIONS_OFFSET } from "./header";

/** Classes of 64 B to 4 GiB. */
// @ts-ignore: decorator
@inline const CLASSES: u32 = 104;
// @ts-ignore: decorator
@inline const TAG_ONE: u64 = 1 << 32;
// @ts-ignore: decorator
@inline const TAG_MASK: u64 = 0xffffffff00000000;
// @ts-ignore: decorator
@inline const SIZE: usize = 4;

/** The class of a size: exponent and top two bits of the mantissa of the number of cache lines. */
// @ts-ignore: decorator
@inline function classOf(size: usize): u32 {
  const lines = (size >> 6) as u32;
  const exponent: u32 = 31 - clz(lines);
  const quarter = exponent >= 2 ? (lines >> (exponent - 2)) & 3 : (lines << (2 - exponent)) & 3;
  return (exponent << 2) | quarter;
}

// @ts-ignore: decorator
@inline function headOf(sizeClass: u32): usize {
  return REGIONS_OFFSET + ((sizeClass as usize) << 3);
}

/** Returns a 64-byte-aligned, zeroed region of at least `bytes`, or 0 when nothing that large is left. */
export function arenaAllocate(bytes: usize): usize {
  // Compare before rounding: a request near 4 GiB must not wrap around.
  if (bytes == 0 || bytes > memoryBytes()) return 0;
  const size = align64(bytes);
  const own = classOf(size);
  let region = takeFitting(own, size);
  if (region == 0) region = raiseCursor(size);
  for (let larger = own + 1; region == 0 && larger < CLASSES; larger++) region = takeFitting(larger, size);
  if (region == 0 && (load32(RECYCLED_OFFSET) as usize) >= size && mergeRegions()) return arenaAllocate(bytes);
  return region;
}

/**
 * Joins regions that lie side by side, the last resort of a request that none of them can serve. Meanwhile
 * they are in this agent's hands, and others may find less than there is. Returns whether any were joined.
 */
function mergeRegions(): bool {
  let list: usize = 0;
  for (let sizeClass: u32 = 0; sizeClass < CLASSES; sizeClass++) {
    for (let region = pop(sizeClass); region != 0; region = pop(sizeClass)) {
      store<u32>(region, list as u32);
      list = region;
    }
  }
  let region = sorted(list);
  let joined = false;
  while (region != 0) {
    let next = load<u32>(region) as usize;
    let size = load<u32>(region, SIZE) as usize;
    // Sorted downwards: the next of the list is the neighbour below.
    while (next != 0 && next + (load<u32>(next, SIZE) as usize) == region) {
      store<u64>(region, 0);
      size += load<u32>(next, SIZE) as usize;
      region = next;
      next = load<u32>(region) as usize;
      joined = true;
    }
    store<u64>(region, 0);
    const top = (region + size) as u32;
    if (load32(CURSOR_OFFSET) == top && cas32(CURSOR_OFFSET, top, region as u32) == top) joined = true;
    else push(region, size as u32);
    region = next;
  }
  return joined;
}

/** A list of regions in descending order of their addresses, by merging sorted halves. */
function sorted(list: usize): usize {
  if (list == 0 || load<u32>(list) == 0) return list;
  let middle = list;
  for (let end = load<u32>(list) as usize; end != 0; ) {
    end = load<u32>(end) as usize;
    if (end == 0) break;
    end = load<u32>(end) as usize;
    middle = load<u32>(middle) as usize;
  }
  let other = load<u32>(middle) as usize;
  store<u32>(middle, 0);
  let one = sorted(list);
  other = sorted(other);
  let first: usize = 0;
  let last: usize = 0;
  while (one != 0 || other != 0) {
    const higher = max(one, other);
    if (higher == one) one = load<u32>(one) as usize;
    else other = load<u32>(other) as usize;
    if (last == 0) first = higher;
    else store<u32>(last, higher as u32);
    last = higher;
  }
  store<u32>(last, 0);
  return first;
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

/**
 * Takes a region of at least `size` off the stack of a class, and gives what is beyond `size` back. Regions
 * that are too small (in the request's own class only) are set aside meanwhile. Returns 0 for none.
 */
function takeFitting(sizeClass: u32, size: usize): usize {
  let aside: usize = 0;
  let region = pop(sizeClass);
  while (region != 0 && (load<u32>(region, SIZE) as usize) < size) {
    store<u32>(region, aside as u32);
    aside = region;
    region = pop(sizeClass);
  }
  while (aside != 0) {
    const next = load<u32>(aside) as usize;
    push(aside, load<u32>(aside, SIZE));
    aside = next;
  }
  if (region == 0) return 0;
  const rest = (load<u32>(region, SIZE) as usize) - size;
  store<u64>(region, 0); // link and size; the rest was zeroed when the region was given back
  if (rest > 0) push(region + size, rest as u32);
  return region;
}

function pop(sizeClass: u32): usize {
  const head = headOf(sizeClass);
  let seen = load64(head);
  while (true) {
    const region = (seen as u32) as usize;
    if (region == 0) return 0;
    const found = cas64(head, seen, ((seen + TAG_ONE) & TAG_MASK) | (load<u32>(region) as u64));
    if (found == seen) {
      add32(RECYCLED_OFFSET, 0 - load<u32>(region, SIZE));
      return region;
    }
    seen = found;
  }
}

function push(region: usize, size: u32): void {
  store<u32>(region, size, SIZE);
  const head = headOf(classOf(size));
  let seen = load64(head);
  while (true) {
    store<u32>(region, seen as u32);
    const found = cas64(head, seen, ((seen + TAG_ONE) & TAG_MASK) | (region as u64));
    if (found == seen) break;
    seen = found;
  }
  add32(RECYCLED_OFFSET, size);
}

/** Gives a region back, zeroed on the way. `bytes` is what was asked for. */
export function arenaRelease(region: usize, bytes: usize): void {
  const size = align64(bytes);
  memory.fill(region, 0, size);
  const top = (region + size) as u32;
  // No ABA here: a cursor at the region's end says all there is to say, whatever happened before.
  if (load32(CURSOR_OFFSET) == top && cas32(CURSOR_OFFSET, top, region as u32) == top) return;
  push(region, size as u32);
}

/** Bytes that the arena can still hand out, though not all as one region. */
export function arenaFree(): usize {
  return ((memoryBytes() - (load32(CURSOR_OFFSET) as usize)) & ~63) + (load32(RECYCLED_OFFSET) as usize);
}
