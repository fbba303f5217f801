/**
 * A ring of samples from one audio source: one agent writes, one reads overlapping windows as float32.
 *
 *     0     ┌───────┬───────┬───────┬───────┬───────┬───────┬───────┬───────┐
 *           │ magic │ dtype │capac. │ policy│ data  │max win│ name n│ rate  │  constant
 *     32    ├───────┼───────┼───────┴───────┴───────┴───────┴───────┴───────┤
 *           │ window│ hop   │ free                                          │  exchanged as one u64
 *     64    ├───────┴───────┼───────────────┬───────────────┬───────────────┤
 *           │ written u64   │ reserved u64  │ rejected u64  │ free          │  the writer's line
 *     128   ├───────────────┼───────────────┼───────────────┼───────────────┤
 *           │ read u64      │ overwritten   │ windows u64   │ start f64     │  the reader's line
 *     160   ├───────┬───────┴───────────────┴───────────────┴───────────────┤
 *           │ length│ free                                                  │
 *     192   ├───────────────┴───────────────┴───────────────┴───────────────┤
 *           │ name, 32 × u16                                                │
 *     256   └───────────────────────────────────────────────────────────────┘
 *
 * Positions count samples since the start and never wrap in practice (2^64 at 384 kHz is 1.5 million years).
 * The writer raises `reserved` before it writes and `written` after; the reader copies a window and then
 * looks at `reserved` again: if the writer has come round into the window, the copy is thrown away. So
 * neither waits for the other, and no window ever holds samples of two rounds. Where the last window began and
 * how long it is the host reads off the header, without a call.
 */
import { load64, store64 } from "../memory/atomics";
import { arenaAllocate, arenaRelease } from "../memory/arena";
import { DIRECTORY_PLACES, register, registered, RINGS_OFFSET, unregister } from "../memory/header";
import { asSlot, INDEX_MASK, slotAt } from "../pools/layout";
import { poolRelease } from "../pools/references";
import { poolOf } from "../pools/shard";
import { poolAcquire } from "../pools/slot-pool";

/** 'RING' in little-endian order. */
// @ts-ignore: decorator
@inline const RING_MAGIC: u32 = 0x474e4952;
// @ts-ignore: decorator
@inline const RING_HEADER_BYTES: usize = 256;
// @ts-ignore: decorator
@inline const I16: u32 = 1;
/** What a full ring does: overwrite the oldest samples, or refuse the new ones. */
// @ts-ignore: decorator
@inline const REJECT: u32 = 1;
/** Attempts at a window that the writer keeps running into. */
// @ts-ignore: decorator
@inline const ATTEMPTS: u32 = 8;

@unmanaged
class Ring {
  magic: u32;
  dtype: u32;
  capacity: u32;
  policy: u32;
  data: u32;
  maxWindow: u32;
  nameLength: u32;
  sampleRate: u32;
}

// @ts-ignore: decorator
@inline const SHAPE: usize = 32;
// @ts-ignore: decorator
@inline const WRITTEN: usize = 64;
// @ts-ignore: decorator
@inline const RESERVED: usize = 72;
// @ts-ignore: decorator
@inline const REJECTED: usize = 80;
// @ts-ignore: decorator
@inline const READ: usize = 128;
// @ts-ignore: decorator
@inline const OVERWRITTEN: usize = 136;
// @ts-ignore: decorator
@inline const WINDOWS: usize = 144;
/** Where the last window began, and its samples. */
// @ts-ignore: decorator
@inline const START: usize = 152;
// @ts-ignore: decorator
@inline const LENGTH: usize = 160;
// @ts-ignore: decorator
@inline const NAME: usize = 192;

// @ts-ignore: decorator
@inline function asRing(ring: usize): Ring {
  return changetype<Ring>(ring);
}

// @ts-ignore: decorator
@inline function dataBytes(dtype: u32, capacity: u32): usize {
  return (capacity as usize) << (dtype == I16 ? 1 : 2);
}

/** Bytes that a ring takes from the arena. */
export function ringBytes(dtype: u32, capacity: u32): f64 {
  return (RING_HEADER_BYTES + dataBytes(dtype, capacity)) as f64;
}

/**
 * Creates a ring of `capacity` samples, dtype 0 for f32 and 1 for i16, policy 0 to overwrite and 1 to
 * reject. The host writes the name, then calls ringPublish. Returns its address, or 0 without room.
 */
export function ringCreate(dtype: u32, capacity: u32, policy: u32, maxWindow: u32, sampleRate: u32): usize {
  assert(dtype <= I16 && policy <= REJECT && maxWindow > 0 && maxWindow <= capacity, "ring: size out of range");
  const ring = arenaAllocate(RING_HEADER_BYTES + dataBytes(dtype, capacity));
  if (ring == 0) return 0;
  const fields = asRing(ring);
  fields.magic = RING_MAGIC;
  fields.dtype = dtype;
  fields.capacity = capacity;
  fields.policy = policy;
  fields.data = (ring + RING_HEADER_BYTES) as u32;
  fields.maxWindow = maxWindow;
  fields.sampleRate = sampleRate;
  return ring;
}

/** Enters a ring in the directory. Result as that of poolPublish: 1, 0 when it is full, 2 for a name taken. */
export function ringPublish(ring: usize, nameLength: u32): i32 {
  asRing(ring).nameLength = nameLength;
  let result: i32 = register(RINGS_OFFSET, ring) < 0 ? 0 : 1;
  for (let i: u32 = 0; result == 1 && i < DIRECTORY_PLACES; i++) {
    const other = registered(RINGS_OFFSET, i);
    if (other == 0 || other == ring || asRing(other).nameLength != nameLength) continue;
    if (memory.compare(other + NAME, ring + NAME, (nameLength as usize) << 1) == 0) result = 2;
  }
  if (result != 1) ringFree(ring);
  return result;
}

/** Takes a ring out of the directory and gives its memory back. No agent may use it afterwards. */
export function ringFree(ring: usize): void {
  assert(asRing(ring).magic == RING_MAGIC, "ring: no ring at this address");
  unregister(RINGS_OFFSET, ring);
  arenaRelease(ring, RING_HEADER_BYTES + dataBytes(asRing(ring).dtype, asRing(ring).capacity));
}

/** The ring at a place of the directory, or 0. */
export function ringAt(place: u32): usize {
  return place < DIRECTORY_PLACES ? registered(RINGS_OFFSET, place) : 0;
}

export function ringName(ring: usize): usize {
  return ring + NAME;
}

/** Sets window and hop in samples; the next read uses both. 1 to maxWindow, 1 upwards. */
export function ringShape(ring: usize, window: u32, hop: u32): void {
  assert(window > 0 && window <= asRing(ring).maxWindow && hop > 0, "ring: window out of range");
  store64(ring + SHAPE, (window as u64) | ((hop as u64) << 32));
}

/**
 * Begins to write `count` samples; one that overwrites, at most its capacity at once. Returns the index in the ring's data at which they
 * begin (they go on at index 0 after the last), or -1 when the ring rejects them.
 */
export function ringReserve(ring: usize, count: u32): i32 {
  const fields = asRing(ring);
  const written = load<u64>(ring + WRITTEN); // the writer's own
  if (fields.policy == REJECT) {
    // Negative where the hop is longer than the window and the reader waits ahead of the writer.
    const unread = max<i64>((written as i64) - (load64(ring + READ) as i64), 0);
    if (unread + (count as i64) > (fields.capacity as i64)) {
      store64(ring + REJECTED, load<u64>(ring + REJECTED) + (count as u64));
      return -1;
    }
  }
  assert(count <= fields.capacity, "ring: more samples than it holds");
  store64(ring + RESERVED, written + (count as u64));
  return (written % (fields.capacity as u64)) as i32;
}

/** Makes the samples of the last ringReserve readable. */
export function ringCommit(ring: usize): void {
  store64(ring + WRITTEN, load<u64>(ring + RESERVED));
}

/**
 * Leases a buffer of the windows' pool to `shard` and reads the next window into it; `now` as for poolAcquire. Returns
 * its handle; 0 when not enough has been written or the writer overran every attempt, else what poolAcquire refused with.
 */
export function ringTake(ring: usize, shard: usize, now: f64): i32 {
  const window = load64(ring + SHAPE) as u32;
  // Looked at first: an acquire counts.
  if ((load64(ring + WRITTEN) as i64) - (nextWindow(ring) as i64) < (window as i64)) return 0;
  const handle = poolAcquire(shard, now);
  if (handle <= 0) return handle;
  const slot = slotAt(poolOf(shard), (handle as u32) & INDEX_MASK);
  if (ringRead(ring, asSlot(slot).payload as usize, asRing(ring).maxWindow) > 0) return handle;
  poolRelease(shard, handle, now);
  return 0;
}

/** Where the next window begins: where the reader stands, or at the oldest sample that is still there. */
// @ts-ignore: decorator
@inline function nextWindow(ring: usize): u64 {
  const capacity = asRing(ring).capacity as u64;
  const reserved = load64(ring + RESERVED);
  const oldest = reserved > capacity ? reserved - capacity : 0;
  return max(load<u64>(ring + READ), oldest);
}

/**
 * Copies the next window to `out` (room for `length` float32) and moves on by the hop. int16 samples are
 * divided by 32768. Returns the window's samples; 0 when not enough has been written, -1 when `out` is too
 * small, -2 when the writer overran every attempt.
 */
export function ringRead(ring: usize, out: usize, length: u32): i32 {
  const fields = asRing(ring);
  for (let attempt: u32 = 0; attempt < ATTEMPTS; attempt++) {
    const shape = load64(ring + SHAPE);
    const window = shape as u32;
    if (window > length) return -1;
    const start = nextWindow(ring);
    if ((load64(ring + WRITTEN) as i64) - (start as i64) < (window as i64)) return 0;
    const skipped = start - load<u64>(ring + READ);
    if (skipped > 0) {
      store64(ring + OVERWRITTEN, load<u64>(ring + OVERWRITTEN) + skipped);
      store64(ring + READ, start);
    }
    const first = (start % (fields.capacity as u64)) as u32;
    const beforeEnd = min(window, fields.capacity - first);
    copy(fields, first, beforeEnd, out);
    copy(fields, 0, window - beforeEnd, out + ((beforeEnd as usize) << 2));
    if (load64(ring + RESERVED) - start > (fields.capacity as u64)) continue;
    store<f64>(ring + START, start as f64);
    store<u32>(ring + LENGTH, window);
    store64(ring + READ, start + (shape >> 32));
    store64(ring + WINDOWS, load<u64>(ring + WINDOWS) + 1);
    return window as i32;
  }
  return -2;
}

/** Copies `count` samples from index `first` of the ring's data to float32 at `out`. */
function copy(ring: Ring, first: u32, count: u32, out: usize): void {
  if (ring.dtype != I16) {
    memory.copy(out, (ring.data as usize) + ((first as usize) << 2), (count as usize) << 2);
    return;
  }
  let from = (ring.data as usize) + ((first as usize) << 1);
  const scale = f32x4.splat(1.0 / 32768.0);
  let i: u32 = 0;
  for (; i + 4 <= count; i += 4, from += 8, out += 16) {
    v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(v128.load_ext<i16>(from)), scale));
  }
  for (; i < count; i++, from += 2, out += 4) store<f32>(out, (load<i16>(from) as f32) * (1.0 / 32768.0));
}

/**
 * Counter `key` as a float64: 0 written, 1 read position, 2 rejected, 3 overwritten before they were read,
 * 4 windows read, 5 window, 6 hop.
 */
export function ringCounter(ring: usize, key: u32): f64 {
  if (key == 0) return load64(ring + WRITTEN) as f64;
  if (key == 1) return nextWindow(ring) as f64;
  if (key == 2) return load64(ring + REJECTED) as f64;
  if (key == 3) {
    return (load64(ring + OVERWRITTEN) + (nextWindow(ring) - load64(ring + READ))) as f64;
  }
  if (key == 4) return load64(ring + WINDOWS) as f64;
  const shape = load64(ring + SHAPE);
  return (key == 5 ? (shape as u32) : ((shape >> 32) as u32)) as f64;
}

/** Address of the ring header's first 8 words, for the host to read. */
export function ringHeader(ring: usize): usize {
  assert(asRing(ring).magic == RING_MAGIC, "ring: no ring at this address");
  return ring;
}
