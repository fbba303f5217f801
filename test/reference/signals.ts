/** Test signals at 16 kHz, the random ones from a seed. */
const RATE = 16000;

/** mulberry32: a small seeded generator, uniform over -1 … 1. */
export function seededNoise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

export function whiteNoise(length: number, seed: number): Float32Array {
  const next = seededNoise(seed);
  return Float32Array.from({ length }, next);
}

/** Full-scale linear sweep from `from` to `to` Hz. */
export function chirp(length: number, from: number, to: number): Float32Array {
  const seconds = length / RATE;
  return Float32Array.from({ length }, (_, i) => {
    const t = i / RATE;
    return Math.sin(2 * Math.PI * (from * t + ((to - from) / (2 * seconds)) * t * t));
  });
}

export function impulse(length: number, at: number): Float32Array {
  const samples = new Float32Array(length);
  samples[at] = 1;
  return samples;
}

export function tone(length: number, hz: number, rate = RATE): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));
}
