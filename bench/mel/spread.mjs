const STEPS = 40;

/** Minimum, maximum and the 39 quantiles between them. */
export function quantiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return Array.from({ length: STEPS + 1 }, (_, i) => sorted[Math.round((i / STEPS) * (sorted.length - 1))]);
}

/** Tenth percentile, median and ninetieth percentile. */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  return { p10: at(0.1), median: at(0.5), p90: at(0.9) };
}
