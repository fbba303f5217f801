/** Counts requests by client. */
export interface RateLimit {
  /** Takes one request; returns 0, or the seconds after which there is room for one. */
  take(client: string): number;
}

/** Clients that are remembered; of more, the one that was longest quiet is forgotten. */
const MAX_CLIENTS = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * A token bucket for each client: `perMinute` requests at once, and that many more over a minute.
 *
 * @param now milliseconds, by default of the clock
 */
export function createRateLimit(perMinute: number, now: () => number = () => performance.now()): RateLimit {
  const buckets = new Map<string, Bucket>();
  const perMillisecond = perMinute / 60_000;
  return {
    take(client) {
      const at = now();
      const bucket = buckets.get(client) ?? { tokens: perMinute, at };
      bucket.tokens = Math.min(perMinute, bucket.tokens + (at - bucket.at) * perMillisecond);
      bucket.at = at;
      buckets.delete(client);
      buckets.set(client, bucket);
      if (buckets.size > MAX_CLIENTS) buckets.delete(buckets.keys().next().value!);
      if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / perMillisecond / 1000);
      bucket.tokens--;
      return 0;
    },
  };
}
