/**
 * The general transform: 2^a 3^b 5^c points, 1 to 8192, four transforms at once in the four lanes.
 *
 *     X[k] = sum over i of x[i] exp(-2 pi i k / n), neither direction scaled
 *
 * A buffer holds n complex elements of four lanes (fft-passes.ts). Passes go back and forth between two
 * buffers: radices 5 and 3 first, then 4s and, where that leaves something, an 8 or a 2. These come last because
 * their butterflies cancel exactly.
 *
 *     table
 *     ┌────────┬─────────────┬───────────────┬──────┬────────────────┬─────────────────┬────────────────────┐
 *     │ points │ real length │ real roots at │ free │ radices 12×u32 │ roots of passes │ roots of real part │
 *     └────────┴─────────────┴───────────────┴──────┴────────────────┴─────────────────┴────────────────────┘
 *     0        4             8               12     16               64
 *
 * The table of a real transform of even length n is that of n / 2 points and n / 4 + 1 roots more; for odd n
 * it is that of n points. Everything in it is read only once built, and serves any number of agents.
 */
import { align64 } from "../memory/header";
import { C, lastPass8, pass2, pass3, pass4, pass5, ROOT } from "./fft-passes";
import { cosTurn, sinTurn } from "./trigonometry";

// @ts-ignore: decorator
@inline const MAX_POINTS: u32 = 8192;
// @ts-ignore: decorator
@inline const REAL_LENGTH: usize = 4;
// @ts-ignore: decorator
@inline const REAL_ROOTS: usize = 8;
// @ts-ignore: decorator
@inline const RADICES: usize = 16;
// @ts-ignore: decorator
@inline const ROOTS: usize = 64;

/** Radix of the pass over `n` points that leaves `rest` to be split; 0 when there is none. */
function nextRadix(rest: u32, n: u32): u32 {
  if (rest % 5 == 0) return 5;
  if (rest % 3 == 0) return 3;
  if ((rest & (rest - 1)) != 0) return 0;
  // An odd exponent ends with an 8; not where its inputs lie a multiple of 8 KiB apart, for all of them and all
  // outputs would then compete for the same eight lines of a cache.
  if (rest == 8) return n % 2048 == 0 ? 4 : 8;
  return min(rest, 4);
}

/** Bytes of the roots of all passes over `n` points, or -1 when there is no such transform. */
function rootBytes(n: u32): i32 {
  if (n == 0 || n > MAX_POINTS) return -1;
  let bytes: u32 = 0;
  for (let rest = n; rest > 1; ) {
    const radix = nextRadix(rest, n);
    if (radix == 0) return -1;
    rest /= radix;
    bytes += rest * (radix - 1) * (ROOT as u32);
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
  let radices = table + RADICES;
  for (let rest = n; rest > 1; radices += 4) {
    const radix = nextRadix(rest, n);
    store<u32>(radices, radix);
    const m = rest / radix;
    for (let p: u32 = 0; p < m; p++) {
      for (let k: u32 = 1; k < radix; k++, place += ROOT) storeRoot(place, p * k, rest, 1);
    }
    rest = m;
  }
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

/**
 * Four forward transforms of the n elements at `a`, a buffer of n elements as is `b`; both are overwritten.
 * Returns whichever holds the result, in natural order.
 */
export function fourTransforms(table: usize, a: usize, b: usize): usize {
  let roots = table + ROOTS;
  let rest = load<u32>(table);
  let s: u32 = 1;
  for (let radices = table + RADICES; rest > 1; radices += 4) {
    const radix = load<u32>(radices);
    rest /= radix;
    if (radix == 4) pass4(a, b, rest, s, roots);
    else if (radix == 5) pass5(a, b, rest, s, roots);
    else if (radix == 3) pass3(a, b, rest, s, roots);
    else if (radix == 8) lastPass8(a, b, s);
    else pass2(a, b, rest, s, roots);
    roots += (rest as usize) * ((radix - 1) as usize) * ROOT;
    s *= radix;
    const other = a;
    a = b;
    b = other;
  }
  return a;
}
