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
import { leastLogarithm, logarithm } from "./logarithm";
import { sumFilters } from "./mel-bank";
import { energyOf, FLAG, isDft400, PLAN, powersOf, sumsOf, transformBuffer } from "./plan";

/** Frames of a block. */
// @ts-ignore: decorator
@inline const BLOCK: u32 = 16;

/** Powers, or magnitudes, of the four frames that lie in the workspace. */
function transformFrames(plan: usize, work: usize): void {
  const fft = load<u32>(plan, PLAN.FFT);
  const roots = load<u32>(plan, PLAN.ROOTS) as usize;
  const powers = powersOf(plan, work);
  const length = load<u32>(plan, PLAN.LENGTH);
  if (length < fft) memory.fill(work + ((length as usize) << 4), 0, ((fft - length) as usize) << 4);
  if (isDft400(plan)) powers400(roots, work, powers);
  else fourRealPowers(roots, work, work + transformBuffer(fft), powers);
  if ((load<u32>(plan, PLAN.FLAGS) & FLAG.MAGNITUDE) == 0) return;
  for (let at = powers, end = powers + (((fft >> 1) + 1) as usize << 4); at < end; at += 16) {
    v128.store(at, f32x4.sqrt(v128.load(at)));
  }
}

/** Zeroes the sums of one group in the lanes where `bad` is set. */
function clearLanes(sums: usize, mels: u32, bad: v128): void {
  for (const end = sums + ((mels as usize) << 6); sums < end; sums += 64) {
    v128.store(sums, v128.andnot(v128.load(sums), bad));
  }
}

/** All ones in lanes `lanes` to 3. */
// @ts-ignore: decorator
@inline function lanesFrom(lanes: u32): v128 {
  return i32x4.ge_u(i32x4(0, 1, 2, 3), i32x4.splat(lanes));
}

/** One group of up to four frames to its place among the block's sums. Returns a bit for each lane with NaN or infinity. */
function sumGroup(
  plan: usize, work: usize, samples: usize, count: i32, total: i32, frame: u32, lanes: u32, group: u32,
): u32 {
  const flags = load<u32>(plan, PLAN.FLAGS);
  const length = load<u32>(plan, PLAN.LENGTH) as usize;
  const hop = load<u32>(plan, PLAN.HOP) as usize;
  const mels = load<u32>(plan, PLAN.MELS);
  const at = locateFrames(plan, work, samples, count, total, frame, lanes);
  if ((flags & FLAG.CONDITION) != 0) {
    gatherFrames(at, hop, length, 0, work);
    conditionFrames(plan, work, frame, group);
  } else {
    gatherFrames(at, hop, length, load<u32>(plan, PLAN.WINDOW), work);
  }
  transformFrames(plan, work);
  const sums = sumsOf(plan, work) + ((group as usize) << 4);
  const sum = sumFilters(load<u32>(plan, PLAN.FILTERS), mels, load<f32>(plan, PLAN.GUARD), powersOf(plan, work), sums);
  const rest = f32x4.sub(sum, sum);
  let bad = v128.or(f32x4.ne(rest, rest), lanesFrom(lanes));
  if ((flags & FLAG.ENERGY) != 0) {
    const energy = v128.load(energyOf(plan, work) + ((group as usize) << 4));
    bad = v128.or(bad, f32x4.ne(energy, energy));
  }
  if (!v128.any_true(bad)) return 0;
  clearLanes(sums, mels, bad);
  return i32x4.bitmask(bad) & ((1 << lanes) - 1);
}

/** Logarithms of a block's sums, 16 frames a row, rows `rowBytes` apart. Returns the greatest in each lane. */
function logBlock(sums: usize, mels: u32, table: usize, out: usize, rowBytes: usize, greatest: v128): v128 {
  for (const end = sums + ((mels as usize) << 6); sums < end; sums += 64, out += rowBytes) {
    const a = logarithm(v128.load(sums), table);
    const b = logarithm(v128.load(sums, 16), table);
    const c = logarithm(v128.load(sums, 32), table);
    const d = logarithm(v128.load(sums, 48), table);
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
    greatest = f32x4.pmax(greatest, f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d)));
  }
  return greatest;
}

/** Copies row `from`, `frames` of 16 values, to `out`, values `stride` bytes apart. */
function copyRow(from: usize, frames: u32, out: usize, stride: usize): void {
  for (let t: u32 = 0; t < frames; t++, from += 4, out += stride) store<f32>(out, load<f32>(from));
}

/** Copies a block's rows to a result whose rows and frames are `rowBytes` and `frameBytes` apart. */
function copyBlock(sums: usize, rows: u32, frames: u32, out: usize, rowBytes: usize, frameBytes: usize): void {
  for (let m: u32 = 0; m < rows; m++, sums += 64, out += rowBytes) copyRow(sums, frames, out, frameBytes);
}

/** The greatest of four lanes. */
// @ts-ignore: decorator
@inline export function greatestLane(x: v128): f32 {
  const low = max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1));
  return max(low, max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)));
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
  const sums = sumsOf(plan, work);
  const melOut = (flags & FLAG.ENERGY_FIRST) != 0 ? rowStep : 0;
  const table = plan + PLAN.LOGARITHM;
  let greatest = f32x4.splat(load<f32>(found, FOUND.PEAK));
  for (let done: u32 = 0; done < frames; done += BLOCK, out += frameStep * BLOCK) {
    const inBlock = min(BLOCK, frames - done);
    let bad: u32 = 0;
    for (let group: u32 = 0; group << 2 < inBlock; group++) {
      const frame = first + done + (group << 2);
      bad |= sumGroup(plan, work, samples, count, total, frame, min(4, inBlock - (group << 2)), group) << (group << 2);
    }
    if (inBlock < BLOCK) clearRest(sums, mels, (inBlock + 3) >> 2);
    if ((flags & FLAG.LOG) == 0) {
      copyBlock(sums, mels, inBlock, out + melOut, rowStep, frameStep);
    } else if (inBlock == BLOCK && !frameMajor) {
      greatest = logBlock(sums, mels, table, out + melOut, rowStep, greatest);
    } else {
      greatest = logBlock(sums, mels, table, sums, 64, greatest);
      copyBlock(sums, mels, inBlock, out + melOut, rowStep, frameStep);
    }
    if ((flags & FLAG.ENERGY) != 0) {
      copyRow(energyOf(plan, work), inBlock, out + ((flags & FLAG.ENERGY_LAST) != 0 ? rowStep * mels : 0), frameStep);
    }
    if (bad != 0) markBad(bad, rows, out, rowStep, frameStep, found);
  }
  store<f32>(found, greatestLane(greatest), FOUND.PEAK);
}

/** Zeroes the groups from `group` on that a short block leaves: their logarithm is then the least. */
function clearRest(sums: usize, mels: u32, group: u32): void {
  for (; group < 4; group++) clearLanes(sums + ((group as usize) << 4), mels, i32x4.splat(-1));
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

/** What a frame of silence gives: the logarithm of nothing. */
export function silentFeature(plan: usize): f32 {
  return (load<u32>(plan, PLAN.FLAGS) & FLAG.LOG) != 0 ? leastLogarithm(plan + PLAN.LOGARITHM) : 0;
}
