/**
 * The general transform: 2^a 3^b 5^c points, 1 to 8192, four transforms at once in the four lanes.
 *
 *     X[k] = sum over i of x[i] exp(-2 pi i k / n), neither direction scaled
 *
 * A buffer holds n complex elements of four lanes (fft-passes.ts). Passes go back and forth between two
 * buffers: radices 5 and 3 first, then at most one 2, then 4s. The 4s come last because their butterflies
 * cancel exactly, and because the last one is fused with what follows a real transform (fft-real.ts).
 *
 *     table
 *     ┌────────┬────────┬─────────────┬───────────────┬───────────────┬──────────────────┬───────────────────┐
 *     │ points │ passes │ real length │ real roots at │ radices 12×u32│ roots of passes  │ roots of real part│
 *     └────────┴────────┴─────────────┴───────────────┴───────────────┴──────────────────┴───────────────────┘
 *     0        4        8             12              16              64
 *
 * The table of a real transform of even length n is that of n / 2 points and n / 4 + 1 roots more; for odd n
 * it is that of n points. Everything in it is read only once built, and serves any number of agents.
 */
import { align64 } from "../memory/header";
import { C, pass2, pass3, pass4, pass5, ROOT } from "./fft-passes";
import { cosTurn, sinTurn } from "./trigonometry";

// @ts-ignore: decorator
@inline const MAX_POINTS: u32 = 8192;
// @ts-ignore: decorator
@inline const PASSES: usize = 4;
// @ts-ignore: decorator
@inline const REAL_LENGTH: usize = 8;
// @ts-ignore: decorator
@inline const REAL_ROOTS: usize = 12;
// @ts-ignore: decorator
@inline const RADICES: usize = 16;
// @ts-ignore: decorator
@inline const ROOTS: usize = 64;

/** Radix of the next pass over transforms of `rest` points, 0 when there is none. */
function nextRadix(rest: u32): u32 {
  if (rest % 5 == 0) return 5;
  if (rest % 3 == 0) return 3;
  // One 2 where the exponent is odd.
  if ((rest & (rest - 1)) != 0 || rest < 2) return 0;
  return (ctz(rest) & 1) != 0 ? 2 : 4;
}

/** Bytes of the roots of all passes over `n` points, or -1 when there is no such transform. */
function rootBytes(n: u32): i32 {
  if (n == 0 || n > MAX_POINTS) return -1;
  let bytes: u32 = 0;
  while (n > 1) {
    const radix = nextRadix(n);
    if (radix == 0) return -1;
    n /= radix;
    bytes += n * (radix - 1) * (ROOT as u32);
  }
  return bytes as i32;
}

// @ts-ignore: decorator
@inline function storeRoot(at: usize, k: u32, n: u32, scale: f64): void {
  store<f32>(at, (scale * cosTurn(k, n)) as f32);
  store<f32>(at, (scale * sinTurn(k, n)) as f32, 4);
}

/** Bytes of the table for complex transforms of `n` points; 0 when `n` is not supported. */
export function fftTableBytes(n: u32): u32 {
  const bytes = rootBytes(n);
  return bytes < 0 ? 0 : (align64(ROOTS + (bytes as usize)) as u32);
}

/** Builds the table for complex transforms of `n` points at `table`, 64-byte aligned. */
export function fftTableBuild(n: u32, table: usize): void {
  assert(rootBytes(n) >= 0, "fft: size not supported");
  store<u32>(table, n);
  store<u32>(table, 0, REAL_LENGTH);
  store<u32>(table, 0, REAL_ROOTS);
  let place = table + ROOTS;
  let passes: u32 = 0;
  while (n > 1) {
    const radix = nextRadix(n);
    store<u32>(table + ((passes as usize) << 2), radix, RADICES);
    passes++;
    const m = n / radix;
    for (let p: u32 = 0; p < m; p++) {
      for (let k: u32 = 1; k < radix; k++, place += ROOT) storeRoot(place, p * k, n, 1);
    }
    n = m;
  }
  store<u32>(table, passes, PASSES);
}

/** Bytes of the table for real transforms of `n` samples; 0 when `n` is not supported. */
export function realFftTableBytes(n: u32): u32 {
  if ((n & 1) != 0) return fftTableBytes(n);
  if (n > MAX_POINTS) return 0;
  const bytes = rootBytes(n >> 1);
  return bytes < 0 ? 0 : (align64(ROOTS + (bytes as usize) + (((n >> 2) + 1) as usize) * ROOT) as u32);
}

/** Builds the table for real transforms of `n` samples at `table`, 64-byte aligned. */
export function realFftTableBuild(n: u32, table: usize): void {
  const odd = (n & 1) != 0;
  fftTableBuild(odd ? n : n >> 1, table);
  store<u32>(table, n, REAL_LENGTH);
  if (odd) return;
  const at = ROOTS + (rootBytes(n >> 1) as usize);
  store<u32>(table, at as u32, REAL_ROOTS);
  // Half of the root exp(-2 pi i k / n): see fft-real.ts.
  for (let k: u32 = 0; k <= n >> 2; k++) storeRoot(table + at + (k as usize) * ROOT, k, n, 0.5);
}

// @ts-ignore: decorator
@inline export function points(table: usize): u32 {
  return load<u32>(table);
}

// @ts-ignore: decorator
@inline export function passCount(table: usize): u32 {
  return load<u32>(table, PASSES);
}

/** Samples of a real transform; 0 in a complex table. */
// @ts-ignore: decorator
@inline export function realLength(table: usize): u32 {
  return load<u32>(table, REAL_LENGTH);
}

/** Address of the roots that follow a real transform of even length. */
// @ts-ignore: decorator
@inline export function realRoots(table: usize): usize {
  return table + (load<u32>(table, REAL_ROOTS) as usize);
}

// @ts-ignore: decorator
@inline export function lastRadix(table: usize): u32 {
  const passes = passCount(table);
  return passes == 0 ? 1 : load<u32>(table + ((passes as usize) << 2), RADICES - 4);
}

/** The first `passes` passes over the elements at `a`, with `b` as the other buffer. Returns where the result lies. */
export function runPasses(table: usize, a: usize, b: usize, passes: u32): usize {
  let roots = table + ROOTS;
  let rest = points(table);
  let s: u32 = 1;
  for (const end = table + ((passes as usize) << 2); table < end; table += 4) {
    const radix = load<u32>(table, RADICES);
    rest /= radix;
    if (radix == 4) pass4(a, b, rest, s, roots);
    else if (radix == 5) pass5(a, b, rest, s, roots);
    else if (radix == 3) pass3(a, b, rest, s, roots);
    else pass2(a, b, rest, s, roots);
    roots += (rest as usize) * ((radix - 1) as usize) * ROOT;
    s *= radix;
    const other = a;
    a = b;
    b = other;
  }
  return a;
}

/**
 * Four forward transforms of the n elements at `a`, a buffer of n elements as is `b`; both are overwritten.
 * Returns whichever holds the result, in natural order.
 */
export function fourTransforms(table: usize, a: usize, b: usize): usize {
  return runPasses(table, a, b, passCount(table));
}
