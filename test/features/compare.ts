import { expect } from "vitest";

/** Greatest absolute difference; both have to be of one length, and NaN is never right. */
export function worstError(actual: Float32Array, expected: ArrayLike<number>): number {
  expect(actual.length, "values").toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

/** The same, in units of the greatest value: for features that are no logarithms. */
export function worstShare(actual: Float32Array, expected: ArrayLike<number>): number {
  let greatest = 0;
  for (let i = 0; i < expected.length; i++) greatest = Math.max(greatest, Math.abs(expected[i]!));
  return worstError(actual, expected) / (greatest || 1);
}

/** 80 dB in natural logarithms of powers. */
const NEAR = 8 * Math.LN10;

/**
 * Greatest difference among natural logarithms that lie within 80 dB of the peak of their frame, of `width` values:
 * what lies below is a few roundings of the peak in every float32 transform.
 */
export function worstNearPeak(actual: Float32Array, expected: Float64Array, width: number): number {
  expect(actual.length, "values").toBe(expected.length);
  let worst = 0;
  for (let from = 0; from < expected.length; from += width) {
    const floor = expected.subarray(from, from + width).reduce((a, b) => Math.max(a, b)) - NEAR;
    for (let i = from; i < from + width; i++) {
      const error = Math.abs(actual[i]! - expected[i]!);
      if (expected[i]! >= floor && !(error <= worst)) worst = error;
    }
  }
  return worst;
}

/** Where two runs of values differ in a bit first, or in length; -1 when they are the same. */
export function firstDifference(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Math.min(actual.length, expected.length);
  const ours = new Uint32Array(actual.buffer, actual.byteOffset, actual.length);
  const theirs = new Uint32Array(expected.buffer, expected.byteOffset, expected.length);
  for (let i = 0; i < ours.length; i++) if (ours[i] !== theirs[i]) return i;
  return -1;
}
