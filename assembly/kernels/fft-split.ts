/**
 * First and last steps of a transform of interleaved numbers that fills the four lanes with its own: see fft-single.ts.
 */
import { multiplyAdd, multiplySubtract } from "./arithmetic";
import { C, V } from "./fft-passes";

/** An interleaved complex number. */
// @ts-ignore: decorator
@inline export const PAIR: usize = 8;

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
@inline export function realPlace(inverse: bool): usize {
  return inverse ? V : 0;
}

/** The first numbers of two pairs. JavaScriptCore takes three instructions for any shuffle of two vectors, one for this. */
// @ts-ignore: decorator
@inline function joinLow(a: v128, b: v128): v128 {
  return f64x2.replace_lane(a, 1, f64x2.extract_lane(b, 0));
}

/** The second numbers of two pairs. */
// @ts-ignore: decorator
@inline function joinHigh(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 1, 3);
}

/** Stores re + i im turned by the roots at `root`, the other way and scaled for the inverse, the real parts at `p`. */
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

/**
 * From n = 4 q interleaved numbers to the `q` elements of the four lanes' transforms. `roots` has for each p the cosines
 * of the four lanes, then their sines. The inverse is scaled.
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

export function splitForward(input: usize, element: usize, q: u32, roots: usize): void {
  splitLanes(input, element, q, roots, false, 1);
}

export function splitInverse(input: usize, element: usize, q: u32, roots: usize, scale: f32): void {
  splitLanes(input, element, q, roots, true, scale);
}

/** Stores `q` elements as interleaved numbers. */
export function joinLanes(element: usize, q: u32, out: usize, inverse: bool): void {
  const p = realPlace(inverse);
  for (const end = element + (q as usize) * C; element < end; element += C, out += C) {
    storeInterleaved(out, v128.load(element + p), v128.load(element + V - p));
  }
}

/** Groups of four cosines, then four sines, that a real transform's last step needs: k to m / 2, and to a group's end. */
// @ts-ignore: decorator
@inline export function foldGroups(m: u32): u32 {
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
export function foldForward(z: usize, m: u32, roots: usize, out: usize): void {
  let lower = out + ((m - 3) as usize) * PAIR;
  let b = z + ((m >> 2) as usize) * C;
  // Of the element after the one at b: Z[m] comes first.
  let nextRe = v128.load(z);
  let nextIm = v128.load(z, V);
  // Four pairs at a time; those of the last group may come twice.
  for (; z <= b; z += C, out += 4 * PAIR, lower -= 4 * PAIR, roots += C) {
    b -= C;
    const re0 = v128.load(b);
    const im0 = v128.load(b, V);
    // Backwards.
    const br = v128.shuffle<f32>(nextRe, re0, 0, 7, 6, 5);
    const bi = v128.shuffle<f32>(nextIm, im0, 0, 7, 6, 5);
    nextRe = re0;
    nextIm = im0;
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
export function foldInverse(bins: usize, m: u32, roots: usize, z: usize): void {
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
