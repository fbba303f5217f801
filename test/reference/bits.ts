/** First place at which two arrays of float32 differ in their bits or in length, or -1; toEqual takes seconds for long ones. */
export function firstDifference(a: Float32Array, b: Float32Array): number {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) if (!Object.is(a[i], b[i])) return i;
  return -1;
}

/** First place from `from` on that does not hold `value`, or -1: what was written past the end of a result. */
export function firstOther(view: Float32Array, value: number, from: number): number {
  for (let i = from; i < view.length; i++) if (!Object.is(view[i], value)) return i;
  return -1;
}
