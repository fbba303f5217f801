/**
 * Power spectrum of four windowed 400-sample frames at once: one frame per SIMD lane.
 *
 * 400 real samples are 200 complex numbers z[n] = x[2n] + i x[2n+1]. 200 = 8 * 25 has coprime
 * factors, so the prime-factor algorithm (Good 1958, Thomas 1963) turns the transform into 8-point
 * and 25-point transforms with no twiddles between them:
 *
 *     n = (25 n1 + 8 n2) mod 200,  k = (25 k1 + 176 k2) mod 200,  n1, k1 < 8,  n2, k2 < 25
 *     Z[k] = sum over n2 of W25^(n2 k2) * sum over n1 of W8^(n1 k1) * z[n]
 *
 * The window is applied while the first pass loads its input. The real spectrum follows from
 * conjugate pairs of Z; its factor 1/2 is left out: powers come out 4 times too large, which the
 * filter bank undoes exactly in its weights.
 *
 *     tables (all float32 pairs or u32, built once)
 *     ┌─────────────────┬─────────────────┬─────────────────┬─────────────────┬──────────────────┐
 *     │ window 200 × 2  │ input offsets   │ output offsets  │ W25 twiddles    │ W400^k, k 0…100  │
 *     └─────────────────┴─────────────────┴─────────────────┴─────────────────┴──────────────────┘
 *     0                 1600              2400              3200              3328           4136
 */
import { arenaAllocate } from "../memory/arena";
import { setTable, TABLE, table } from "../memory/header";
import { cosTurn, sinTurn } from "./trigonometry";

// @ts-ignore: decorator
@inline export const FRAME_SAMPLES: u32 = 400;
// @ts-ignore: decorator
@inline export const HOP_SAMPLES: u32 = 160;
/** Samples that four consecutive frames span. */
// @ts-ignore: decorator
@inline export const GROUP_SAMPLES: u32 = 3 * HOP_SAMPLES + FRAME_SAMPLES;
// @ts-ignore: decorator
@inline const HOP_BYTES: usize = (HOP_SAMPLES as usize) << 2;

// @ts-ignore: decorator
@inline const INPUT: usize = 1600;
// @ts-ignore: decorator
@inline const OUTPUT: usize = 2400;
// @ts-ignore: decorator
@inline const TWIDDLE: usize = 3200;
// @ts-ignore: decorator
@inline const ROOTS: usize = 3328;
// @ts-ignore: decorator
@inline const TABLE_BYTES: usize = 4136;

/** A complex number of four lanes: real vector, then imaginary vector. */
// @ts-ignore: decorator
@inline const C: usize = 32;
// @ts-ignore: decorator
@inline const IM: usize = 16;

// Workspace: the 200 complex numbers between the passes, then the spectrum.
// @ts-ignore: decorator
@inline const SPECTRUM: usize = 200 * C;
/** Bytes of workspace that `power400` uses before the powers it returns. */
// @ts-ignore: decorator
@inline export const POWER: usize = 2 * 200 * C;
// @ts-ignore: decorator
@inline export const WORKSPACE_BYTES: usize = POWER + 201 * 16;

/** Builds the tables, once per memory. Returns their address, or 0 when the arena is exhausted. */
export function dft400Create(): usize {
  const known = table(TABLE.DFT400);
  if (known) return known;
  const t = arenaAllocate(TABLE_BYTES);
  if (!t) return 0;
  for (let n2: u32 = 0; n2 < 25; n2++) {
    for (let n1: u32 = 0; n1 < 8; n1++) {
      const n = (25 * n1 + 8 * n2) % 200;
      const place = ((8 * n2 + n1) as usize) << 2;
      store<u32>(t + place, n * 8, INPUT);
      // Periodic Hann: 1/2 - 1/2 cos(2 pi n / 400).
      store<f32>(t + 2 * place, (0.5 - 0.5 * cosTurn(2 * n, 400)) as f32);
      store<f32>(t + 2 * place, (0.5 - 0.5 * cosTurn(2 * n + 1, 400)) as f32, 4);
    }
  }
  for (let k1: u32 = 0; k1 < 8; k1++) {
    for (let k2: u32 = 0; k2 < 25; k2++) {
      store<u32>(t + (((25 * k1 + k2) as usize) << 2), ((25 * k1 + 176 * k2) % 200) * (C as u32), OUTPUT);
    }
  }
  for (let b: u32 = 1; b < 5; b++) {
    for (let c: u32 = 1; c < 5; c++) {
      const place = (((b - 1) * 4 + c - 1) as usize) << 3;
      store<f32>(t + place, cosTurn(b * c, 25) as f32, TWIDDLE);
      store<f32>(t + place, sinTurn(b * c, 25) as f32, TWIDDLE + 4);
    }
  }
  for (let k: u32 = 0; k <= 100; k++) {
    store<f32>(t + ((k as usize) << 3), cosTurn(k, 400) as f32, ROOTS);
    store<f32>(t + ((k as usize) << 3), sinTurn(k, 400) as f32, ROOTS + 4);
  }
  setTable(TABLE.DFT400, t);
  return t;
}

/** Two windowed samples of four frames: lanes 0 and 1 in the low vector. */
// @ts-ignore: decorator
@inline function loadLow(frame: usize, window: v128): v128 {
  return f32x4.mul(v128.load64_lane(frame, v128.load64_zero(frame), 1, HOP_BYTES), window);
}

/** Lanes 2 and 3. */
// @ts-ignore: decorator
@inline function loadHigh(frame: usize, window: v128): v128 {
  return f32x4.mul(v128.load64_lane(frame, v128.load64_zero(frame, 2 * HOP_BYTES), 1, 3 * HOP_BYTES), window);
}

// @ts-ignore: decorator
@inline function even(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(low, high, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline function odd(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(low, high, 1, 3, 5, 7);
}

// @ts-ignore: decorator
@inline function storeComplex(address: usize, re: v128, im: v128): void {
  v128.store(address, re);
  v128.store(address, im, IM);
}

/** First pass: windowed loads and 25 transforms of 8 points, y[25 k1 + n2]. */
function windowAndDft8(frame: usize, t: usize, y: usize): void {
  const h = f32x4.splat(0.7071067811865476);
  let window = t;
  let input = t + INPUT;
  for (const end = y + 25 * C; y < end; y += C, window += 64, input += 32) {
    let at = frame + (load<u32>(input) as usize);
    let w = v128.load64_splat(window);
    let lo = loadLow(at, w);
    let hi = loadHigh(at, w);
    const x0r = even(lo, hi);
    const x0i = odd(lo, hi);
    at = frame + (load<u32>(input, 16) as usize);
    w = v128.load64_splat(window, 32);
    lo = loadLow(at, w);
    hi = loadHigh(at, w);
    const x4r = even(lo, hi);
    const x4i = odd(lo, hi);
    const a0r = f32x4.add(x0r, x4r);
    const a0i = f32x4.add(x0i, x4i);
    const a4r = f32x4.sub(x0r, x4r);
    const a4i = f32x4.sub(x0i, x4i);

    at = frame + (load<u32>(input, 8) as usize);
    w = v128.load64_splat(window, 16);
    lo = loadLow(at, w);
    hi = loadHigh(at, w);
    const x2r = even(lo, hi);
    const x2i = odd(lo, hi);
    at = frame + (load<u32>(input, 24) as usize);
    w = v128.load64_splat(window, 48);
    lo = loadLow(at, w);
    hi = loadHigh(at, w);
    const x6r = even(lo, hi);
    const x6i = odd(lo, hi);
    const a2r = f32x4.add(x2r, x6r);
    const a2i = f32x4.add(x2i, x6i);
    const a6r = f32x4.sub(x2r, x6r);
    const a6i = f32x4.sub(x2i, x6i);

    at = frame + (load<u32>(input, 4) as usize);
    w = v128.load64_splat(window, 8);
    lo = loadLow(at, w);
    hi = loadHigh(at, w);
    const x1r = even(lo, hi);
    const x1i = odd(lo, hi);
    at = frame + (load<u32>(input, 20) as usize);
    w = v128.load64_splat(window, 40);
    lo = loadLow(at, w);
    hi = loadHigh(at, w);
    const x5r = even(lo, hi);
    const x5i = odd(lo, hi);
    const a1r = f32x4.add(x1r, x5r);
    const a1i = f32x4.add(x1i, x5i);
    const a5r = f32x4.sub(x1r, x5r);
    const a5i = f32x4.sub(x1i, x5i);

    at = frame + (load<u32>(input, 12) as usize);
    w = v128.load64_splat(window, 24);
    lo = loadLow(at, w);
    hi = loadHigh(at, w);
    const x3r = even(lo, hi);
    const x3i = odd(lo, hi);
    at = frame + (load<u32>(input, 28) as usize);
    w = v128.load64_splat(window, 56);
    lo = loadLow(at, w);
    hi = loadHigh(at, w);
    const x7r = even(lo, hi);
    const x7i = odd(lo, hi);
    const a3r = f32x4.add(x3r, x7r);
    const a3i = f32x4.add(x3i, x7i);
    const a7r = f32x4.sub(x3r, x7r);
    const a7i = f32x4.sub(x3i, x7i);

    const b0r = f32x4.add(a0r, a2r);
    const b0i = f32x4.add(a0i, a2i);
    const b2r = f32x4.sub(a0r, a2r);
    const b2i = f32x4.sub(a0i, a2i);
    const b1r = f32x4.add(a1r, a3r);
    const b1i = f32x4.add(a1i, a3i);
    const b3r = f32x4.sub(a1r, a3r);
    const b3i = f32x4.sub(a1i, a3i);
    storeComplex(y, f32x4.add(b0r, b1r), f32x4.add(b0i, b1i));
    storeComplex(y + 4 * 25 * C, f32x4.sub(b0r, b1r), f32x4.sub(b0i, b1i));
    storeComplex(y + 2 * 25 * C, f32x4.add(b2r, b3i), f32x4.sub(b2i, b3r));
    storeComplex(y + 6 * 25 * C, f32x4.sub(b2r, b3i), f32x4.add(b2i, b3r));

    // Odd outputs: c = a4 -/+ i a6, e = W8 a5 + W8^3 a7, f = W8 a5 - W8^3 a7.
    const c0r = f32x4.add(a4r, a6i);
    const c0i = f32x4.sub(a4i, a6r);
    const c1r = f32x4.sub(a4r, a6i);
    const c1i = f32x4.add(a4i, a6r);
    const pr = f32x4.add(a5r, a7r);
    const pi = f32x4.add(a5i, a7i);
    const qr = f32x4.sub(a5r, a7r);
    const qi = f32x4.sub(a5i, a7i);
    const er = f32x4.mul(h, f32x4.add(qr, pi));
    const ei = f32x4.mul(h, f32x4.sub(qi, pr));
    const fr = f32x4.mul(h, f32x4.add(pr, qi));
    const fi = f32x4.mul(h, f32x4.sub(pi, qr));
    storeComplex(y + 25 * C, f32x4.add(c0r, er), f32x4.add(c0i, ei));
    storeComplex(y + 5 * 25 * C, f32x4.sub(c0r, er), f32x4.sub(c0i, ei));
    storeComplex(y + 3 * 25 * C, f32x4.add(c1r, fi), f32x4.sub(c1i, fr));
    storeComplex(y + 7 * 25 * C, f32x4.sub(c1r, fi), f32x4.add(c1i, fr));
  }
}

/** Stores (re + i im) times the conjugate of the root at `root`: a forward twiddle. */
// @ts-ignore: decorator
@inline function storeRotated(address: usize, re: v128, im: v128, root: usize): void {
  const c = v128.load32_splat(root);
  const s = v128.load32_splat(root, 4);
  v128.store(address, f32x4.add(f32x4.mul(re, c), f32x4.mul(im, s)));
  v128.store(address, f32x4.sub(f32x4.mul(im, c), f32x4.mul(re, s)), IM);
}

/**
 * Five-point transform (Winograd's form: 5 multiplications a component) of x, x + stride, … into
 * o0 … o4; with `root`, outputs 1 to 4 are multiplied by the four roots there.
 */
// @ts-ignore: decorator
@inline function dft5(x: usize, stride: usize, o0: usize, o1: usize, o2: usize, o3: usize, o4: usize, root: usize): void {
  const x1r = v128.load(x + stride);
  const x1i = v128.load(x + stride, IM);
  const x4r = v128.load(x + 4 * stride);
  const x4i = v128.load(x + 4 * stride, IM);
  const t1r = f32x4.add(x1r, x4r);
  const t1i = f32x4.add(x1i, x4i);
  const t3r = f32x4.sub(x1r, x4r);
  const t3i = f32x4.sub(x1i, x4i);
  const x2r = v128.load(x + 2 * stride);
  const x2i = v128.load(x + 2 * stride, IM);
  const x3r = v128.load(x + 3 * stride);
  const x3i = v128.load(x + 3 * stride, IM);
  const t2r = f32x4.add(x2r, x3r);
  const t2i = f32x4.add(x2i, x3i);
  const t4r = f32x4.sub(x2r, x3r);
  const t4i = f32x4.sub(x2i, x3i);

  const t5r = f32x4.add(t1r, t2r);
  const t5i = f32x4.add(t1i, t2i);
  const x0r = v128.load(x);
  const x0i = v128.load(x, IM);
  storeComplex(o0, f32x4.add(x0r, t5r), f32x4.add(x0i, t5i));

  const quarter = f32x4.splat(0.25);
  const root5 = f32x4.splat(0.5590169943749475); // sqrt(5) / 4
  const mr = f32x4.sub(x0r, f32x4.mul(quarter, t5r));
  const mi = f32x4.sub(x0i, f32x4.mul(quarter, t5i));
  const nr = f32x4.mul(root5, f32x4.sub(t1r, t2r));
  const ni = f32x4.mul(root5, f32x4.sub(t1i, t2i));
  const a1r = f32x4.add(mr, nr);
  const a1i = f32x4.add(mi, ni);
  const a2r = f32x4.sub(mr, nr);
  const a2i = f32x4.sub(mi, ni);

  const s1 = f32x4.splat(0.9510565162951535); // sin 72
  const s2 = f32x4.splat(0.5877852522924731); // sin 144
  const b1r = f32x4.add(f32x4.mul(s1, t3r), f32x4.mul(s2, t4r));
  const b1i = f32x4.add(f32x4.mul(s1, t3i), f32x4.mul(s2, t4i));
  const b2r = f32x4.sub(f32x4.mul(s2, t3r), f32x4.mul(s1, t4r));
  const b2i = f32x4.sub(f32x4.mul(s2, t3i), f32x4.mul(s1, t4i));
  if (root) {
    storeRotated(o1, f32x4.add(a1r, b1i), f32x4.sub(a1i, b1r), root);
    storeRotated(o4, f32x4.sub(a1r, b1i), f32x4.add(a1i, b1r), root + 24);
    storeRotated(o2, f32x4.add(a2r, b2i), f32x4.sub(a2i, b2r), root + 8);
    storeRotated(o3, f32x4.sub(a2r, b2i), f32x4.add(a2i, b2r), root + 16);
  } else {
    storeComplex(o1, f32x4.add(a1r, b1i), f32x4.sub(a1i, b1r));
    storeComplex(o4, f32x4.sub(a1r, b1i), f32x4.add(a1i, b1r));
    storeComplex(o2, f32x4.add(a2r, b2i), f32x4.sub(a2i, b2r));
    storeComplex(o3, f32x4.sub(a2r, b2i), f32x4.add(a2i, b2r));
  }
}

/** Second pass: 8 transforms of 25 points, each as 5 x 5 with twiddles, scattered to spectrum order. */
function dft25(y: usize, t: usize, z: usize): void {
  let output = t + OUTPUT;
  for (const end = y + 200 * C; y < end; y += 25 * C) {
    dft5(y, 5 * C, y, y + 5 * C, y + 10 * C, y + 15 * C, y + 20 * C, 0);
    let root = t + TWIDDLE;
    for (let b = y + C; b < y + 5 * C; b += C, root += 32) {
      dft5(b, 5 * C, b, b + 5 * C, b + 10 * C, b + 15 * C, b + 20 * C, root);
    }
    for (let c: usize = 0; c < 5; c++, output += 4) {
      dft5(
        y + c * 5 * C,
        C,
        z + (load<u32>(output) as usize),
        z + (load<u32>(output, 20) as usize),
        z + (load<u32>(output, 40) as usize),
        z + (load<u32>(output, 60) as usize),
        z + (load<u32>(output, 80) as usize),
        0,
      );
    }
    output += 80;
  }
}

/** From the half-length complex spectrum to the powers of bins 0 to 200, times 4. */
function pairPowers(z: usize, t: usize, power: usize): void {
  let a = z + C;
  let b = z + 199 * C;
  let root = t + ROOTS + 8;
  let low = power + 16;
  let high = power + 199 * 16;
  for (; a < b; a += C, b -= C, root += 8, low += 16, high -= 16) {
    const ar = v128.load(a);
    const ai = v128.load(a, IM);
    const br = v128.load(b);
    const bi = v128.load(b, IM);
    // 2 X[k] = e + w o and 2 conj(X[200-k]) = e - w o, where w = -i W400^k.
    const er = f32x4.add(ar, br);
    const ei = f32x4.sub(ai, bi);
    const or = f32x4.sub(ar, br);
    const oi = f32x4.add(ai, bi);
    const c = v128.load32_splat(root);
    const s = v128.load32_splat(root, 4);
    const tr = f32x4.sub(f32x4.mul(c, oi), f32x4.mul(s, or));
    const ti = f32x4.add(f32x4.mul(c, or), f32x4.mul(s, oi));
    const pr = f32x4.add(er, tr);
    const pi = f32x4.sub(ei, ti);
    const qr = f32x4.sub(er, tr);
    const qi = f32x4.add(ei, ti);
    v128.store(low, f32x4.add(f32x4.mul(pr, pr), f32x4.mul(pi, pi)));
    v128.store(high, f32x4.add(f32x4.mul(qr, qr), f32x4.mul(qi, qi)));
  }
  // Bin 100 is its own pair: X = conj(Z). Bins 0 and 200 are real: the sum and difference of Z[0].
  const four = f32x4.splat(4);
  const mr = v128.load(z + 100 * C);
  const mi = v128.load(z + 100 * C, IM);
  v128.store(power + 100 * 16, f32x4.mul(four, f32x4.add(f32x4.mul(mr, mr), f32x4.mul(mi, mi))));
  const zr = v128.load(z);
  const zi = v128.load(z, IM);
  const dc = f32x4.add(zr, zi);
  const nyquist = f32x4.sub(zr, zi);
  v128.store(power, f32x4.mul(four, f32x4.mul(dc, dc)));
  v128.store(power + 200 * 16, f32x4.mul(four, f32x4.mul(nyquist, nyquist)));
}

/**
 * Powers (times 4) of the four frames that start at `frame`, `frame` + 160 samples, …, into
 * `workspace` + POWER: 201 vectors, one lane a frame.
 */
export function power400(frame: usize, t: usize, workspace: usize): void {
  windowAndDft8(frame, t, workspace);
  dft25(workspace, t, workspace + SPECTRUM);
  pairPowers(workspace + SPECTRUM, t, workspace + POWER);
}
