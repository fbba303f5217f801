/**
 * From samples to four frames in four lanes: the samples under a frame, at the ends of a clip too, and what happens
 * to a frame before its transform.
 */
import { multiplyAdd, multiplySubtract } from "../kernels/arithmetic";
import { naturalLog } from "../kernels/exponential";
import { gaussian } from "./dither";
import { EDGE, energyOf, FLAG, PLAN, spanOf, spanSamples } from "./plan";

/** Index of the sample at `position` of a clip of `total` samples by the kind of edge, or -1 for none. */
function sourceOf(position: i32, total: i32, edges: u32): i32 {
  if (edges == EDGE.SNIP || edges == EDGE.ZERO) return position >= 0 && position < total ? position : -1;
  // MIRROR repeats the last sample, so that its mirror lies half a sample further out.
  const repeat: i32 = edges == EDGE.MIRROR ? 1 : 0;
  const last = total - 1;
  if (last == 0) return 0;
  // More than one turn happens only where the clip is shorter than half a frame.
  while (position < 0 || position > last) position = position < 0 ? -position - repeat : 2 * last - position + repeat;
  return position;
}

/** The sample at `position`, with pre-emphasis if `factor` is not 0: y[0] = x[0], y[n] = x[n] - factor x[n - 1]. */
// @ts-ignore: decorator
@inline function sampleAt(samples: usize, count: i32, total: i32, edges: u32, position: i32, factor: f32): f32 {
  const at = sourceOf(position, total, edges);
  if (at < 0 || at > count) return 0;
  // A clip followed by zeros: the first of them still feels the last sample.
  const value: f32 = at < count ? load<f32>(samples + ((at as usize) << 2)) : 0;
  if (factor == 0 || at == 0) return value;
  // As in vectors, fused or not, so that a sample's place in them does not change its last bit.
  const before = v128.load32_splat(samples + (((at - 1) as usize) << 2));
  return f32x4.extract_lane(multiplySubtract(f32x4.splat(factor), before, f32x4.splat(value)), 0);
}

/** Copies `length` samples from position `start` on to `span`, those at the ends one by one. */
export function copySpan(
  plan: usize, samples: usize, count: i32, total: i32, start: i32, length: i32, span: usize,
): void {
  const edges = load<u32>(plan, PLAN.EDGES);
  const factor: f32 = (load<u32>(plan, PLAN.FLAGS) & FLAG.EMPHASIZE_SIGNAL) != 0 ? load<f32>(plan, PLAN.PRE_EMPHASIS) : 0;
  let i: i32 = 0;
  const wide = f32x4.splat(factor);
  while (i < length) {
    const position = start + i;
    if (position > 0 && position + 4 <= count && i + 4 <= length) {
      const from = samples + ((position as usize) << 2);
      const before = v128.load(from - 4);
      v128.store(span + ((i as usize) << 2), factor == 0 ? v128.load(from) : multiplySubtract(wide, before, v128.load(from)));
      i += 4;
    } else {
      store<f32>(span + ((i as usize) << 2), sampleAt(samples, count, total, edges, position, factor));
      i++;
    }
  }
}

/**
 * Where the samples of the frames from `frame` on lie: in the clip itself, or in the workspace where they reach over
 * its ends or need pre-emphasis. `samples` is the place of sample 0, `count` how many there are, `total` how long the
 * clip is with the zeros that follow.
 */
export function locateFrames(
  plan: usize, work: usize, samples: usize, count: i32, total: i32, frame: u32, lanes: u32,
): usize {
  const hop = load<u32>(plan, PLAN.HOP);
  const start = ((frame * hop) as i32) - load<i32>(plan, PLAN.LEFT);
  const length = spanSamples(plan) as i32;
  const emphasized = (load<u32>(plan, PLAN.FLAGS) & FLAG.EMPHASIZE_SIGNAL) != 0;
  if (start >= 0 && start + length <= count && !emphasized) return samples + ((start as usize) << 2);
  const span = spanOf(plan, work);
  const used = length - (((4 - lanes) * hop) as i32);
  copySpan(plan, samples, count, total, start, used, span);
  // Lanes without a frame are zero, not whatever lay there.
  memory.fill(span + ((used as usize) << 2), 0, ((length - used) as usize) << 2);
  return span;
}

/**
 * Windows four frames, `hop` apart from `frame` on, and transposes them: vector n holds sample n of each frame.
 * Without a window (0) they are taken as they are.
 */
export function gatherFrames(frame: usize, hop: usize, length: usize, window: usize, out: usize): void {
  let f0 = frame;
  let f1 = f0 + (hop << 2);
  let f2 = f1 + (hop << 2);
  let f3 = f2 + (hop << 2);
  const end = out + (length << 4);
  for (const whole = out + ((length & ~3) << 4); out < whole; out += 64, f0 += 16, f1 += 16, f2 += 16, f3 += 16) {
    let a = v128.load(f0);
    let b = v128.load(f1);
    let c = v128.load(f2);
    let d = v128.load(f3);
    if (window) {
      const w = v128.load(window);
      window += 16;
      a = f32x4.mul(a, w);
      b = f32x4.mul(b, w);
      c = f32x4.mul(c, w);
      d = f32x4.mul(d, w);
    }
    const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(out, v128.shuffle<f64>(abLow, cdLow, 0, 2));
    v128.store(out, v128.shuffle<f64>(abLow, cdLow, 1, 3), 16);
    v128.store(out, v128.shuffle<f64>(abHigh, cdHigh, 0, 2), 32);
    v128.store(out, v128.shuffle<f64>(abHigh, cdHigh, 1, 3), 48);
  }
  for (; out < end; out += 16, f0 += 4, f1 += 4, f2 += 4, f3 += 4) {
    let x = f32x4.splat(load<f32>(f0));
    x = f32x4.replace_lane(x, 1, load<f32>(f1));
    x = f32x4.replace_lane(x, 2, load<f32>(f2));
    x = f32x4.replace_lane(x, 3, load<f32>(f3));
    if (window) {
      x = f32x4.mul(x, v128.load32_splat(window));
      window += 4;
    }
    v128.store(out, x);
  }
}

/** ln of four energies, scaled, at least the float32 epsilon and then the plan's floor: Kaldi's log energy. */
function logEnergy(plan: usize, energy: v128, scale: f32): v128 {
  const floor = load<f32>(plan, PLAN.ENERGY_FLOOR);
  const e = f32x4.max(f32x4.mul(energy, f32x4.splat(scale)), f32x4.splat(f32.EPSILON));
  // Infinity less itself: an energy that overflows is NaN, as the frame's powers are.
  let y = f32x4.splat(naturalLog(f32x4.extract_lane(e, 0) as f64) as f32);
  y = f32x4.replace_lane(y, 1, naturalLog(f32x4.extract_lane(e, 1) as f64) as f32);
  y = f32x4.replace_lane(y, 2, naturalLog(f32x4.extract_lane(e, 2) as f64) as f32);
  y = f32x4.replace_lane(y, 3, naturalLog(f32x4.extract_lane(e, 3) as f64) as f32);
  return f32x4.add(f32x4.max(y, f32x4.splat(floor)), f32x4.sub(e, e));
}

/** Adds seeded noise to each sample of each frame; the same for a frame whichever way it is computed. */
function addDither(plan: usize, frame: u32, length: usize, at: usize): void {
  const amount = load<f32>(plan, PLAN.DITHER);
  const seed = load<u32>(plan, PLAN.SEED);
  for (let n: u32 = 0; n < (length as u32); n++, at += 16) {
    let noise = f32x4.splat(gaussian(seed, frame, n));
    noise = f32x4.replace_lane(noise, 1, gaussian(seed, frame + 1, n));
    noise = f32x4.replace_lane(noise, 2, gaussian(seed, frame + 2, n));
    noise = f32x4.replace_lane(noise, 3, gaussian(seed, frame + 3, n));
    v128.store(at, multiplyAdd(noise, f32x4.splat(amount), v128.load(at)));
  }
}

/**
 * What Kaldi does to a frame (feature-window.cc ProcessWindow): dither, removal of the mean, energy, pre-emphasis
 * with the first sample taken as its own predecessor, window. In place; the energies go to the workspace.
 */
export function conditionFrames(plan: usize, work: usize, frame: u32, group: u32): void {
  const flags = load<u32>(plan, PLAN.FLAGS);
  const length = load<u32>(plan, PLAN.LENGTH) as usize;
  const end = work + (length << 4);
  if ((flags & FLAG.DITHER) != 0) addDither(plan, frame, length, work);
  let mean = f32x4.splat(0);
  if ((flags & FLAG.REMOVE_DC) != 0) {
    // In float64: beside a large offset the float32 sum's roundings are louder than quiet sound.
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    for (let at = work; at < end; at += 16) {
      const x = v128.load(at);
      low = f64x2.add(low, f64x2.promote_low_f32x4(x));
      high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3)));
    }
    const n = f64x2.splat(length as f64);
    mean = v128.shuffle<f32>(f32x4.demote_f64x2_zero(f64x2.div(low, n)), f32x4.demote_f64x2_zero(f64x2.div(high, n)), 0, 1, 4, 5);
  }
  const factor = f32x4.splat((flags & FLAG.EMPHASIZE_FRAME) != 0 ? load<f32>(plan, PLAN.PRE_EMPHASIS) : 0);
  let window = load<u32>(plan, PLAN.WINDOW) as usize;
  let before = f32x4.sub(v128.load(work), mean);
  let raw = f32x4.splat(0);
  let windowed = f32x4.splat(0);
  for (let at = work; at < end; at += 16, window += 4) {
    const x = f32x4.sub(v128.load(at), mean);
    const y = f32x4.mul(multiplySubtract(factor, before, x), v128.load32_splat(window));
    raw = multiplyAdd(x, x, raw);
    windowed = multiplyAdd(y, y, windowed);
    v128.store(at, y);
    before = x;
  }
  if ((flags & FLAG.ENERGY) == 0) return;
  const energy = energyOf(plan, work) + ((group as usize) << 4);
  if ((flags & FLAG.ENERGY_RAW) != 0) v128.store(energy, logEnergy(plan, raw, load<f32>(plan, PLAN.ENERGY_SCALE)));
  else v128.store(energy, logEnergy(plan, windowed, 1));
}
