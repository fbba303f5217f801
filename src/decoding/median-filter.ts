/**
 * Running median, in place, the ends mirrored without repeating the outermost value (openai/whisper `timing.py`,
 * `median_filter`). Values of no more than half the width stay as they are.
 *
 * @param width odd
 */
export function medianFilter(values: Float64Array, width: number): void {
  const half = (width - 1) / 2;
  const { length } = values;
  if (length <= half) return;
  const source = values.slice();
  const around = new Float64Array(width);
  for (let i = 0; i < length; i++) {
    for (let j = 0; j < width; j++) {
      const index = Math.abs(i + j - half);
      around[j] = source[index < length ? index : 2 * (length - 1) - index]!;
    }
    around.sort();
    values[i] = around[half]!;
  }
}
