/**
 * Multiply and add in four lanes. The relaxed builds fuse them, with one rounding, where the processor can;
 * the others round twice, the same on every machine.
 */

/** a b + c */
// @ts-ignore: decorator
@inline export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c - a b */
// @ts-ignore: decorator
@inline export function multiplySubtract(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/** Whether this is a relaxed build. */
export function relaxedSimd(): bool {
  return ASC_FEATURE_RELAXED_SIMD;
}
