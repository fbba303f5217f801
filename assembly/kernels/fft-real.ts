/**
 * Real transforms of n samples, four at once in the four lanes.
 *
 * For even n two consecutive samples are one complex number, z[i] = x[2 i] + i x[2 i + 1], whose transform Z of
 * m = n / 2 points holds those of the even and odd samples (Cooley, Lewis, Welch 1970):
 *
 *     E[k] = (Z[k] + conj Z[m - k]) / 2,   O[k] = (Z[k] - conj Z[m - k]) / 2i,   w = exp(-2 pi i / n)
 *     X[k] = E[k] + w^k O[k],   X[m - k] = conj(E[k] - w^k O[k])
 *
 * For odd n the samples are taken as complex, with imaginary parts of zero.
 */
import { multiplyAdd, multiplySubtract } from "./arithmetic";
import { fourTransforms, realLength, realRoots } from "./fft";
import { C, V } from "./fft-passes";

/** Bytes of each of the two buffers of fourRealTransforms and fourRealPowers for `n` samples. */
export function realFftBufferBytes(n: u32): u32 {
  return ((n & 1) != 0 ? n : (n >> 1) + 1) * (C as u32);
}

/** Stores re + i im, or |re + i im|^2 where `power`: `at` counts elements, of one size or the other. */
// @ts-ignore: decorator
@inline function storeBin(out: usize, at: usize, power: bool, re: v128, im: v128): void {
  if (power) {
    v128.store(out + (at >> 1), multiplyAdd(re, re, f32x4.mul(im, im)));
  } else {
    v128.store(out + at, re);
    v128.store(out + at, im, V);
  }
}

/**
 * Bins k and m - k, at `k` and `mirror` bytes in the output, of Z[k] = a and Z[m - k] = b. c and s are half the
 * cosine and sine of the root.
 */
// @ts-ignore: decorator
@inline function storePair(
  out: usize, k: usize, mirror: usize, power: bool, ar: v128, ai: v128, br: v128, bi: v128, c: v128, s: v128,
): void {
  const half = f32x4.splat(0.5);
  const er = f32x4.mul(half, f32x4.add(ar, br));
  const ei = f32x4.mul(half, f32x4.sub(ai, bi));
  const or = f32x4.add(ai, bi);
  const oi = f32x4.sub(br, ar);
  const tr = multiplyAdd(or, c, f32x4.mul(oi, s));
  const ti = multiplySubtract(or, s, f32x4.mul(oi, c));
  storeBin(out, k, power, f32x4.add(er, tr), f32x4.add(ei, ti));
  storeBin(out, mirror, power, f32x4.sub(er, tr), f32x4.sub(ti, ei));
}

/** All bins of the transform `z` of m points; `out` may be `z`. */
// @ts-ignore: decorator
@inline function storeBins(z: usize, m: u32, roots: usize, out: usize, power: bool): void {
  const end = (m as usize) * C;
  // Z[m] is Z[0].
  const re = v128.load(z);
  const im = v128.load(z, V);
  const none = f32x4.splat(0);
  storeBin(out, 0, power, f32x4.add(re, im), none);
  storeBin(out, end, power, f32x4.sub(re, im), none);
  for (let k = C; (k << 1) <= end; k += C) {
    const root = roots + (k >> 2);
    const a = z + k;
    const b = z + end - k;
    storePair(
      out, k, end - k, power, v128.load(a), v128.load(a, V), v128.load(b), v128.load(b, V), v128.load32_splat(root),
      v128.load32_splat(root, 4),
    );
  }
}

/** Powers of the bins that four complex transforms of `n` real samples have not twice. */
function storeOddPowers(z: usize, n: u32, power: usize): void {
  for (const end = z + (((n >> 1) + 1) as usize) * C; z < end; z += C, power += V) {
    const re = v128.load(z);
    const im = v128.load(z, V);
    v128.store(power, multiplyAdd(re, re, f32x4.mul(im, im)));
  }
}

/** Spreads `n` real vectors at `a` to complex elements at `b`. */
function spread(a: usize, b: usize, n: u32): void {
  for (const end = a + (n as usize) * V; a < end; a += V, b += C) {
    v128.store(b, v128.load(a));
    v128.store(b, f32x4.splat(0), V);
  }
}

/**
 * Four forward transforms of n real samples each: vector i at `a` holds sample i of the four signals. Both buffers
 * have realFftBufferBytes(n) and are overwritten. Returns whichever holds the result, n / 2 + 1 complex elements
 * in natural order.
 */
export function fourRealTransforms(table: usize, a: usize, b: usize): usize {
  const n = realLength(table);
  if ((n & 1) != 0) {
    spread(a, b, n);
    return fourTransforms(table, b, a);
  }
  const z = fourTransforms(table, a, b);
  storeBins(z, n >> 1, realRoots(table), z, false);
  return z;
}

/** The same, with the squares of the magnitudes to `power`: n / 2 + 1 vectors, outside both buffers. */
export function fourRealPowers(table: usize, a: usize, b: usize, power: usize): void {
  const n = realLength(table);
  if ((n & 1) != 0) {
    spread(a, b, n);
    storeOddPowers(fourTransforms(table, b, a), n, power);
  } else {
    storeBins(fourTransforms(table, a, b), n >> 1, realRoots(table), power, true);
  }
}
