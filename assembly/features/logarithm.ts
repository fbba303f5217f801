/**
 * factor × ln(max(x, floor)) + offset in four lanes.
 *
 * x = 2^e (1 + r), sqrt(1/2) <= 1 + r < sqrt(2); ln(1 + r) by a polynomial of degree 7 without constant term that
 * minimises the greatest error (2.1e-7, fitted by iteratively reweighted least squares), its terms paired
 * (Estrin 1960) for the shorter chain. The factor is part of the coefficients.
 *
 *     0       4          8          12                 40
 *     ┌───────┬──────────┬──────────┬──────────────────┬─────────┐
 *     │ floor │ exponent │ offset   │ c1 … c7          │ least   │  f32 each
 *     └───────┴──────────┴──────────┴──────────────────┴─────────┘
 */
import { multiplyAdd } from "../kernels/arithmetic";
import { naturalLog } from "../kernels/exponential";

// @ts-ignore: decorator
@inline const LN2: f64 = 0.6931471805599453;
/** Bits of sqrt(1/2). */
// @ts-ignore: decorator
@inline const ROOT_HALF: i32 = 0x3f3504f3;

/** Coefficients of floor, factor and offset. The result for the floor and all below it is exact. */
export function buildLogarithm(table: usize, floor: f64, factor: f64, offset: f64): void {
  store<f32>(table, floor as f32);
  store<f32>(table, (factor * LN2 / 8388608) as f32, 4);
  store<f32>(table, (factor * 1.000003247707216) as f32, 12);
  store<f32>(table, (factor * -0.5000196515779252) as f32, 16);
  store<f32>(table, (factor * 0.3330329815013793) as f32, 20);
  store<f32>(table, (factor * -0.24881338837701858) as f32, 24);
  store<f32>(table, (factor * 0.20604674563682043) as f32, 28);
  store<f32>(table, (factor * -0.1890198602693871) as f32, 32);
  store<f32>(table, (factor * 0.11827482490117865) as f32, 36);
  const least = (factor * naturalLog(floor) + offset) as f32;
  store<f32>(table, least, 40);
  // The offset is lowered by the few roundings that keep the polynomial at the floor from lying above it.
  let nudged = offset as f32;
  store<f32>(table, nudged, 8);
  while (f32x4.extract_lane(polynomial(f32x4.splat(floor as f32), table), 0) > least) {
    nudged -= max(abs(nudged), abs(least)) * 5.9604645e-8 + 1e-30;
    store<f32>(table, nudged, 8);
  }
}

// @ts-ignore: decorator
@inline function polynomial(x: v128, table: usize): v128 {
  const i = i32x4.sub(x, i32x4.splat(ROOT_HALF));
  const e = v128.and(i, i32x4.splat(0xff800000));
  const r = f32x4.sub(i32x4.sub(x, e), f32x4.splat(1));
  const whole = multiplyAdd(f32x4.convert_i32x4_s(e), v128.load32_splat(table, 4), v128.load32_splat(table, 8));
  const q = f32x4.mul(r, r);
  const c12 = multiplyAdd(v128.load32_splat(table, 16), r, v128.load32_splat(table, 12));
  const c34 = multiplyAdd(v128.load32_splat(table, 24), r, v128.load32_splat(table, 20));
  const c56 = multiplyAdd(v128.load32_splat(table, 32), r, v128.load32_splat(table, 28));
  const c567 = multiplyAdd(v128.load32_splat(table, 36), q, c56);
  return multiplyAdd(multiplyAdd(multiplyAdd(c567, q, c34), q, c12), r, whole);
}

/** The logarithm by the coefficients at `table`. What is not above the floor, NaN too, gives the floor's. */
// @ts-ignore: decorator
@inline export function logarithm(x: v128, table: usize): v128 {
  const y = polynomial(f32x4.pmax(v128.load32_splat(table), x), table);
  return f32x4.pmax(v128.load32_splat(table, 40), y);
}
