/**
 * Frames of a clip to the features of a plan, before anything that looks at more than one frame (normalize.ts).
 *
 * Frames run in the four lanes and in blocks of four groups, so that each row of a mel-major result is written a
 * cache line at a time. What a frame gives does not depend on its lane, its block or the other frames.
 */
import { powers400 } from "../kernels/dft400";
import { fourRealPowers } from "../kernels/fft-real";
import { countNonFinite } from "../kernels/finite";
import { conditionFrames, copySpan, gatherFrames, locateFrames } from "./frames";
import { filterBlock, GREATEST } from "./filter-block";
import { logarithm } from "./logarithm";
import { greatestLane, raiseRows } from "./normalize";
import { energyOf, FLAG, isDft400, PLAN, powerBytes, powersOf, sumsOf, transformBuffer } from "./plan";

/** Frames of a block. */
// @ts-ignore: decorator
@inline const BLOCK: u32 = 16;

/** Powers, or magnitudes, of the four frames that lie in the workspace. */
function transformFrames(plan: usize, work: usize, powers: usize): void {
  const fft = load<u32>(plan, PLAN.FFT);
  const roots = load<u32>(plan, PLAN.ROOTS) as usize;
  const length = load<u32>(plan, PLAN.LENGTH);
  if (length < fft) memory.fill(work + ((length as usize) << 4), 0, ((fft - length) as usize) << 4);
  if (isDft400(plan)) powers400(roots, work, powers);
  else fourRealPowers(roots, work, work + transformBuffer(fft), powers);
  if ((load<u32>(plan, PLAN.FLAGS) & FLAG.MAGNITUDE) == 0) return;
  for (let at = powers, end = powers + (((fft >> 1) + 1) as usize << 4); at < end; at += 16) {
    v128.store(at, f32x4.sqrt(v128.load(at)));
  }
}

/** Zeroes the powers of one group in the lanes where `bad` is set. */
function clearLanes(powers: usize, bytes: usize, bad: v128): void {
  for (const end = powers + bytes; powers < end; powers += 16) {
    v128.store(powers, v128.andnot(v128.load(powers), bad));
  }
}

/** Powers of one group of up to four frames to its place in the block. */
function transformGroup(
  plan: usize, work: usize, samples: usize, count: i32, total: i32, frame: u32, lanes: u32, group: u32,
): void {
  const flags = load<u32>(plan, PLAN.FLAGS);
  const length = load<u32>(plan, PLAN.LENGTH) as usize;
  const hop = load<u32>(plan, PLAN.HOP) as usize;
  const at = locateFrames(plan, work, samples, count, total, frame, lanes);
  if ((flags & FLAG.CONDITION) != 0) {
    gatherFrames(at, hop, length, 0, work);
    conditionFrames(plan, work, frame, group);
  } else {
    gatherFrames(at, hop, length, load<u32>(plan, PLAN.WINDOW), work);
  }
  const bytes = powerBytes(plan);
  const powers = powersOf(plan, work) + (group as usize) * bytes;
  transformFrames(plan, work, powers);
  // Lanes past the last frame hold others' samples, which must not raise the peak.
  if (lanes < 4) clearLanes(powers, bytes, i32x4.ge_u(i32x4(0, 1, 2, 3), i32x4.splat(lanes)));
}

/** Copies row `from`, `frames` of 16 values, to `out`, values `stride` bytes apart. */
function copyRow(from: usize, frames: u32, out: usize, stride: usize): void {
  for (let t: u32 = 0; t < frames; t++, from += 4, out += stride) store<f32>(out, load<f32>(from));
}

/** Copies a block's rows to a result whose rows and frames are `rowBytes` and `frameBytes` apart. */
function copyBlock(sums: usize, rows: u32, frames: u32, out: usize, rowBytes: usize, frameBytes: usize): void {
  for (let m: u32 = 0; m < rows; m++, sums += 64, out += rowBytes) copyRow(sums, frames, out, frameBytes);
}

/** What computeFrames found, beside the features. */
export namespace FOUND {
  /** Greatest feature that is no NaN, f32. */
  // @ts-ignore: decorator
  @inline export const PEAK: usize = 0;
  /** Frames with NaN, infinity or overflow, u32; their features are NaN. */
  // @ts-ignore: decorator
  @inline export const BAD: usize = 4;
}

/**
 * Computes `frames` frames from `first` on and writes them at `out`: mel-major with rows `rowBytes` apart, or
 * frame-major. `samples` is the place of sample 0, of `count` in all, followed by zeros up to `total`. The peak at
 * `found` is raised and the bad frames are added there.
 */
export function computeFrames(
  plan: usize, work: usize, samples: usize, count: i32, total: i32, first: u32, frames: u32, out: usize,
  rowBytes: usize, found: usize,
): void {
  const flags = load<u32>(plan, PLAN.FLAGS);
  if ((flags & FLAG.WAVEFORM) != 0) {
    cutFrames(plan, samples, count, total, first, frames, out, found);
    return;
  }
  const mels = load<u32>(plan, PLAN.MELS);
  const rows = load<u32>(plan, PLAN.ROWS);
  const frameMajor = (flags & FLAG.FRAME_MAJOR) != 0;
  const rowStep: usize = frameMajor ? 4 : rowBytes;
  const frameStep: usize = frameMajor ? (rows as usize) << 2 : 4;
  const features = sumsOf(plan, work);
  const melOut = (flags & FLAG.ENERGY_FIRST) != 0 ? rowStep : 0;
  let greatest = f32x4.splat(load<f32>(found, FOUND.PEAK));
  for (let done: u32 = 0; done < frames; done += BLOCK, out += frameStep * BLOCK) {
    const inBlock = min(BLOCK, frames - done);
    for (let group: u32 = 0; group << 2 < inBlock; group++) {
      const lanes = min(4, inBlock - (group << 2));
      transformGroup(plan, work, samples, count, total, first + done + (group << 2), lanes, group);
    }
    const powers = powersOf(plan, work);
    const bytes = powerBytes(plan);
    const groups = ((inBlock + 3) >> 2) as usize;
    memory.fill(powers + groups * bytes, 0, (4 - groups) * bytes);
    const direct = inBlock == BLOCK && !frameMajor;
    const to = direct ? out + melOut : features;
    const toBytes = direct ? rowBytes : 64;
    const bank = load<u32>(plan, PLAN.FILTERS) as usize;
    const guard = load<f32>(plan, PLAN.GUARD);
    const table = (flags & FLAG.LOG) != 0 ? plan + PLAN.LOGARITHM : 0;
    v128.store(work, greatest, GREATEST);
    filterBlock(bank, mels, guard, powers, bytes, table, to, toBytes, work);
    let bad = badLanes(work);
    if (bad != 0) {
      // Once more without them, for the peak.
      for (let group: usize = 0; group < 4; group++) {
        clearLanes(powers + group * bytes, bytes, laneMask(bad >> ((group as u32) << 2)));
      }
      v128.store(work, greatest, GREATEST);
      filterBlock(bank, mels, guard, powers, bytes, table, to, toBytes, work);
    }
    greatest = v128.load(work, GREATEST);
    if (!direct) copyBlock(features, mels, inBlock, out + melOut, rowStep, frameStep);
    if ((flags & FLAG.ENERGY) != 0) {
      const energy = energyOf(plan, work);
      copyRow(energy, inBlock, out + ((flags & FLAG.ENERGY_LAST) != 0 ? rowStep * mels : 0), frameStep);
      bad |= badLanes(energy);
    }
    bad &= (1 << inBlock) - 1;
    if (bad != 0) markBad(bad, rows, out, rowStep, frameStep, found);
  }
  store<f32>(found, greatestLane(greatest), FOUND.PEAK);
}

/** A bit for each of sixteen values at `at` that is NaN or infinite. */
function badLanes(at: usize): u32 {
  let bits: u32 = 0;
  for (let group: u32 = 0; group < 4; group++, at += 16) {
    const x = v128.load(at);
    const rest = f32x4.sub(x, x);
    bits |= i32x4.bitmask(f32x4.ne(rest, rest)) << (group << 2);
  }
  return bits;
}

/** All ones in the lanes of the lowest four bits that are set. */
// @ts-ignore: decorator
@inline function laneMask(bits: u32): v128 {
  return i32x4.ne(v128.and(i32x4.splat(bits), i32x4(1, 2, 4, 8)), i32x4.splat(0));
}

/** Fills the frames of a block whose bit is set with NaN. */
function markBad(bad: u32, rows: u32, out: usize, rowStep: usize, frameStep: usize, found: usize): void {
  for (; bad != 0; bad >>= 1, out += frameStep) {
    if ((bad & 1) == 0) continue;
    store<u32>(found, load<u32>(found, FOUND.BAD) + 1, FOUND.BAD);
    for (let m: u32 = 0; m < rows; m++) store<f32>(out + (m as usize) * rowStep, NaN);
  }
}

/** Frames of samples as they are. */
function cutFrames(
  plan: usize, samples: usize, count: i32, total: i32, first: u32, frames: u32, out: usize, found: usize,
): void {
  const length = load<u32>(plan, PLAN.LENGTH);
  for (let t = first; t < first + frames; t++, out += (length as usize) << 2) {
    const start = ((t * load<u32>(plan, PLAN.HOP)) as i32) - load<i32>(plan, PLAN.LEFT);
    copySpan(plan, samples, count, total, start, length as i32, out);
    if (countNonFinite(out, length) != 0) store<u32>(found, load<u32>(found, FOUND.BAD) + 1, FOUND.BAD);
  }
}

/**
 * Raises the features of the first `active` of `frames` frames to the peak at `found` less `range`, where that is not
 * negative; the frames after them are silence, raised alike. In rows, or as one row of all values.
 */
export function raiseToRange(
  plan: usize, out: usize, rows: u32, frames: u32, active: u32, range: f64, found: usize,
): void {
  const floor: f32 = range < 0 ? f32.NEGATIVE_INFINITY : load<f32>(found, FOUND.PEAK) - (range as f32);
  raiseRows(out, rows, frames, active, floor, max(silentFeature(plan), floor));
}

/** What a frame of silence gives: the logarithm of nothing, or of the guard. */
export function silentFeature(plan: usize): f32 {
  const guard = load<f32>(plan, PLAN.GUARD);
  if ((load<u32>(plan, PLAN.FLAGS) & FLAG.LOG) == 0) return guard;
  return f32x4.extract_lane(logarithm(f32x4.splat(guard), plan + PLAN.LOGARITHM), 0);
}
