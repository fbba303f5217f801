/** Times in milliseconds: their sum, and percentiles to within an eighth (four buckets to an octave). */
export interface Percentiles {
  total: number;
  p50: number;
  p99: number;
}

/** Buckets of a histogram in the core, see assembly/pools/shard.ts. */
export const BUCKETS = 128;
/** Exponent of the milliseconds at which bucket 1 begins. */
export const FIRST_EXPONENT = -11;

/** Middle of a bucket in milliseconds. */
function middle(bucket: number): number {
  if (bucket === 0) return 2 ** (FIRST_EXPONENT - 1);
  const octave = 2 ** (FIRST_EXPONENT + Math.floor((bucket - 1) / 4));
  return octave * (1 + ((bucket - 1) % 4) / 4 + 1 / 8);
}

/** Percentiles of a histogram whose buckets `read` gives; 0 when it is empty. */
export function percentile(total: number, read: (bucket: number) => number): Percentiles {
  const counts = Array.from({ length: BUCKETS }, (_, bucket) => read(bucket));
  const entries = counts.reduce((sum, count) => sum + count, 0);
  const at = (share: number) => {
    let below = 0;
    const bucket = counts.findIndex((count) => {
      below += count;
      return below > 0 && below >= share * entries;
    });
    return bucket < 0 ? 0 : middle(bucket);
  };
  return { total, p50: at(0.5), p99: at(0.99) };
}
