/**
 * Exponential function and natural logarithm in float64, for kernel tables: the standard library's carry six
 * kilobytes of tables. Within some two roundings of exact; the same in every engine.
 */

// ln 2 in two parts, the first short enough that its multiples are exact.
// @ts-ignore: decorator
@inline const LN2_HIGH: f64 = 0.6931471803691238;
// @ts-ignore: decorator
@inline const LN2_LOW: f64 = 1.9082149292705877e-10;

/** e^x for |x| < 700: 2^k times the Taylor series to x^16 over |x| <= ln(2) / 2, truncation below 1e-20. */
export function exponential(x: f64): f64 {
  const k = nearest<f64>(x / (LN2_HIGH + LN2_LOW));
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum: f64 = 1;
  for (let n: f64 = 16; n >= 1; n -= 1) sum = 1 + (sum * r) / n;
  return sum * reinterpret<f64>(((k as i64) + 1023) << 52);
}

/** ln x for normal x > 0: ln m = 2 artanh((m - 1) / (m + 1)) over sqrt(1/2) <= m < sqrt(2), its series to the 21st power. */
export function naturalLog(x: f64): f64 {
  const bits = reinterpret<i64>(x);
  // Bits of sqrt(1/2).
  const k = (bits - 0x3fe6a09e667f3bcd) >> 52;
  const s = (reinterpret<f64>(bits - (k << 52)) - 1) / (reinterpret<f64>(bits - (k << 52)) + 1);
  const q = s * s;
  let sum: f64 = 0;
  for (let n: f64 = 21; n >= 1; n -= 2) sum = sum * q + 1 / n;
  return (k as f64) * LN2_HIGH + (2 * s * sum + (k as f64) * LN2_LOW);
}
