/**
 * Transforms of interleaved float32 numbers, one by one or several in a row, forward and inverse, complex and real.
 *
 * One transform of n points, n divisible by 4, fills the four lanes with its own samples: lane l of element j is
 * x[4 j + l], so that the samples are only loaded, and the lanes' transforms Y of q = n / 4 points make
 *
 *     X[k + q t] = sum over l of (-i)^(l t) W^(l k) Y_l[k],   W = exp(-2 pi i / n),   k < q,  t < 4
 *
 * The inverse runs the same with real and imaginary parts exchanged in the elements, and the last step conjugated.
 * A real transform of n samples, n divisible by 8, is a complex one of n / 2 points and a last step (foldReal). Other
 * complex transforms run up to four at a time, one a lane; other real ones run as complex ones of n points.
 *
 *     plan
 *     ┌────────┬──────┬────────┬───────────┬───────────┬──────┬───────────────┬────────────┬────────────┐
 *     │ points │ real │ halved │ lane roots│ real roots│ free │ table (fft.ts)│ lane roots │ real roots │
 *     │        │      │        │ at        │ at        │      │               │ W^k, 2k, 3k│            │
 *     └────────┴──────┴────────┴───────────┴───────────┴──────┴───────────────┴────────────┴────────────┘
 *     0        4      8        12          16          20     64               cosines, then sines of each
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
  if (lanes) bytes += 6 * (size as usize);
  if (half) bytes += 8 * foldRoots(size);
  return align64(bytes) as u32;
}

/** Stores the cosines, then the sines of 2 pi k / n times `by` for k < count. Returns the end. */
function storeRoots(at: usize, count: u32, by: u32, n: u32): usize {
  for (let k: u32 = 0; k < count; k++, at += 4) store<f32>(at, cosTurn(k * by, n) as f32);
  for (let k: u32 = 0; k < count; k++, at += 4) store<f32>(at, sinTurn(k * by, n) as f32);
  return at;
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
  if (lanes) for (let l: u32 = 1; l < 4; l++) place = storeRoots(place, points, l, size);
  store<u32>(plan, place as u32, REAL_ROOTS);
  if (half) storeRoots(place, foldRoots(size) as u32, 1, n);
}

/** Bytes of one of the two buffers of elements for complex transforms of `size` points. */
// @ts-ignore: decorator
@inline function bufferBytes(size: u32): usize {
  const elements = fillsLanes(size) ? size >> 2 : size;
  return (elements as usize) * C;
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

/** Turns the sign of all lanes where `inverse`. */
// @ts-ignore: decorator
@inline function signMask(inverse: bool): v128 {
  return i32x4.splat(inverse ? 0x80000000 : 0);
}

/** Loads `n` interleaved numbers, four to an element, times `scale`. */
function loadLanes(input: usize, element: usize, n: u32, inverse: bool, scale: f32): void {
  const p = realPlace(inverse);
  const factor = f32x4.splat(scale);
  for (const end = input + (n as usize) * PAIR; input < end; input += 4 * PAIR, element += C) {
    const low = v128.load(input);
    const high = v128.load(input, V);
    v128.store(element + p, f32x4.mul(factor, reals(low, high)));
    v128.store(element + V - p, f32x4.mul(factor, imaginaries(low, high)));
  }
}

/** Turns the four lanes' transforms of `q` points at `y` into one of 4 q interleaved numbers. */
function joinLanes(y: usize, q: u32, roots: usize, out: usize, inverse: bool): void {
  const p = realPlace(inverse);
  const mask = signMask(inverse);
  const row = (q as usize) << 2;
  const far = (q as usize) * PAIR;
  // Conjugated, outputs 1 and 3 change places.
  const out1: usize = inverse ? far * 3 : far;
  const out3: usize = inverse ? far : far * 3;
  for (let next: u32 = 0; next < q; next += 4) {
    // The last group may overlap the one before.
    const k = min(next, q - 4) as usize;
    const re = y + k * C + p;
    const im = y + k * C + V - p;
    const r0 = v128.load(re);
    const r1 = v128.load(re, C);
    const r2 = v128.load(re, 2 * C);
    const r3 = v128.load(re, 3 * C);
    const rl01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
    const rh01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
    const rl23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
    const rh23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
    const i0 = v128.load(im);
    const i1 = v128.load(im, C);
    const i2 = v128.load(im, 2 * C);
    const i3 = v128.load(im, 3 * C);
    const il01 = v128.shuffle<f32>(i0, i1, 0, 4, 1, 5);
    const ih01 = v128.shuffle<f32>(i0, i1, 2, 6, 3, 7);
    const il23 = v128.shuffle<f32>(i2, i3, 0, 4, 1, 5);
    const ih23 = v128.shuffle<f32>(i2, i3, 2, 6, 3, 7);
    const y1r = v128.shuffle<f64>(rl01, rl23, 1, 3);
    const y1i = v128.shuffle<f64>(il01, il23, 1, 3);
    const y2r = v128.shuffle<f64>(rh01, rh23, 0, 2);
    const y2i = v128.shuffle<f64>(ih01, ih23, 0, 2);
    const y3r = v128.shuffle<f64>(rh01, rh23, 1, 3);
    const y3i = v128.shuffle<f64>(ih01, ih23, 1, 3);

    const root = roots + (k << 2);
    const c1 = v128.load(root);
    const s1 = v128.xor(mask, v128.load(root + row));
    const c2 = v128.load(root + 2 * row);
    const s2 = v128.xor(mask, v128.load(root + 3 * row));
    const c3 = v128.load(root + 4 * row);
    const s3 = v128.xor(mask, v128.load(root + 5 * row));
    const x0r = v128.shuffle<f64>(rl01, rl23, 0, 2);
    const x0i = v128.shuffle<f64>(il01, il23, 0, 2);
    const x2r = multiplyAdd(y2r, c2, f32x4.mul(y2i, s2));
    const x2i = multiplySubtract(y2r, s2, f32x4.mul(y2i, c2));
    const ar = f32x4.add(x0r, x2r);
    const ai = f32x4.add(x0i, x2i);
    const br = f32x4.sub(x0r, x2r);
    const bi = f32x4.sub(x0i, x2i);
    const x1r = multiplyAdd(y1r, c1, f32x4.mul(y1i, s1));
    const x1i = multiplySubtract(y1r, s1, f32x4.mul(y1i, c1));
    const x3r = multiplyAdd(y3r, c3, f32x4.mul(y3i, s3));
    const x3i = multiplySubtract(y3r, s3, f32x4.mul(y3i, c3));
    const cr = f32x4.add(x1r, x3r);
    const ci = f32x4.add(x1i, x3i);
    const dr = f32x4.sub(x1r, x3r);
    const di = f32x4.sub(x1i, x3i);
    const to = out + k * PAIR;
    storeInterleaved(to, f32x4.add(ar, cr), f32x4.add(ai, ci));
    storeInterleaved(to + out1, f32x4.add(br, di), f32x4.sub(bi, dr));
    storeInterleaved(to + 2 * far, f32x4.sub(ar, cr), f32x4.sub(ai, ci));
    storeInterleaved(to + out3, f32x4.sub(br, di), f32x4.add(bi, dr));
  }
}

/**
 * From the transform Z of m points to the spectrum X of 2 m real samples, of m + 1 bins, or back; numbers 0 to m of
 * either, Z[m] being Z[0]. With A and B numbers k and m - k of one, and w = exp(-2 pi i / 2 m),
 *
 *     E = scale (A + conj B),   T = -i w^k scale (A - conj B),   E + T and conj(E - T)
 *
 * are numbers k and m - k of the other, with scale 1 / 2; from X to Z with i and w conjugated.
 */
function foldReal(from: usize, m: u32, roots: usize, to: usize, inverse: bool, scale: f32): void {
  const mask = signMask(inverse);
  const factor = f32x4.splat(scale);
  let sines = roots + (foldRoots(m) << 2);
  let mirror = ((m - 3) as usize) * PAIR;
  // Four pairs at a time; those of the last group may come twice.
  for (let k: usize = 0; k <= mirror + 3 * PAIR; k += 4 * PAIR, mirror -= 4 * PAIR, roots += V, sines += V) {
    const a0 = v128.load(from + k);
    const a1 = v128.load(from + k, V);
    const ar = f32x4.mul(factor, reals(a0, a1));
    const ai = f32x4.mul(factor, imaginaries(a0, a1));
    const b0 = v128.load(from + mirror);
    const b1 = v128.load(from + mirror, V);
    // Backwards.
    const br = f32x4.mul(factor, v128.shuffle<f32>(b0, b1, 6, 4, 2, 0));
    const bi = f32x4.mul(factor, v128.shuffle<f32>(b0, b1, 7, 5, 3, 1));
    const er = f32x4.add(ar, br);
    const ei = f32x4.sub(ai, bi);
    const dr = f32x4.sub(ar, br);
    const di = f32x4.add(ai, bi);
    const c = v128.xor(mask, v128.load(roots));
    const s = v128.load(sines);
    const tr = multiplySubtract(s, dr, f32x4.mul(c, di));
    const ti = f32x4.neg(multiplyAdd(c, dr, f32x4.mul(s, di)));
    storeInterleaved(to + k, f32x4.add(er, tr), f32x4.add(ei, ti));
    const re = f32x4.sub(er, tr);
    const im = f32x4.sub(ti, ei);
    v128.store(to + mirror, v128.shuffle<f32>(re, im, 3, 7, 2, 6));
    v128.store(to + mirror, v128.shuffle<f32>(re, im, 1, 5, 0, 4), V);
  }
}

/** Roots that foldReal needs: k to m / 2, and to the end of a group. */
// @ts-ignore: decorator
@inline function foldRoots(m: u32): usize {
  return ((m >> 1) + 4) as usize;
}

function foldForward(z: usize, m: u32, roots: usize, out: usize): void {
  store<u64>(z + (m as usize) * PAIR, load<u64>(z));
  foldReal(z, m, roots, out, false, 0.5);
}

function foldInverse(bins: usize, m: u32, roots: usize, z: usize): void {
  const scale: f32 = 0.5 / (m as f32);
  foldReal(bins, m, roots, z, true, scale);
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
    loadLanes(input, scratch, n, inverse, scale);
    const y = fourTransforms(table, scratch, scratch + bufferBytes(n));
    joinLanes(y, n >> 2, load<u32>(plan, LANE_ROOTS), output, inverse);
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
    if (inverse) foldInverse(input, m, roots, whole);
    loadLanes(inverse ? whole : input, scratch, m, inverse, 1);
    const y = fourTransforms(plan + TABLE, scratch, other);
    joinLanes(y, m >> 2, laneRoots, inverse ? output : whole, inverse);
    if (!inverse) foldForward(whole, m, roots, output);
    input += inverse ? bins : samples;
    output += inverse ? samples : bins;
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
