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
import { lastRadix, passCount, points, realLength, realRoots, runPasses } from "./fft";
import { butterfly4, C, V } from "./fft-passes";

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

/** Bins k and m - k for k from `first` by `by` to m / 2, of the transform `z`; `out` may be `z`. */
// @ts-ignore: decorator
@inline function storeBins(z: usize, m: u32, first: u32, by: u32, roots: usize, out: usize, power: bool): void {
  const end = (m as usize) * C;
  if (first == 0) {
    // Z[m] is Z[0].
    const re = v128.load(z);
    const im = v128.load(z, V);
    const none = f32x4.splat(0);
    storeBin(out, 0, power, f32x4.add(re, im), none);
    storeBin(out, end, power, f32x4.sub(re, im), none);
    first = by;
  }
  for (let k = (first as usize) * C; (k << 1) <= end; k += (by as usize) * C) {
    const root = roots + (k >> 2);
    const a = z + k;
    const b = z + end - k;
    storePair(
      out, k, end - k, power, v128.load(a), v128.load(a, V), v128.load(b), v128.load(b, V), v128.load32_splat(root),
      v128.load32_splat(root, 4),
    );
  }
}

function storeSpectrum(z: usize, m: u32, roots: usize, out: usize): void {
  storeBins(z, m, 0, 1, roots, out, false);
}

function storePowers(z: usize, m: u32, by: u32, roots: usize, power: usize): void {
  storeBins(z, m, 0, by, roots, power, true);
}

/**
 * The last pass, of radix 4, and all powers in one: butterflies q and m / 4 - q hold four pairs of bins. The two
 * pairs that lie symmetric to m / 4 have roots that add up to a quarter turn: one load serves both.
 */
function lastPassPowers(x: usize, m: u32, roots: usize, power: usize): void {
  const s = (m as usize) * (C >> 2);
  const top = s << 2;
  for (let q: usize = C; (q << 1) <= s; q += C) {
    const x0 = x + q;
    const x0r = v128.load(x0);
    const x0i = v128.load(x0, V);
    const x2r = v128.load(x0 + 2 * s);
    const x2i = v128.load(x0 + 2 * s, V);
    const ar = f32x4.add(x0r, x2r);
    const ai = f32x4.add(x0i, x2i);
    const br = f32x4.sub(x0r, x2r);
    const bi = f32x4.sub(x0i, x2i);
    const x1r = v128.load(x0 + s);
    const x1i = v128.load(x0 + s, V);
    const x3r = v128.load(x0 + 3 * s);
    const x3i = v128.load(x0 + 3 * s, V);
    const cr = f32x4.add(x1r, x3r);
    const ci = f32x4.add(x1i, x3i);
    const dr = f32x4.sub(x1r, x3r);
    const di = f32x4.sub(x1i, x3i);

    const y0 = x + s - q;
    const y0r = v128.load(y0);
    const y0i = v128.load(y0, V);
    const y2r = v128.load(y0 + 2 * s);
    const y2i = v128.load(y0 + 2 * s, V);
    const er = f32x4.add(y0r, y2r);
    const ei = f32x4.add(y0i, y2i);
    const fr = f32x4.sub(y0r, y2r);
    const fi = f32x4.sub(y0i, y2i);
    const y1r = v128.load(y0 + s);
    const y1i = v128.load(y0 + s, V);
    const y3r = v128.load(y0 + 3 * s);
    const y3i = v128.load(y0 + 3 * s, V);
    const gr = f32x4.add(y1r, y3r);
    const gi = f32x4.add(y1i, y3i);
    const hr = f32x4.sub(y1r, y3r);
    const hi = f32x4.sub(y1i, y3i);

    // Root q, whose complement to a quarter turn is root m / 2 - q; then the same of m / 4 - q and m / 4 + q.
    const root = roots + (q >> 2);
    const c0 = v128.load32_splat(root);
    const s0 = v128.load32_splat(root, 4);
    storePair(
      power, q, top - q, true, f32x4.add(ar, cr), f32x4.add(ai, ci), f32x4.sub(fr, hi), f32x4.add(fi, hr), c0, s0,
    );
    storePair(
      power, 2 * s - q, 2 * s + q, true, f32x4.add(fr, hi), f32x4.sub(fi, hr), f32x4.sub(ar, cr), f32x4.sub(ai, ci),
      s0, c0,
    );
    const next = roots + ((s + q) >> 2);
    const c1 = v128.load32_splat(next);
    const s1 = v128.load32_splat(next, 4);
    storePair(
      power, s + q, 3 * s - q, true, f32x4.add(br, di), f32x4.sub(bi, dr), f32x4.sub(er, gr), f32x4.sub(ei, gi),
      c1, s1,
    );
    storePair(
      power, s - q, 3 * s + q, true, f32x4.add(er, gr), f32x4.add(ei, gi), f32x4.sub(br, di), f32x4.add(bi, dr),
      s1, c1,
    );
  }
  // Butterfly 0 is its own mirror.
  const none = f32x4.splat(0);
  butterfly4(x, s, x, s, true, none, none, none, none, none, none);
  storePowers(x, m, m >> 2, roots, power);
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
    return runPasses(table, b, a, passCount(table));
  }
  const z = runPasses(table, a, b, passCount(table));
  storeSpectrum(z, n >> 1, realRoots(table), z);
  return z;
}

/** The same, with the squares of the magnitudes to `power`: n / 2 + 1 vectors, outside both buffers. */
export function fourRealPowers(table: usize, a: usize, b: usize, power: usize): void {
  const n = realLength(table);
  const passes = passCount(table);
  if ((n & 1) != 0) {
    spread(a, b, n);
    storeOddPowers(runPasses(table, b, a, passes), n, power);
  } else if (lastRadix(table) == 4) {
    lastPassPowers(runPasses(table, a, b, passes - 1), n >> 1, realRoots(table), power);
  } else {
    storePowers(runPasses(table, a, b, passes), n >> 1, 1, realRoots(table), power);
  }
}
