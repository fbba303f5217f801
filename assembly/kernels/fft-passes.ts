/**
 * Passes of the mixed-radix transform: each runs over all elements of one buffer and writes the other.
 *
 * A pass of radix r splits transforms of length r m into r interleaved ones of length m, by decimation in
 * frequency in Stockham's self-sorting order (Cochran et al. 1967; Van Loan, Computational Frameworks for the
 * Fast Fourier Transform, 1992, 1.7). s is the product of the radices before, and r m s = n:
 *
 *     y[q + s (r p + k)] = W^(p k) * sum over j of Wr^(j k) * x[q + s (p + j m)],   W = exp(-2 pi i / (r m)),
 *     p < m,  q < s,  j, k < r
 *
 * so that the last pass (m = 1) has no roots and all q of a p share theirs.
 *
 * An element is a complex number in four lanes, four transforms side by side: 16 bytes of real parts, 16 of
 * imaginary parts. Roots are cosine and sine, two f32, r - 1 pairs for each p.
 */
import { multiplyAdd, multiplySubtract } from "./arithmetic";

/** A vector of four lanes. */
// @ts-ignore: decorator
@inline export const V: usize = 16;
/** A complex element. */
// @ts-ignore: decorator
@inline export const C: usize = 32;
/** A root: cosine, sine. */
// @ts-ignore: decorator
@inline export const ROOT: usize = 8;

// @ts-ignore: decorator
@inline function storeComplex(address: usize, re: v128, im: v128): void {
  v128.store(address, re);
  v128.store(address, im, V);
}

/** Stores (re + i im) (c - i s). */
// @ts-ignore: decorator
@inline function storeTurned(address: usize, re: v128, im: v128, c: v128, s: v128): void {
  v128.store(address, multiplyAdd(re, c, f32x4.mul(im, s)));
  v128.store(address, multiplySubtract(re, s, f32x4.mul(im, c)), V);
}

/** The same with the root at `root`. */
// @ts-ignore: decorator
@inline function storeRotated(address: usize, re: v128, im: v128, root: usize): void {
  storeTurned(address, re, im, v128.load32_splat(root), v128.load32_splat(root, 4));
}

/** Radix 2. */
export function pass2(x: usize, y: usize, m: u32, s: u32, roots: usize): void {
  const step = (s as usize) * C;
  const far = (m as usize) * step;
  for (const end = x + far; x < end; roots += ROOT, y += step) {
    const c = v128.load32_splat(roots);
    const t = v128.load32_splat(roots, 4);
    for (const last = x + step; x < last; x += C, y += C) {
      const x0r = v128.load(x);
      const x0i = v128.load(x, V);
      const x1r = v128.load(x + far);
      const x1i = v128.load(x + far, V);
      storeComplex(y, f32x4.add(x0r, x1r), f32x4.add(x0i, x1i));
      storeTurned(y + step, f32x4.sub(x0r, x1r), f32x4.sub(x0i, x1i), c, t);
    }
  }
}

/** sin 60 degrees */
// @ts-ignore: decorator
@inline const SIN60: f32 = 0.8660254037844386;

/** Radix 3. */
export function pass3(x: usize, y: usize, m: u32, s: u32, roots: usize): void {
  const step = (s as usize) * C;
  const far = (m as usize) * step;
  const half = f32x4.splat(0.5);
  const sine = f32x4.splat(SIN60);
  for (const end = x + far; x < end; roots += 2 * ROOT, y += 2 * step) {
    for (const last = x + step; x < last; x += C, y += C) {
      const x1r = v128.load(x + far);
      const x1i = v128.load(x + far, V);
      const x2r = v128.load(x + 2 * far);
      const x2i = v128.load(x + 2 * far, V);
      const tr = f32x4.add(x1r, x2r);
      const ti = f32x4.add(x1i, x2i);
      const dr = f32x4.mul(sine, f32x4.sub(x1r, x2r));
      const di = f32x4.mul(sine, f32x4.sub(x1i, x2i));
      const x0r = v128.load(x);
      const x0i = v128.load(x, V);
      storeComplex(y, f32x4.add(x0r, tr), f32x4.add(x0i, ti));
      const er = multiplySubtract(half, tr, x0r);
      const ei = multiplySubtract(half, ti, x0i);
      storeRotated(y + step, f32x4.add(er, di), f32x4.sub(ei, dr), roots);
      storeRotated(y + 2 * step, f32x4.sub(er, di), f32x4.add(ei, dr), roots + ROOT);
    }
  }
}

/** Four-point butterfly of x, x + far, … to y, y + step, …, turned by three roots unless `plain`. */
// @ts-ignore: decorator
@inline function butterfly4(
  x: usize, far: usize, y: usize, step: usize, plain: bool, c1: v128, s1: v128, c2: v128, s2: v128, c3: v128, s3: v128,
): void {
  const x0r = v128.load(x);
  const x0i = v128.load(x, V);
  const x2r = v128.load(x + 2 * far);
  const x2i = v128.load(x + 2 * far, V);
  const ar = f32x4.add(x0r, x2r);
  const ai = f32x4.add(x0i, x2i);
  const br = f32x4.sub(x0r, x2r);
  const bi = f32x4.sub(x0i, x2i);
  const x1r = v128.load(x + far);
  const x1i = v128.load(x + far, V);
  const x3r = v128.load(x + 3 * far);
  const x3i = v128.load(x + 3 * far, V);
  const cr = f32x4.add(x1r, x3r);
  const ci = f32x4.add(x1i, x3i);
  const dr = f32x4.sub(x1r, x3r);
  const di = f32x4.sub(x1i, x3i);
  storeComplex(y, f32x4.add(ar, cr), f32x4.add(ai, ci));
  if (plain) {
    storeComplex(y + step, f32x4.add(br, di), f32x4.sub(bi, dr));
    storeComplex(y + 2 * step, f32x4.sub(ar, cr), f32x4.sub(ai, ci));
    storeComplex(y + 3 * step, f32x4.sub(br, di), f32x4.add(bi, dr));
  } else {
    storeTurned(y + step, f32x4.add(br, di), f32x4.sub(bi, dr), c1, s1);
    storeTurned(y + 2 * step, f32x4.sub(ar, cr), f32x4.sub(ai, ci), c2, s2);
    storeTurned(y + 3 * step, f32x4.sub(br, di), f32x4.add(bi, dr), c3, s3);
  }
}

/** Radix 4. */
export function pass4(x: usize, y: usize, m: u32, s: u32, roots: usize): void {
  const step = (s as usize) * C;
  const far = (m as usize) * step;
  const zero = f32x4.splat(0);
  const end = x + far;
  if (step == C) {
    // The first pass: one q, and outputs side by side.
    for (; x < end; x += C, y += 4 * C, roots += 3 * ROOT) {
      butterfly4(
        x, far, y, C, false, v128.load32_splat(roots), v128.load32_splat(roots, 4), v128.load32_splat(roots, 8),
        v128.load32_splat(roots, 12), v128.load32_splat(roots, 16), v128.load32_splat(roots, 20),
      );
    }
    return;
  }
  for (const last = x + step; x < last; x += C, y += C) {
    butterfly4(x, far, y, step, true, zero, zero, zero, zero, zero, zero);
  }
  while (x < end) {
    y += 3 * step;
    roots += 3 * ROOT;
    const c1 = v128.load32_splat(roots);
    const s1 = v128.load32_splat(roots, 4);
    const c2 = v128.load32_splat(roots, 8);
    const s2 = v128.load32_splat(roots, 12);
    const c3 = v128.load32_splat(roots, 16);
    const s3 = v128.load32_splat(roots, 20);
    for (const last = x + step; x < last; x += C, y += C) {
      butterfly4(x, far, y, step, false, c1, s1, c2, s2, c3, s3);
    }
  }
}

/** sqrt(1 / 2) */
// @ts-ignore: decorator
@inline const ROOT_HALF: f32 = 0.7071067811865476;

/** Four-point transform of a, b, c, d to y, y + step, … */
// @ts-ignore: decorator
@inline function storeFour(
  y: usize, step: usize, ar: v128, ai: v128, br: v128, bi: v128, cr: v128, ci: v128, dr: v128, di: v128,
): void {
  const er = f32x4.add(ar, cr);
  const ei = f32x4.add(ai, ci);
  const fr = f32x4.add(br, dr);
  const fi = f32x4.add(bi, di);
  storeComplex(y, f32x4.add(er, fr), f32x4.add(ei, fi));
  storeComplex(y + 2 * step, f32x4.sub(er, fr), f32x4.sub(ei, fi));
  const gr = f32x4.sub(ar, cr);
  const gi = f32x4.sub(ai, ci);
  const hr = f32x4.sub(br, dr);
  const hi = f32x4.sub(bi, di);
  storeComplex(y + step, f32x4.add(gr, hi), f32x4.sub(gi, hr));
  storeComplex(y + 3 * step, f32x4.sub(gr, hi), f32x4.add(gi, hr));
}

/** Radix 8, as a last pass: without roots. */
export function lastPass8(x: usize, y: usize, s: u32): void {
  const d = (s as usize) * C;
  const h = f32x4.splat(ROOT_HALF);
  for (const end = x + d; x < end; x += C, y += C) {
    // Every element is loaded twice, for eight vectors at a time leave registers free.
    storeFour(
      y, 2 * d,
      f32x4.add(v128.load(x), v128.load(x + 4 * d)),
      f32x4.add(v128.load(x, V), v128.load(x + 4 * d, V)),
      f32x4.add(v128.load(x + d), v128.load(x + 5 * d)),
      f32x4.add(v128.load(x + d, V), v128.load(x + 5 * d, V)),
      f32x4.add(v128.load(x + 2 * d), v128.load(x + 6 * d)),
      f32x4.add(v128.load(x + 2 * d, V), v128.load(x + 6 * d, V)),
      f32x4.add(v128.load(x + 3 * d), v128.load(x + 7 * d)),
      f32x4.add(v128.load(x + 3 * d, V), v128.load(x + 7 * d, V)),
    );
    const br = f32x4.sub(v128.load(x + d), v128.load(x + 5 * d));
    const bi = f32x4.sub(v128.load(x + d, V), v128.load(x + 5 * d, V));
    const dr = f32x4.sub(v128.load(x + 3 * d), v128.load(x + 7 * d));
    const di = f32x4.sub(v128.load(x + 3 * d, V), v128.load(x + 7 * d, V));
    storeFour(
      y + d, 2 * d,
      f32x4.sub(v128.load(x), v128.load(x + 4 * d)),
      f32x4.sub(v128.load(x, V), v128.load(x + 4 * d, V)),
      f32x4.mul(h, f32x4.add(br, bi)),
      f32x4.mul(h, f32x4.sub(bi, br)),
      f32x4.sub(v128.load(x + 2 * d, V), v128.load(x + 6 * d, V)),
      f32x4.sub(v128.load(x + 6 * d), v128.load(x + 2 * d)),
      f32x4.mul(h, f32x4.sub(di, dr)),
      f32x4.mul(h, f32x4.neg(f32x4.add(dr, di))),
    );
  }
}

// Constants of the five-point transform: sqrt(5) / 4, sin 72, sin 144 degrees.
// @ts-ignore: decorator
@inline const ROOT5: f32 = 0.5590169943749475;
// @ts-ignore: decorator
@inline const SIN72: f32 = 0.9510565162951535;
// @ts-ignore: decorator
@inline const SIN144: f32 = 0.5877852522924731;

/** Radix 5, in Winograd's form. */
export function pass5(x: usize, y: usize, m: u32, s: u32, roots: usize): void {
  const step = (s as usize) * C;
  const far = (m as usize) * step;
  const quarter = f32x4.splat(0.25);
  const root5 = f32x4.splat(ROOT5);
  const u = f32x4.splat(SIN72);
  const v = f32x4.splat(SIN144);
  for (const end = x + far; x < end; roots += 4 * ROOT, y += 4 * step) {
    for (const last = x + step; x < last; x += C, y += C) {
      const x1r = v128.load(x + far);
      const x1i = v128.load(x + far, V);
      const x4r = v128.load(x + 4 * far);
      const x4i = v128.load(x + 4 * far, V);
      const t1r = f32x4.add(x1r, x4r);
      const t1i = f32x4.add(x1i, x4i);
      const t3r = f32x4.sub(x1r, x4r);
      const t3i = f32x4.sub(x1i, x4i);
      const x2r = v128.load(x + 2 * far);
      const x2i = v128.load(x + 2 * far, V);
      const x3r = v128.load(x + 3 * far);
      const x3i = v128.load(x + 3 * far, V);
      const t2r = f32x4.add(x2r, x3r);
      const t2i = f32x4.add(x2i, x3i);
      const t4r = f32x4.sub(x2r, x3r);
      const t4i = f32x4.sub(x2i, x3i);

      const t5r = f32x4.add(t1r, t2r);
      const t5i = f32x4.add(t1i, t2i);
      const x0r = v128.load(x);
      const x0i = v128.load(x, V);
      storeComplex(y, f32x4.add(x0r, t5r), f32x4.add(x0i, t5i));

      const mr = multiplySubtract(quarter, t5r, x0r);
      const mi = multiplySubtract(quarter, t5i, x0i);
      const nr = f32x4.mul(root5, f32x4.sub(t1r, t2r));
      const ni = f32x4.mul(root5, f32x4.sub(t1i, t2i));
      const a1r = f32x4.add(mr, nr);
      const a1i = f32x4.add(mi, ni);
      const b1r = multiplyAdd(u, t3r, f32x4.mul(v, t4r));
      const b1i = multiplyAdd(u, t3i, f32x4.mul(v, t4i));
      storeRotated(y + step, f32x4.add(a1r, b1i), f32x4.sub(a1i, b1r), roots);
      storeRotated(y + 4 * step, f32x4.sub(a1r, b1i), f32x4.add(a1i, b1r), roots + 3 * ROOT);

      const a2r = f32x4.sub(mr, nr);
      const a2i = f32x4.sub(mi, ni);
      const b2r = multiplySubtract(u, t4r, f32x4.mul(v, t3r));
      const b2i = multiplySubtract(u, t4i, f32x4.mul(v, t3i));
      storeRotated(y + 2 * step, f32x4.add(a2r, b2i), f32x4.sub(a2i, b2r), roots + ROOT);
      storeRotated(y + 3 * step, f32x4.sub(a2r, b2i), f32x4.add(a2i, b2r), roots + 2 * ROOT);
    }
  }
}
