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
 * A real transform of n samples, n divisible by 8, is a complex one of n / 2 points and a last step (foldReal). Other
 * complex transforms run up to four at a time, one a lane; other real ones run as complex ones of n points.
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
import { multiplyAdd, multiplySubtract } from "./arithmetic";
import { fftTableBuild, fftTableBytes, fourTransforms } from "./fft";
import { C, V } from "./fft-passes";
import { cosTurn, sinTurn } from "./trigonometry";

/** An interleaved complex number. */
// @ts-ignore: decorator
@inline const PAIR: usize = 8;

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

/** Bytes of one of the two buffers of elements for complex transforms of `size` points. */
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

/** Real parts of four interleaved numbers. */
// @ts-ignore: decorator
@inline function reals(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 2, 4, 6);
}

/** Their imaginary parts. */
// @ts-ignore: decorator
@inline function imaginaries(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 1, 3, 5, 7);
}

// @ts-ignore: decorator
@inline function storeInterleaved(at: usize, re: v128, im: v128): void {
  v128.store(at, v128.shuffle<f32>(re, im, 0, 4, 1, 5));
  v128.store(at, v128.shuffle<f32>(re, im, 2, 6, 3, 7), V);
}

/** Place of the real part in an element: the inverse has real and imaginary parts exchanged. */
// @ts-ignore: decorator
@inline function realPlace(inverse: bool): usize {
  return inverse ? V : 0;
}

// @ts-ignore: decorator
@inline function joinLow(a: v128, b: v128): v128 {
  return f64x2.replace_lane(a, 1, f64x2.extract_lane(b, 0));
}
// @ts-ignore: decorator
@inline function joinHigh(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 1, 3);
}

/**
 * First pass over n = 4 q interleaved numbers, to the `q` elements of the four lanes' transforms. Roots are the
 * cosines, then the sines of the four lanes, for each p. The inverse is scaled.
 */
// @ts-ignore: decorator
@inline function splitLanes(input: usize, element: usize, q: u32, roots: usize, inverse: bool, scale: f32): void {
  const p = realPlace(inverse);
  const far = (q as usize) * PAIR;
  const last = input + far - 2 * PAIR;
  // What multiplies by -i, or by i, once real and imaginary parts have changed places.
  const mask = inverse ? i32x4(0x80000000, 0, 0x80000000, 0) : i32x4(0, 0x80000000, 0, 0x80000000);
  const factor = f32x4.splat(scale);
  for (let x = input; ; x += 2 * PAIR, element += 2 * C, roots += 2 * C) {
    // Two numbers at a time; the last two may overlap those before.
    if (x > last) {
      if (x == last + 2 * PAIR) break;
      x -= PAIR;
      element -= C;
      roots -= C;
    }
    const x0 = v128.load(x);
    const x2 = v128.load(x + 2 * far);
    const a = f32x4.add(x0, x2);
    const b = f32x4.sub(x0, x2);
    const x1 = v128.load(x + far);
    const x3 = v128.load(x + 3 * far);
    const c = f32x4.add(x1, x3);
    const e = f32x4.sub(x1, x3);
    const d = v128.xor(mask, v128.shuffle<f32>(e, e, 1, 0, 3, 2));
    const y0 = f32x4.add(a, c);
    const y1 = f32x4.add(b, d);
    const y2 = f32x4.sub(a, c);
    const y3 = f32x4.sub(b, d);
    const l01 = joinLow(y0, y1);
    const l23 = joinLow(y2, y3);
    storeSplit(element, p, reals(l01, l23), imaginaries(l01, l23), roots, inverse, factor);
    const h01 = joinHigh(y0, y1);
    const h23 = joinHigh(y2, y3);
    storeSplit(element + C, p, reals(h01, h23), imaginaries(h01, h23), roots + C, inverse, factor);
  }
}

/** Stores re + i im turned by the roots at `root`, the real parts at `p`. */
// @ts-ignore: decorator
@inline function storeSplit(
  to: usize, p: usize, re: v128, im: v128, root: usize, inverse: bool, factor: v128,
): void {
  const c = v128.load(root);
  const s = v128.load(root, V);
  if (inverse) {
    const x = f32x4.mul(factor, re);
    const y = f32x4.mul(factor, im);
    v128.store(to + p, multiplySubtract(y, s, f32x4.mul(x, c)));
    v128.store(to + V - p, multiplyAdd(x, s, f32x4.mul(y, c)));
  } else {
    v128.store(to + p, multiplyAdd(im, s, f32x4.mul(re, c)));
    v128.store(to + V - p, multiplySubtract(re, s, f32x4.mul(im, c)));
  }
}

function splitForward(input: usize, element: usize, q: u32, roots: usize): void {
  splitLanes(input, element, q, roots, false, 1);
}

function splitInverse(input: usize, element: usize, q: u32, roots: usize, scale: f32): void {
  splitLanes(input, element, q, roots, true, scale);
}

/** Stores `q` elements as interleaved numbers. */
function joinLanes(element: usize, q: u32, out: usize, inverse: bool): void {
  const p = realPlace(inverse);
  for (const end = element + (q as usize) * C; element < end; element += C, out += C) {
    storeInterleaved(out, v128.load(element + p), v128.load(element + V - p));
  }
}

/** Groups of four roots of the step between a real transform's bins and numbers: k to m / 2, and to the end of a group. */
// @ts-ignore: decorator
@inline function foldGroups(m: u32): u32 {
  return (m >> 3) + 1;
}

/**
 * From the transform Z of m points, in elements, to the spectrum X of 2 m real samples, of m + 1 bins, Z[m] being
 * Z[0]. With A = Z[k], B = Z[m - k] and w = exp(-2 pi i / 2 m),
 *
 *     E = A + conj B,   T = -i w^k (A - conj B),   X[k] = (E + T) / 2,   X[m - k] = conj(E - T) / 2
 *
 * The roots of the first pass have halved Z.
 */
function foldForward(z: usize, m: u32, roots: usize, out: usize): void {
  let lower = out + ((m - 3) as usize) * PAIR;
  let b = z + ((m >> 2) as usize) * C;
  // Of the element after the one at b: Z[m] comes first.
  let nextRe = v128.load(z);
  let nextIm = v128.load(z, V);
  // Four pairs at a time; those of the last group may come twice.
  for (; z <= b; z += C, out += 4 * PAIR, lower -= 4 * PAIR, roots += C) {
    b -= C;
    const b1 = v128.load(b);
    const b2 = v128.load(b, V);
    // Backwards.
    const br = v128.shuffle<f32>(nextRe, b1, 0, 7, 6, 5);
    const bi = v128.shuffle<f32>(nextIm, b2, 0, 7, 6, 5);
    nextRe = b1;
    nextIm = b2;
    const ar = v128.load(z);
    const ai = v128.load(z, V);
    const er = f32x4.add(ar, br);
    const ei = f32x4.sub(ai, bi);
    const dr = f32x4.sub(br, ar);
    const di = f32x4.add(ai, bi);
    const c = v128.load(roots);
    const s = v128.load(roots, V);
    const tr = multiplyAdd(s, dr, f32x4.mul(c, di));
    const ti = multiplySubtract(s, di, f32x4.mul(c, dr));
    storeInterleaved(out, f32x4.add(er, tr), f32x4.add(ei, ti));
    const re = f32x4.sub(er, tr);
    const im = f32x4.sub(ti, ei);
    v128.store(lower, v128.shuffle<f32>(re, im, 3, 7, 2, 6));
    v128.store(lower, v128.shuffle<f32>(re, im, 1, 5, 0, 4), V);
  }
}

/** Back to twice the interleaved numbers over m: the same from X to Z, with i and w conjugated. */
function foldInverse(bins: usize, m: u32, roots: usize, z: usize): void {
  const scale: f32 = 1 / (m as f32);
  const factor = f32x4.splat(scale);
  let mirror = ((m - 3) as usize) * PAIR;
  for (let k: usize = 0; k <= mirror + 3 * PAIR; k += 4 * PAIR, mirror -= 4 * PAIR, roots += C) {
    const a0 = v128.load(bins + k);
    const a1 = v128.load(bins + k, V);
    const ar = reals(a0, a1);
    const ai = imaginaries(a0, a1);
    const b0 = v128.load(bins + mirror);
    const b1 = v128.load(bins + mirror, V);
    // Backwards.
    const br = v128.shuffle<f32>(b0, b1, 6, 4, 2, 0);
    const bi = v128.shuffle<f32>(b0, b1, 7, 5, 3, 1);
    const er = f32x4.mul(factor, f32x4.add(ar, br));
    const ei = f32x4.mul(factor, f32x4.sub(ai, bi));
    const dr = f32x4.sub(ar, br);
    const di = f32x4.add(ai, bi);
    const c = f32x4.mul(factor, v128.load(roots));
    const s = f32x4.mul(factor, v128.load(roots, V));
    const tr = f32x4.neg(multiplyAdd(s, dr, f32x4.mul(c, di)));
    const ti = multiplySubtract(s, di, f32x4.mul(c, dr));
    storeInterleaved(z + k, f32x4.add(er, tr), f32x4.add(ei, ti));
    const re = f32x4.sub(er, tr);
    const im = f32x4.sub(ti, ei);
    v128.store(z + mirror, v128.shuffle<f32>(re, im, 3, 7, 2, 6));
    v128.store(z + mirror, v128.shuffle<f32>(re, im, 1, 5, 0, 4), V);
  }
  // Bins 0 and m are real, whatever their imaginary parts say.
  const first = load<f32>(bins) * scale;
  const last = load<f32>(bins + (m as usize) * PAIR) * scale;
  store<f32>(z, first + last);
  store<f32>(z, first - last, 4);
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
