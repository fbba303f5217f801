/**
 * Logarithm of the sum of exponentials of `logits[from..to)`, in float64.
 *
 * @returns -Infinity for an empty range or when all are -Infinity; NaN when one is NaN.
 */
export function logSumExp(logits: Float32Array, from = 0, to = logits.length): number {
  const max = greatest(logits, from, to);
  if (max === Number.NEGATIVE_INFINITY) return max;
  let sum = 0;
  for (let i = from; i < to; i++) {
    const below = logits[i]! - max;
    // Most of a filtered row is -Infinity; exp of it costs as much as of a number.
    if (below !== Number.NEGATIVE_INFINITY) sum += Math.exp(below);
  }
  return max + Math.log(sum);
}

/** The greatest of `logits[from..to)`, or -Infinity. */
export function greatest(logits: Float32Array, from = 0, to = logits.length): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = from; i < to; i++) if (logits[i]! > max) max = logits[i]!;
  return max;
}

/** Probability of one token in a row of logits. */
export function probabilityOf(logits: Float32Array, token: number): number {
  return Math.exp(logits[token]! - logSumExp(logits));
}
