/**
 * Transforms of interleaved float32 numbers, one by one or several in a row, forward and inverse, complex and real.
 *
 * One transform of n points, n divisible by 4, fills the four lanes with its own numbers: a first pass of radix 4
 * (splitLanes) makes one transform of q = n / 4 points in each lane,
 *
 *     Y_l[p] = W^(l p) * sum over j of (-i)^(j l) x[p + j q],   W = exp(-2 pi i / n),   p < q,  l < 4
 *
 * and number k of lane l's is X[4 k + l], so that the results lie in order. The inverse runs the same with real and
 * imaginary parts exchanged in the elements, and the first pass conjugated.
 *
 * A real transform of n samples, n divisible by 8, is a complex one of n / 2 points, halved by the roots of its first
 * pass, and a last step (foldForward), or a step before for the inverse (foldInverse). Other complex transforms run up
 * to four at a time, one a lane; other real ones run as complex ones of n points.
 *
 *     plan
 *     ┌────────┬──────┬────────┬───────────┬───────────┬──────┬───────────────┬────────────┬────────────┐
 *     │ points │ real │ halved │ lane roots│ real roots│ free │ table (fft.ts)│ lane roots │ real roots │
 *     │        │      │        │ at        │ at        │      │               │ by element │            │
 *     └────────┴──────┴────────┴───────────┴───────────┴──────┴───────────────┴────────────┴────────────┘
 *     0        4      8        12          16          20     64               cosines, then sines of either
 *
 *     scratch
 *     ┌──────────────────┬──────────────────┬──────────────────────────────────────────────┐
 *     │ elements         │ elements         │ of a real transform: one to four complex ones│
 *     └──────────────────┴──────────────────┴──────────────────────────────────────────────┘
 */
import { align64 } from "../memory/header";
import { fftTableBuild, fftTableBytes, fourTransforms } from "./fft";
import { C, V } from "./fft-passes";
import { foldForward, foldGroups, foldInverse, joinLanes, PAIR, realPlace, splitForward, splitInverse } from "./fft-split";
import { cosTurn, sinTurn } from "./trigonometry";

// @ts-ignore: decorator
@inline const REAL: usize = 4;
/** 1 where a real transform runs as a complex one of half the length. */
// @ts-ignore: decorator
@inline const HALVED: usize = 8;
// @ts-ignore: decorator
@inline const LANE_ROOTS: usize = 12;
// @ts-ignore: decorator
@inline const REAL_ROOTS: usize = 16;
// @ts-ignore: decorator
@inline const TABLE: usize = 64;

// @ts-ignore: decorator
@inline function halves(n: u32, real: bool): bool {
  return real && n % 8 == 0 && n >= 32;
}

/** Whether one complex transform of `n` points fills the lanes. */
// @ts-ignore: decorator
@inline function fillsLanes(n: u32): bool {
  return n % 4 == 0 && n >= 16;
}

/** Bytes of the plan for `n` complex points or real samples; 0 when `n` is not supported. */
export function fftPlanBytes(n: u32, real: bool): u32 {
  if (fftTableBytes(n) == 0) return 0;
  const half = halves(n, real);
  const size = half ? n >> 1 : n;
  const lanes = fillsLanes(size);
  let bytes = TABLE + (fftTableBytes(lanes ? size >> 2 : size) as usize);
  if (lanes) bytes += 8 * (size as usize);
  if (half) bytes += (foldGroups(size) as usize) * C;
  return align64(bytes) as u32;
}

/** Stores the cosine of 2 pi k / n and, a vector further, its sine. */
// @ts-ignore: decorator
@inline function storeRoot(at: usize, k: u32, n: u32, scale: f64): void {
  store<f32>(at, (scale * cosTurn(k, n)) as f32);
  store<f32>(at, (scale * sinTurn(k, n)) as f32, V);
}

/** Builds the plan at `plan`, 64-byte aligned. */
export function fftPlanBuild(n: u32, real: bool, plan: usize): void {
  const half = halves(n, real);
  const size = half ? n >> 1 : n;
  const lanes = fillsLanes(size);
  const points = lanes ? size >> 2 : size;
  store<u32>(plan, n);
  store<u32>(plan, real as u32, REAL);
  store<u32>(plan, half as u32, HALVED);
  fftTableBuild(points, plan + TABLE);
  let place = plan + TABLE + (fftTableBytes(points) as usize);
  store<u32>(plan, place as u32, LANE_ROOTS);
  if (lanes) {
    for (let p: u32 = 0; p < points; p++, place += V) {
      for (let l: u32 = 0; l < 4; l++, place += 4) storeRoot(place, l * p, size, half ? 0.5 : 1);
    }
  }
  store<u32>(plan, place as u32, REAL_ROOTS);
  if (!half) return;
  for (let k: u32 = 0; k < 4 * foldGroups(size); place += V) {
    for (let l = 0; l < 4; l++, k++, place += 4) storeRoot(place, k, n, 1);
  }
}

/**
 * Bytes of one of the two buffers of elements for complex transforms of `size` points, and some more: addresses 4 KiB
 * apart, as powers of two would have them in both, make a load wait for a store.
 */
// @ts-ignore: decorator
@inline function bufferBytes(size: u32): usize {
  const elements = fillsLanes(size) ? size >> 2 : size;
  return (elements as usize) * C + 320;
}

/** Bytes of the scratch that fftRun works in. */
export function fftScratchBytes(n: u32, real: bool): u32 {
  const half = halves(n, real);
  const size = half ? n >> 1 : n;
  let whole: u32 = 0;
  if (half) whole = size + 1;
  else if (real) whole = fillsLanes(size) ? size : 4 * size;
  return (bufferBytes(size) * 2 + (whole as usize) * PAIR) as u32;
}

/** Up to four complex transforms of `n` points, one a lane. */
function runInLanes(
  table: usize, n: u32, scratch: usize, input: usize, output: usize, lanes: u32, inverse: bool, scale: f32,
): void {
  const p = realPlace(inverse);
  const bytes = (n as usize) * C;
  if (lanes < 4) memory.fill(scratch, 0, bytes);
  const end = scratch + (lanes << 2);
  for (let lane = scratch; lane < end; lane += 4) {
    for (let at = lane; at < lane + bytes; at += C, input += PAIR) {
      store<f32>(at + p, scale * load<f32>(input));
      store<f32>(at + V - p, scale * load<f32>(input, 4));
    }
  }
  const y = fourTransforms(table, scratch, scratch + bytes);
  for (let lane = y; lane < y + (lanes << 2); lane += 4) {
    for (let at = lane; at < lane + bytes; at += C, output += PAIR) {
      store<f32>(output, load<f32>(at + p));
      store<f32>(output, load<f32>(at + V - p), 4);
    }
  }
}

/** `count` complex transforms of `n` points. */
function runComplex(
  plan: usize, n: u32, scratch: usize, input: usize, output: usize, count: u32, inverse: bool,
): void {
  const table = plan + TABLE;
  const scale: f32 = inverse ? 1 / (n as f32) : 1;
  const bytes = (n as usize) * PAIR;
  if (!fillsLanes(n)) {
    for (let done: u32 = 0; done < count; done += 4, input += 4 * bytes, output += 4 * bytes) {
      runInLanes(table, n, scratch, input, output, min(4, count - done), inverse, scale);
    }
    return;
  }
  for (; count > 0; count--, input += bytes, output += bytes) {
    const roots = load<u32>(plan, LANE_ROOTS);
    if (inverse) splitInverse(input, scratch, n >> 2, roots, scale);
    else splitForward(input, scratch, n >> 2, roots);
    joinLanes(fourTransforms(table, scratch, scratch + bufferBytes(n)), n >> 2, output, inverse);
  }
}

/** `count` real transforms of `n` samples as complex ones of half the length. */
function runHalved(
  plan: usize, n: u32, scratch: usize, input: usize, output: usize, count: u32, inverse: bool,
): void {
  const m = n >> 1;
  const laneRoots = load<u32>(plan, LANE_ROOTS) as usize;
  const roots = load<u32>(plan, REAL_ROOTS) as usize;
  const other = scratch + bufferBytes(m);
  const whole = other + bufferBytes(m);
  const samples = (n as usize) << 2;
  const bins = ((m + 1) as usize) * PAIR;
  for (; count > 0; count--) {
    if (inverse) {
      foldInverse(input, m, roots, whole);
      splitInverse(whole, scratch, m >> 2, laneRoots, 1);
      joinLanes(fourTransforms(plan + TABLE, scratch, other), m >> 2, output, true);
      input += bins;
      output += samples;
    } else {
      splitForward(input, scratch, m >> 2, laneRoots);
      foldForward(fourTransforms(plan + TABLE, scratch, other), m, roots, output);
      input += samples;
      output += bins;
    }
  }
}

/** `count` real transforms of any length as complex ones, one a lane or one by one. */
function runWhole(
  plan: usize, n: u32, scratch: usize, input: usize, output: usize, count: u32, inverse: bool,
): void {
  const whole = scratch + 2 * bufferBytes(n);
  const half = n >> 1;
  const many: u32 = fillsLanes(n) ? 1 : 4;
  while (count > 0) {
    const some = min(many, count);
    const end = whole + (some as usize) * (n as usize) * PAIR;
    for (let at = whole; at < end; ) {
      if (inverse) {
        for (let k: u32 = 0; k < n; k++, at += PAIR) {
          const bin = input + (min(k, n - k) as usize) * PAIR;
          const im = load<f32>(bin, 4);
          store<f32>(at, load<f32>(bin));
          // Bins 0 and n / 2 are real, whatever their imaginary parts say.
          store<f32>(at, k == 0 || k + k == n ? 0 : k > half ? -im : im, 4);
        }
        input += ((half + 1) as usize) * PAIR;
      } else {
        for (let i: u32 = 0; i < n; i++, at += PAIR, input += 4) {
          store<f32>(at, load<f32>(input));
          store<f32>(at, 0, 4);
        }
      }
    }
    runComplex(plan, n, scratch, whole, whole, some, inverse);
    for (let at = whole; at < end; at += (n as usize) * PAIR) {
      if (inverse) {
        for (let i: usize = 0; i < (n as usize); i++, output += 4) store<f32>(output, load<f32>(at + i * PAIR));
      } else {
        memory.copy(output, at, ((half + 1) as usize) * PAIR);
        output += ((half + 1) as usize) * PAIR;
      }
    }
    count -= some;
  }
}

/**
 * `count` transforms from `input` to `output`, one after the other, the inverse ones scaled by 1 / n. Complex numbers
 * are interleaved; real samples have n / 2 + 1 bins. An input is read whole before its output, or that of the four
 * it runs with, is written.
 */
export function fftRun(plan: usize, scratch: usize, input: usize, output: usize, count: u32, inverse: bool): void {
  const n = load<u32>(plan);
  if (load<u32>(plan, HALVED) != 0) runHalved(plan, n, scratch, input, output, count, inverse);
  else if (load<u32>(plan, REAL) != 0) runWhole(plan, n, scratch, input, output, count, inverse);
  else runComplex(plan, n, scratch, input, output, count, inverse);
}
