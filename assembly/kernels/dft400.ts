/**
 * Power spectrum of four windowed 400-sample frames at once: one frame per SIMD lane.
 *
 * 400 = 16 * 25 has coprime factors, so the prime-factor algorithm (Good 1958, Thomas 1963) turns the
 * transform into 25-point and 16-point transforms with no twiddles between them:
 *
 *     n = (25 a + 16 b) mod 400,  k = (225 k1 + 176 k2) mod 400,  a, k1 < 16,  b, k2 < 25
 *     X[k] = sum over a of W16^(a k1) * sum over b of W25^(b k2) * x[n]
 *
 * The input is real, so the 25-point transforms need only 13 of their 25 rows k2, no two of which are
 * conjugates; the 16-point transforms of these 13 rows then give every bin 0 to 200 once. The radix-2
 * part comes last because its butterflies cancel exactly where a loud bin's energy must vanish from the
 * others: the worst error is a quarter lower than with the 25-point part last.
 *
 *     tables (built once)
 *     ┌───────────────────────┬──────────────────┬────────────────────────┐
 *     │ column offsets 400×u32│ W25 twiddles     │ bin offsets 13×16×u32  │
 *     └───────────────────────┴──────────────────┴────────────────────────┘
 *     0                       1600               1664                     2496
 *
 *     workspace (vectors of four lanes)
 *     ┌──────────────────┬───────────────────────┬──────────────────┐
 *     │ samples 400      │ rows 13 × 16 complex  │ one column's 25  │
 *     └──────────────────┴───────────────────────┴──────────────────┘
 *     0                  6400                    13056              13456
 */
import { multiplyAdd, multiplySubtract } from "./arithmetic";
import { arenaAllocate } from "../memory/arena";
import { TABLE, setTable, table } from "../memory/header";
import { cosTurn, sinTurn } from "./trigonometry";

/** A vector of four lanes; a complex number is two, real then imaginary. */
// @ts-ignore: decorator
@inline const V: usize = 16;
// @ts-ignore: decorator
@inline const C: usize = 32;
/** One row: 16 complex numbers. */
// @ts-ignore: decorator
@inline const ROW: usize = 16 * C;
// @ts-ignore: decorator
@inline const ROW_COUNT: u32 = 13;

// @ts-ignore: decorator
@inline const COLUMNS: usize = 0;
// @ts-ignore: decorator
@inline const TWIDDLES: usize = 1600;
// @ts-ignore: decorator
@inline const BINS: usize = 1664;
// @ts-ignore: decorator
@inline const TABLE_BYTES: usize = 2496;

// @ts-ignore: decorator
@inline const ROWS: usize = 400 * V;
// @ts-ignore: decorator
@inline const COLUMN: usize = ROWS + 13 * ROW;
// @ts-ignore: decorator
@inline export const DFT400_WORKSPACE: usize = COLUMN + 25 * V;

/** k2 of row `row`: multiples of five, then those congruent to one, then to two. */
function rowFrequency(row: u32): u32 {
  if (row < 3) return 5 * row;
  if (row < 8) return 1 + 5 * (row - 3);
  return 2 + 5 * (row - 8);
}

export function dft400TableBytes(): u32 {
  return TABLE_BYTES as u32;
}

/** Builds the tables, once per memory. Returns their address, or 0 when the arena is exhausted. */
export function dft400Create(): usize {
  const known = table(TABLE.DFT400);
  if (known) return known;
  const t = arenaAllocate(TABLE_BYTES);
  if (!t) return 0;
  let place = t + COLUMNS;
  for (let a: u32 = 0; a < 16; a++) {
    for (let q: u32 = 0; q < 5; q++) {
      for (let p: u32 = 0; p < 5; p++, place += 4) {
        store<u32>(place, ((25 * a + 16 * (5 * p + q)) % 400) * (V as u32));
      }
    }
  }
  place = t + TWIDDLES;
  for (let q: u32 = 1; q < 5; q++) {
    for (let c: u32 = 1; c < 3; c++, place += 8) {
      store<f32>(place, cosTurn(q * c, 25) as f32);
      store<f32>(place, sinTurn(q * c, 25) as f32, 4);
    }
  }
  place = t + BINS;
  for (let row: u32 = 0; row < ROW_COUNT; row++) {
    for (let k1: u32 = 0; k1 < 16; k1++, place += 4) {
      const k = (225 * k1 + 176 * rowFrequency(row)) % 400;
      // Bins above 200 mirror those below: the power is the same.
      store<u32>(place, min(k, 400 - k) * (V as u32));
    }
  }
  return setTable(TABLE.DFT400, t);
}

// @ts-ignore: decorator
@inline function storeComplex(address: usize, re: v128, im: v128): void {
  v128.store(address, re);
  v128.store(address, im, V);
}

// Constants of the five-point transform: sqrt(5) / 4, sin 72, sin 144 degrees.
// @ts-ignore: decorator
@inline const ROOT5: f32 = 0.5590169943749475;
// @ts-ignore: decorator
@inline const SIN72: f32 = 0.9510565162951535;
// @ts-ignore: decorator
@inline const SIN144: f32 = 0.5877852522924731;

/** Stores (re + i im) (c - i s): a forward twiddle. */
// @ts-ignore: decorator
@inline function storeTurned(address: usize, re: v128, im: v128, c: v128, s: v128): void {
  storeComplex(
    address,
    multiplyAdd(re, c, f32x4.mul(im, s)),
    multiplySubtract(re, s, f32x4.mul(im, c)),
  );
}

/** The same with cosine and sine from the table at `root`. */
// @ts-ignore: decorator
@inline function storeRotated(address: usize, re: v128, im: v128, root: usize): void {
  storeTurned(address, re, im, v128.load32_splat(root), v128.load32_splat(root, 4));
}

/**
 * Five-point transform of real vectors (Winograd's form): outputs 0 (real), 1 and 2 to o0, o1 and o2;
 * outputs 3 and 4 are conjugates. With `root`, outputs 1 and 2 are multiplied by the two roots there.
 */
// @ts-ignore: decorator
@inline function realDft5(
  x0: v128, x1: v128, x2: v128, x3: v128, x4: v128, o0: usize, o1: usize, o2: usize, root: usize,
): void {
  const t1 = f32x4.add(x1, x4);
  const t2 = f32x4.add(x2, x3);
  const t3 = f32x4.sub(x1, x4);
  const t4 = f32x4.sub(x2, x3);
  const t5 = f32x4.add(t1, t2);
  v128.store(o0, f32x4.add(x0, t5));
  const m = multiplySubtract(f32x4.splat(0.25), t5, x0);
  const d = f32x4.sub(t1, t2);
  const r1 = multiplyAdd(f32x4.splat(ROOT5), d, m);
  const r2 = multiplySubtract(f32x4.splat(ROOT5), d, m);
  const i1 = multiplySubtract(f32x4.splat(SIN144), t4, f32x4.mul(f32x4.splat(-SIN72), t3));
  const i2 = multiplySubtract(f32x4.splat(SIN144), t3, f32x4.mul(f32x4.splat(SIN72), t4));
  if (root) {
    storeRotated(o1, r1, i1, root);
    storeRotated(o2, r2, i2, root + 8);
  } else {
    storeComplex(o1, r1, i1);
    storeComplex(o2, r2, i2);
  }
}

/** Five-point transform of five complex numbers at `x`, its outputs one row apart from `row` on. */
// @ts-ignore: decorator
@inline function complexDft5(x: usize, row: usize): void {
  const x1r = v128.load(x, C);
  const x1i = v128.load(x, C + V);
  const x4r = v128.load(x, 4 * C);
  const x4i = v128.load(x, 4 * C + V);
  const t1r = f32x4.add(x1r, x4r);
  const t1i = f32x4.add(x1i, x4i);
  const t3r = f32x4.sub(x1r, x4r);
  const t3i = f32x4.sub(x1i, x4i);
  const x2r = v128.load(x, 2 * C);
  const x2i = v128.load(x, 2 * C + V);
  const x3r = v128.load(x, 3 * C);
  const x3i = v128.load(x, 3 * C + V);
  const t2r = f32x4.add(x2r, x3r);
  const t2i = f32x4.add(x2i, x3i);
  const t4r = f32x4.sub(x2r, x3r);
  const t4i = f32x4.sub(x2i, x3i);

  const t5r = f32x4.add(t1r, t2r);
  const t5i = f32x4.add(t1i, t2i);
  const x0r = v128.load(x);
  const x0i = v128.load(x, V);
  storeComplex(row, f32x4.add(x0r, t5r), f32x4.add(x0i, t5i));

  const quarter = f32x4.splat(0.25);
  const root5 = f32x4.splat(ROOT5);
  const mr = multiplySubtract(quarter, t5r, x0r);
  const mi = multiplySubtract(quarter, t5i, x0i);
  const dr = f32x4.sub(t1r, t2r);
  const di = f32x4.sub(t1i, t2i);
  const a1r = multiplyAdd(root5, dr, mr);
  const a1i = multiplyAdd(root5, di, mi);
  const a2r = multiplySubtract(root5, dr, mr);
  const a2i = multiplySubtract(root5, di, mi);

  const s1 = f32x4.splat(SIN72);
  const s2 = f32x4.splat(SIN144);
  const b1r = multiplyAdd(s2, t4r, f32x4.mul(s1, t3r));
  const b1i = multiplyAdd(s2, t4i, f32x4.mul(s1, t3i));
  const b2r = multiplySubtract(s1, t4r, f32x4.mul(s2, t3r));
  const b2i = multiplySubtract(s1, t4i, f32x4.mul(s2, t3i));
  storeComplex(row + ROW, f32x4.add(a1r, b1i), f32x4.sub(a1i, b1r));
  storeComplex(row + 4 * ROW, f32x4.sub(a1r, b1i), f32x4.add(a1i, b1r));
  storeComplex(row + 2 * ROW, f32x4.add(a2r, b2i), f32x4.sub(a2i, b2r));
  storeComplex(row + 3 * ROW, f32x4.sub(a2r, b2i), f32x4.add(a2i, b2r));
}

// A column's intermediate: five real numbers, then five complex ones for each of outputs 1 and 2.
// @ts-ignore: decorator
@inline const OUTPUT_1: usize = 5 * V;
// @ts-ignore: decorator
@inline const OUTPUT_2: usize = 15 * V;

/** First pass: 16 real transforms of 25 points, each as 5 x 5 with twiddles, to 13 rows of 16 columns. */
function transformColumns(samples: usize, t: usize, column: usize, rows: usize): void {
  let offsets = t + COLUMNS;
  for (const end = rows + ROW; rows < end; rows += C) {
    let root: usize = 0;
    for (let q: usize = 0; q < 5; q++, offsets += 20) {
      const o0 = column + q * V;
      const o1 = column + OUTPUT_1 + q * C;
      const o2 = column + OUTPUT_2 + q * C;
      const x0 = v128.load(samples + (load<u32>(offsets) as usize));
      const x1 = v128.load(samples + (load<u32>(offsets, 4) as usize));
      const x2 = v128.load(samples + (load<u32>(offsets, 8) as usize));
      const x3 = v128.load(samples + (load<u32>(offsets, 12) as usize));
      const x4 = v128.load(samples + (load<u32>(offsets, 16) as usize));
      realDft5(x0, x1, x2, x3, x4, o0, o1, o2, root);
      root = t + TWIDDLES + q * 16;
    }
    realDft5(
      v128.load(column), v128.load(column, V), v128.load(column, 2 * V), v128.load(column, 3 * V),
      v128.load(column, 4 * V), rows, rows + ROW, rows + 2 * ROW, 0,
    );
    complexDft5(column + OUTPUT_1, rows + 3 * ROW);
    complexDft5(column + OUTPUT_2, rows + 8 * ROW);
  }
}

// cos and sin of a sixteenth of a turn, sqrt(1/2).
// @ts-ignore: decorator
@inline const COS22: f32 = 0.9238795325112867;
// @ts-ignore: decorator
@inline const SIN22: f32 = 0.3826834323650898;
// @ts-ignore: decorator
@inline const ROOT_HALF: f32 = 0.7071067811865476;

/** In place of a column: the four-point transforms are the second half of a 16-point one. */
// @ts-ignore: decorator
@inline const POWERS: i32 = -1;

/** Stores |re + i im|^2. */
// @ts-ignore: decorator
@inline function storePower(address: usize, re: v128, im: v128): void {
  v128.store(address, multiplyAdd(im, im, f32x4.mul(re, re)));
}

/**
 * Four-point transform of the complex numbers at x, x + stride, …
 *
 * In the first half of a 16-point transform `q` is the column, 0 to 3: the outputs go back in place,
 * twiddled by W16^(q c). In the second half `q` is POWERS: their powers go to the bins listed at `bins`.
 */
// @ts-ignore: decorator
@inline function fourPoint(x: usize, stride: usize, q: i32, bins: usize, power: usize): void {
  const x0r = v128.load(x);
  const x0i = v128.load(x, V);
  const x2r = v128.load(x + 2 * stride);
  const x2i = v128.load(x + 2 * stride, V);
  const ar = f32x4.add(x0r, x2r);
  const ai = f32x4.add(x0i, x2i);
  const br = f32x4.sub(x0r, x2r);
  const bi = f32x4.sub(x0i, x2i);
  const x1r = v128.load(x + stride);
  const x1i = v128.load(x + stride, V);
  const x3r = v128.load(x + 3 * stride);
  const x3i = v128.load(x + 3 * stride, V);
  const cr = f32x4.add(x1r, x3r);
  const ci = f32x4.add(x1i, x3i);
  const dr = f32x4.sub(x1r, x3r);
  const di = f32x4.sub(x1i, x3i);
  const y0r = f32x4.add(ar, cr);
  const y0i = f32x4.add(ai, ci);
  const y1r = f32x4.add(br, di);
  const y1i = f32x4.sub(bi, dr);
  const y2r = f32x4.sub(ar, cr);
  const y2i = f32x4.sub(ai, ci);
  const y3r = f32x4.sub(br, di);
  const y3i = f32x4.add(bi, dr);
  if (q == POWERS) {
    storePower(power + (load<u32>(bins) as usize), y0r, y0i);
    storePower(power + (load<u32>(bins, 16) as usize), y1r, y1i);
    storePower(power + (load<u32>(bins, 32) as usize), y2r, y2i);
    storePower(power + (load<u32>(bins, 48) as usize), y3r, y3i);
    return;
  }
  const o1 = x + stride;
  const o2 = x + 2 * stride;
  const o3 = x + 3 * stride;
  const h = f32x4.splat(ROOT_HALF);
  const c = f32x4.splat(COS22);
  const s = f32x4.splat(SIN22);
  storeComplex(x, y0r, y0i);
  if (q == 0) {
    storeComplex(o1, y1r, y1i);
    storeComplex(o2, y2r, y2i);
    storeComplex(o3, y3r, y3i);
  } else if (q == 1) {
    storeTurned(o1, y1r, y1i, c, s);
    storeComplex(o2, f32x4.mul(h, f32x4.add(y2r, y2i)), f32x4.mul(h, f32x4.sub(y2i, y2r)));
    storeTurned(o3, y3r, y3i, s, c);
  } else if (q == 2) {
    storeComplex(o1, f32x4.mul(h, f32x4.add(y1r, y1i)), f32x4.mul(h, f32x4.sub(y1i, y1r)));
    storeComplex(o2, y2i, f32x4.neg(y2r));
    storeComplex(o3, f32x4.mul(h, f32x4.sub(y3i, y3r)), f32x4.mul(h, f32x4.neg(f32x4.add(y3i, y3r))));
  } else {
    storeTurned(o1, y1r, y1i, s, c);
    storeComplex(o2, f32x4.mul(h, f32x4.sub(y2i, y2r)), f32x4.mul(h, f32x4.neg(f32x4.add(y2i, y2r))));
    storeTurned(o3, y3r, y3i, f32x4.neg(c), f32x4.neg(s));
  }
}

/** Second pass: 13 transforms of 16 points, each as 4 x 4, straight to powers. Row 0 is real: its upper half repeats. */
function transformRows(row: usize, t: usize, power: usize): void {
  let bins = t + BINS;
  for (const end = row + (ROW_COUNT as usize) * ROW; row < end; row += ROW, bins += 64) {
    fourPoint(row, 4 * C, 0, 0, 0);
    fourPoint(row + C, 4 * C, 1, 0, 0);
    fourPoint(row + 2 * C, 4 * C, 2, 0, 0);
    fourPoint(row + 3 * C, 4 * C, 3, 0, 0);
    fourPoint(row, C, POWERS, bins, power);
    fourPoint(row + 4 * C, C, POWERS, bins + 4, power);
    fourPoint(row + 8 * C, C, POWERS, bins + 8, power);
    fourPoint(row + 12 * C, C, POWERS, bins + 12, power);
  }
}

/** Zeroes the imaginary parts of row 0: the first pass does not write them, and the second, in place, leaves its own there. */
function clearRealRow(row: usize): void {
  for (const end = row + ROW; row < end; row += C) v128.store(row, f32x4.splat(0), V);
}

/** Powers of the four frames whose 400 samples lie at `work`, vector after vector: 201 vectors at `power`. */
export function powers400(t: usize, work: usize, power: usize): void {
  clearRealRow(work + ROWS);
  transformColumns(work, t, work + COLUMN, work + ROWS);
  transformRows(work + ROWS, t, power);
}
