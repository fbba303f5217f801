/**
 * Resampling by polyphase windowed-sinc filters: Smith, "Digital Audio Resampling"
 * (ccrma.stanford.edu/~jos/resample), with the window of Kaiser, "Nonrecursive digital filter design using
 * the I0-sinh window function" (1974).
 *
 * With the rates reduced to lowest terms, `from` : `to` = down : up, output i lies at input time i down / up: at
 * sample floor(i down / up) and the phase (i down) mod up. Each phase has a row of taps, of unit gain at DC.
 * Where that would make too many rows, they lie on a grid instead and two neighbours are interpolated
 * linearly, an error of at most (ω / steps)² / 8: -113 dB at the lower Nyquist frequency.
 *
 *     bank
 *     ┌─────┬──────┬──────┬──────┬───────┬─ ─ ─┬──────────────────────┬─ ─ ─ ─ ─ ─
 *     │ up  │ down │ taps │ left │ steps │     │ row 0, taps × f32    │ row 1 …
 *     └─────┴──────┴──────┴──────┴───────┴─ ─ ─┴──────────────────────┴─ ─ ─ ─ ─ ─
 *     0     4      8      12     16            64
 *
 * `left` is the number of taps before an output's own sample; a window of `taps` samples begins there.
 * `steps` is `up`, or the intervals of the grid, which has a row more than them. Every output is the sum of
 * the same products in the same order, whichever of the loops below makes it.
 */
import { multiplyAdd } from "./arithmetic";
import { sinTurns } from "./trigonometry";

// @ts-ignore: decorator
@inline const HEADER: usize = 64;
/** Coefficients of a bank with a row a phase: beyond them, a grid. */
// @ts-ignore: decorator
@inline const MAX_COEFFICIENTS: u64 = 384 * 1024;
/** Intervals of the grid to a sample of the lower rate. */
// @ts-ignore: decorator
@inline const GRID: u32 = 768;

// Designs. Half the window's length, in samples of the lower rate; Kaiser's beta; cut-off as a part of the
// lower Nyquist frequency, such that the stop band begins there: found by search, held by resampler.test.ts.
// @ts-ignore: decorator
@inline const LOW: u32 = 0;
// @ts-ignore: decorator
@inline const MEDIUM: u32 = 1;

function crossings(quality: u32): u32 {
  return quality == LOW ? 16 : quality == MEDIUM ? 32 : 64;
}

function beta(quality: u32): f64 {
  return quality == LOW ? 6.4 : quality == MEDIUM ? 8.05 : 10.3;
}

function cutoff(quality: u32): f64 {
  return quality == LOW ? 0.875 : quality == MEDIUM ? 0.9195 : 0.9485;
}

function greatestCommonDivisor(a: u32, b: u32): u32 {
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/** Taps of a row, a multiple of eight; one where the rates are equal. */
function tapsOf(from: u32, to: u32, quality: u32): u32 {
  if (from == to) return 1;
  const reach = crossings(quality);
  const half = from < to ? reach : (reach * from + to - 1) / to;
  return ((half + 3) & ~3) << 1;
}

/** Intervals between rows: one a phase, or those of the grid. */
function stepsOf(up: u32, down: u32, taps: u32): u32 {
  if ((up as u64) * (taps as u64) <= MAX_COEFFICIENTS) return up;
  return up >= down ? GRID : (GRID * up + down - 1) / down;
}

export function resampleBankBytes(from: u32, to: u32, quality: u32): u32 {
  const divisor = greatestCommonDivisor(from, to);
  const up = to / divisor;
  const taps = tapsOf(from, to, quality);
  const steps = stepsOf(up, from / divisor, taps);
  return (HEADER as u32) + 4 * taps * (steps == up ? up : steps + 1);
}

/** Modified Bessel function of the first kind, order 0, by its power series; `quarter` is x² / 4. */
function besselI0(quarter: f64): f64 {
  let sum: f64 = 1;
  let term: f64 = 1;
  for (let k: f64 = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}

/** Builds the bank of 1000 to 384000 Hz and quality 0 to 2 at `bank`. */
export function resampleBankBuild(bank: usize, from: u32, to: u32, quality: u32): void {
  const divisor = greatestCommonDivisor(from, to);
  const up = to / divisor;
  const down = from / divisor;
  const taps = tapsOf(from, to, quality);
  const steps = stepsOf(up, down, taps);
  const half = taps >> 1;
  store<u32>(bank, up);
  store<u32>(bank, down, 4);
  store<u32>(bank, taps, 8);
  store<u32>(bank, half == 0 ? 0 : half - 1, 12);
  store<u32>(bank, steps, 16);
  let row = bank + HEADER;
  if (taps == 1) {
    store<f32>(row, 1);
    return;
  }
  // Turns of the sinc's sine a sample.
  const turns = 0.5 * cutoff(quality) * min(1, (to as f64) / (from as f64));
  const rows = steps == up ? up : steps + 1;
  for (let r: u32 = 0; r < rows; r++) {
    row = buildRow(row, half, (r as f64) / (steps as f64), turns, beta(quality));
  }
}

/** A row for outputs `fraction` of a sample after their own sample. Returns where it ends. */
function buildRow(row: usize, half: u32, fraction: f64, turns: f64, beta: f64): usize {
  const end = row + ((half as usize) << 3);
  const scale = 0.25 * beta * beta;
  let x = 1 - (half as f64) - fraction;
  let total: f64 = 0;
  for (let at = row; at < end; at += 4, x++) {
    const edge = x / (half as f64);
    const inside = 1 - edge * edge;
    const angle = turns * x;
    let tap: f64 = 0;
    if (inside > 0) tap = (angle == 0 ? 2 * Math.PI : sinTurns(angle) / angle) * besselI0(scale * inside);
    total += tap;
    store<f32>(at, tap as f32);
  }
  for (let at = row; at < end; at += 4) store<f32>(at, ((load<f32>(at) as f64) / total) as f32);
  return end;
}

// @ts-ignore: decorator
@inline function sumLanes(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 2) + (f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 3))
  );
}

/**
 * Adds eight products to `sum`. Two vectors are added to each other first: half the additions that wait for
 * one another, and few enough values at work that engines keep them in registers.
 */
// @ts-ignore: decorator
@inline function addEight(sum: v128, low: v128, high: v128, at: usize): v128 {
  return f32x4.add(sum, multiplyAdd(high, v128.load(at, 16), f32x4.mul(low, v128.load(at))));
}

/** Two windows under a row each. */
function twoRows(row0: usize, at0: usize, row1: usize, at1: usize, bytes: usize, out0: usize, out1: usize): void {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  for (const end = row0 + bytes; row0 < end; row0 += 32, at0 += 32, row1 += 32, at1 += 32) {
    a = addEight(a, v128.load(row0), v128.load(row0, 16), at0);
    b = addEight(b, v128.load(row1), v128.load(row1, 16), at1);
  }
  store<f32>(out0, sumLanes(a));
  store<f32>(out1, sumLanes(b));
}

/** Four windows `hop` bytes apart under one row, stored `stride` bytes apart. */
function fourWindows(row: usize, bytes: usize, at: usize, hop: usize, out: usize, stride: usize): void {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  let at1 = at + hop;
  let at2 = at1 + hop;
  let at3 = at2 + hop;
  for (const end = row + bytes; row < end; row += 32, at += 32, at1 += 32, at2 += 32, at3 += 32) {
    const low = v128.load(row);
    const high = v128.load(row, 16);
    a = addEight(a, low, high, at);
    b = addEight(b, low, high, at1);
    c = addEight(c, low, high, at2);
    d = addEight(d, low, high, at3);
  }
  store<f32>(out, sumLanes(a));
  store<f32>(out + stride, sumLanes(b));
  store<f32>(out + 2 * stride, sumLanes(c));
  store<f32>(out + 3 * stride, sumLanes(d));
}

/** Whether the next output's phase passes a sample: 1 or 0. */
// @ts-ignore: decorator
@inline function carry(phase: u32, rest: u32, up: u32): u32 {
  return phase + rest >= up ? 1 : 0;
}

/** A row for every phase. Outputs of one phase come in fours as far as they go: their row is loaded once. */
function byPhases(bank: usize, window: usize, phase: u32, count: u32, out: usize): void {
  const up = load<u32>(bank);
  const down = load<u32>(bank, 4);
  const bytes = (load<u32>(bank, 8) as usize) << 2;
  const rows = bank + HEADER;
  const rest = down % up;
  const hop = down / up;
  const stride = (up as usize) << 2;
  const period = (down as usize) << 2;
  for (; count >= 4 * up; count -= 4 * up, window += 3 * period, out += 3 * stride) {
    for (let i: u32 = 0; i < up; i++, out += 4) {
      fourWindows(rows + (phase as usize) * bytes, bytes, window, period, out, stride);
      const turn = carry(phase, rest, up);
      window += ((hop + turn) as usize) << 2;
      phase += rest - turn * up;
    }
  }
  // In twos; of an odd number the last is made twice.
  for (; count > 0; count -= min(count, 2), out += 8) {
    const turn = count > 1 ? carry(phase, rest, up) : 0;
    const next = count > 1 ? phase + rest - turn * up : phase;
    const at = count > 1 ? window + (((hop + turn) as usize) << 2) : window;
    const row = rows + (phase as usize) * bytes;
    twoRows(row, window, rows + (next as usize) * bytes, at, bytes, out, count > 1 ? out + 4 : out);
    const second = carry(next, rest, up);
    window = at + (((hop + second) as usize) << 2);
    phase = next + rest - second * up;
  }
}

/** Rows on a grid: each output is interpolated between the two around its phase. */
function byGrid(bank: usize, window: usize, phase: u32, count: u32, out: usize): void {
  const up = load<u32>(bank);
  const down = load<u32>(bank, 4);
  const bytes = (load<u32>(bank, 8) as usize) << 2;
  const steps = load<u32>(bank, 16);
  const rest = down % up;
  const hop = down / up;
  for (const end = out + ((count as usize) << 2); out < end; out += 4) {
    const place = phase * steps;
    let low = bank + HEADER + ((place / up) as usize) * bytes;
    let high = low + bytes;
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let at = window;
    for (const last = high; low < last; low += 32, high += 32, at += 32) {
      a = addEight(a, v128.load(low), v128.load(low, 16), at);
      b = addEight(b, v128.load(high), v128.load(high, 16), at);
    }
    const part = f32x4.splat(((place % up) as f32) / (up as f32));
    store<f32>(out, sumLanes(multiplyAdd(part, f32x4.sub(b, a), a)));
    const turn = carry(phase, rest, up);
    window += ((hop + turn) as usize) << 2;
    phase += rest - turn * up;
  }
}

/** Writes `count` outputs, the first of them at `phase` of the window that begins at `window`. */
export function resample(bank: usize, window: usize, phase: u32, count: u32, out: usize): void {
  if (load<u32>(bank, 8) == 1) memory.copy(out, window, (count as usize) << 2);
  else if (load<u32>(bank, 16) == load<u32>(bank)) byPhases(bank, window, phase, count, out);
  else byGrid(bank, window, phase, count, out);
}
