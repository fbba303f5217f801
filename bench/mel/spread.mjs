/** Tenth percentile, median and ninetieth percentile. */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  return { p10: at(0.1), median: at(0.5), p90: at(0.9) };
}
