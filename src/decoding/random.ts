/** A number from 0 inclusive to 1 exclusive at each call. */
export type Random = () => number;

/**
 * A repeatable source of random numbers: mulberry32 (Tommy Ettinger, 2017), 32 bits of state, which is ample for
 * some thousand draws a window.
 *
 * @param seed an integer, of which the low 32 bits count
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
