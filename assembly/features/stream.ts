/**
 * A stream of samples to a history of frames. All its state lies in one region:
 *
 *     0        ┌──────────────────────────────────────────────┐
 *              │ numbers, below                                │
 *     64       ├──────────────────────────────────────────────┤
 *              │ samples that a frame may still need, f32      │
 *              ├──────────────────────────────────────────────┤
 *              │ history of features: a ring of frames         │
 *              └──────────────────────────────────────────────┘
 *
 * Samples and frames are counted from an origin that moves along once the beginning can matter no more, so that a
 * stream may go on for ever.
 */
import { align64 } from "../memory/header";
import { EDGE, FLAG, PLAN, spanSamples } from "./plan";
import { computeFrames } from "./spectrogram";

namespace STREAM {
  // @ts-ignore: decorator
  @inline export const PLAN: usize = 0;
  /** Index of the first sample held. */
  // @ts-ignore: decorator
  @inline export const BASE: usize = 4;
  /** Samples held, and how many can be. */
  // @ts-ignore: decorator
  @inline export const HELD: usize = 8;
  // @ts-ignore: decorator
  @inline export const ROOM: usize = 12;
  /** Index of the next frame. */
  // @ts-ignore: decorator
  @inline export const FRAME: usize = 16;
  /** Place in the ring for the next frame, and how many it has. */
  // @ts-ignore: decorator
  @inline export const PLACE: usize = 20;
  // @ts-ignore: decorator
  @inline export const CAPACITY: usize = 24;
  /** What computeFrames found: peak, bad frames. */
  // @ts-ignore: decorator
  @inline export const FOUND: usize = 32;
  // @ts-ignore: decorator
  @inline export const SAMPLES: usize = 64;
}

/** Samples pushed at once before those done with are let go. */
// @ts-ignore: decorator
@inline const CHUNK: u32 = 2048;
/** Samples after which the origin moves, and how far it stays behind. */
// @ts-ignore: decorator
@inline const FAR: i32 = 1 << 28;
// @ts-ignore: decorator
@inline const NEAR: i32 = 1 << 20;

// @ts-ignore: decorator
@inline function roomOf(plan: usize): u32 {
  return 2 * spanSamples(plan) + CHUNK;
}

// @ts-ignore: decorator
@inline function historyOf(stream: usize): usize {
  return stream + STREAM.SAMPLES + align64((load<u32>(stream, STREAM.ROOM) as usize) << 2);
}

/** Bytes of a stream that keeps the last `capacity` frames. */
export function streamBytes(plan: usize, capacity: u32): u32 {
  const history = ((capacity as usize) * (load<u32>(plan, PLAN.ROWS) as usize)) << 2;
  return (STREAM.SAMPLES + align64((roomOf(plan) as usize) << 2) + history) as u32;
}

/** Lays out a stream, or begins it anew. */
export function streamReset(stream: usize, plan: usize, capacity: u32): void {
  memory.fill(stream, 0, STREAM.SAMPLES);
  store<u32>(stream, plan as u32, STREAM.PLAN);
  store<u32>(stream, roomOf(plan), STREAM.ROOM);
  store<u32>(stream, capacity, STREAM.CAPACITY);
}

// @ts-ignore: decorator
@inline function startOf(plan: usize, frame: i32): i32 {
  return frame * (load<u32>(plan, PLAN.HOP) as i32) - load<i32>(plan, PLAN.LEFT);
}

/** Frames that the samples held complete. */
function completeFrames(stream: usize): u32 {
  const plan = load<u32>(stream, STREAM.PLAN) as usize;
  const frame = load<i32>(stream, STREAM.FRAME);
  const end = load<i32>(stream, STREAM.BASE) + load<i32>(stream, STREAM.HELD);
  const edges = load<u32>(plan, PLAN.EDGES);
  const start = startOf(plan, frame);
  // The mirror image left of the beginning has to be there as well.
  if (start < 0 && (edges == EDGE.REFLECT || edges == EDGE.MIRROR) && end <= -start) return 0;
  const spare = end - start - load<i32>(plan, PLAN.LENGTH);
  return spare < 0 ? 0 : (spare as u32) / load<u32>(plan, PLAN.HOP) + 1;
}

/** Computes the next `frames` frames into the ring. */
function advance(stream: usize, work: usize, frames: u32, total: i32): void {
  const plan = load<u32>(stream, STREAM.PLAN) as usize;
  const base = load<i32>(stream, STREAM.BASE);
  const capacity = load<u32>(stream, STREAM.CAPACITY);
  const rows = load<u32>(plan, PLAN.ROWS) as usize;
  const frameMajor = (load<u32>(plan, PLAN.FLAGS) & (FLAG.FRAME_MAJOR | FLAG.WAVEFORM)) != 0;
  const samples = stream + STREAM.SAMPLES - ((base as usize) << 2);
  const count = base + load<i32>(stream, STREAM.HELD);
  while (frames > 0) {
    const place = load<u32>(stream, STREAM.PLACE);
    const now = min(frames, capacity - place);
    const out = historyOf(stream) + ((place as usize) << 2) * (frameMajor ? rows : 1);
    const frame = load<u32>(stream, STREAM.FRAME);
    computeFrames(
      plan, work, samples, count, total, frame, now, out, (capacity as usize) << 2, stream + STREAM.FOUND,
    );
    store<u32>(stream, frame + now, STREAM.FRAME);
    store<u32>(stream, place + now == capacity ? 0 : place + now, STREAM.PLACE);
    frames -= now;
  }
}

/** Lets go of the samples that no frame needs any more, and moves the origin along. */
function letGo(stream: usize): void {
  const plan = load<u32>(stream, STREAM.PLAN) as usize;
  let base = load<i32>(stream, STREAM.BASE);
  const held = load<i32>(stream, STREAM.HELD);
  // One more on the left for pre-emphasis; and what the mirror image at the end may reach back to.
  const keep = min(
    startOf(plan, load<i32>(stream, STREAM.FRAME)) - 1, base + held - load<i32>(plan, PLAN.LENGTH) - 2,
  );
  const gone = keep - base;
  if (gone <= 0) return;
  const samples = stream + STREAM.SAMPLES;
  memory.copy(samples, samples + ((gone as usize) << 2), ((held - gone) as usize) << 2);
  base = keep;
  if (base > FAR) {
    const hop = load<i32>(plan, PLAN.HOP);
    const frames = (base - NEAR) / hop;
    base -= frames * hop;
    store<i32>(stream, load<i32>(stream, STREAM.FRAME) - frames, STREAM.FRAME);
  }
  store<i32>(stream, base, STREAM.BASE);
  store<i32>(stream, held - gone, STREAM.HELD);
}

/** Takes `count` samples and computes every frame that they complete. Returns how many. */
export function streamPush(stream: usize, work: usize, samples: usize, count: u32): u32 {
  const room = load<u32>(stream, STREAM.ROOM);
  let frames: u32 = 0;
  while (true) {
    const held = load<u32>(stream, STREAM.HELD);
    const now = min(count, room - held);
    memory.copy(stream + STREAM.SAMPLES + ((held as usize) << 2), samples, (now as usize) << 2);
    store<u32>(stream, held + now, STREAM.HELD);
    samples += (now as usize) << 2;
    count -= now;
    let ready = completeFrames(stream);
    // While more samples come, whole groups only: a frame costs a quarter in one.
    if (count > 0) ready &= ~3;
    advance(stream, work, ready, load<i32>(stream, STREAM.BASE) + load<i32>(stream, STREAM.HELD));
    frames += ready;
    if (count == 0) return frames;
    letGo(stream);
  }
}

/** Computes `frames` more frames over the end: `zeros` zeros follow the last sample, then whatever the edges are. */
export function streamFlush(stream: usize, work: usize, frames: u32, zeros: i32): void {
  const end = load<i32>(stream, STREAM.BASE) + load<i32>(stream, STREAM.HELD);
  advance(stream, work, frames, end + zeros);
}

/** Frames so far that came out as NaN. */
export function streamBad(stream: usize): u32 {
  return load<u32>(stream, STREAM.FOUND + 4);
}

/** Copies `frames` frames from `age` frames back (1 is the newest) to `out`, rows `rowBytes` apart when mel-major. */
export function streamRead(stream: usize, age: u32, frames: u32, out: usize, rowBytes: usize): void {
  const plan = load<u32>(stream, STREAM.PLAN) as usize;
  const capacity = load<u32>(stream, STREAM.CAPACITY);
  const rows = load<u32>(plan, PLAN.ROWS) as usize;
  const place = load<u32>(stream, STREAM.PLACE);
  const first = place >= age ? place - age : place + capacity - age;
  const before = min(frames, capacity - first);
  const history = historyOf(stream);
  if ((load<u32>(plan, PLAN.FLAGS) & (FLAG.FRAME_MAJOR | FLAG.WAVEFORM)) != 0) {
    const frame = rows << 2;
    memory.copy(out, history + (first as usize) * frame, (before as usize) * frame);
    memory.copy(out + (before as usize) * frame, history, ((frames - before) as usize) * frame);
    return;
  }
  let row = history;
  for (let m: usize = 0; m < rows; m++, row += (capacity as usize) << 2, out += rowBytes) {
    memory.copy(out, row + ((first as usize) << 2), (before as usize) << 2);
    memory.copy(out + ((before as usize) << 2), row, ((frames - before) as usize) << 2);
  }
}
