/**
 * Sine and cosine of fractions of a turn in float64, for kernel tables.
 *
 * The standard library's Math.sin carries kilobytes of tables to reduce any argument; a fraction of
 * a turn reduces exactly in integers to an eighth of a turn, where a short Taylor series is exact to
 * the last bit or two. The same tables come out in every engine.
 */

// @ts-ignore: decorator
@inline const TURN: f64 = 6.283185307179586;

/** sin(x) for |x| <= pi/4: Taylor series to x^17, truncation below 1e-19. */
function sinSmall(x: f64): f64 {
  const q = x * x;
  let sum: f64 = 1;
  for (let n: f64 = 16; n >= 2; n -= 2) sum = 1 - (sum * q) / (n * (n + 1));
  return x * sum;
}

/** cos(x) for |x| <= pi/4: Taylor series to x^18, truncation below 1e-18. */
function cosSmall(x: f64): f64 {
  const q = x * x;
  let sum: f64 = 1;
  for (let n: f64 = 18; n >= 2; n -= 2) sum = 1 - (sum * q) / (n * (n - 1));
  return sum;
}

/** cos(2 pi k / n) for n > 0 and 0 <= k. */
export function cosTurn(k: u32, n: u32): f64 {
  // Eighths of a turn: octant = floor(8 k / n), remainder folded to at most half an octant pair.
  const eighths = (k as u64) * 8;
  const quadrant = ((eighths / n + 1) >> 1) & 3;
  // Distance to the nearest quarter turn, in units of 1 / (8 n) turn: |rest| <= n.
  const rest = (eighths % ((n as u64) * 8)) as i64 - ((((eighths % ((n as u64) * 8)) / n + 1) >> 1) * 2 * n) as i64;
  const x = (rest as f64) * (TURN / (8 * (n as f64)));
  if (quadrant == 0) return cosSmall(x);
  if (quadrant == 1) return -sinSmall(x);
  if (quadrant == 2) return -cosSmall(x);
  return sinSmall(x);
}

/** sin(2 pi k / n), as the cosine a quarter turn earlier. */
export function sinTurn(k: u32, n: u32): f64 {
  return cosTurn(4 * k + 3 * n, 4 * n);
}

/** sin(2 pi t) for any finite t: exact to 2 pi |t| 1e-16. */
export function sinTurns(t: f64): f64 {
  const quarters = nearest(4 * t);
  const x = (t - 0.25 * quarters) * TURN;
  const quadrant = (quarters as i64) & 3;
  const value = quadrant & 1 ? cosSmall(x) : sinSmall(x);
  return quadrant & 2 ? -value : value;
}
