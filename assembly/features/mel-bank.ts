/**
 * Banks of triangular mel filters. Only the weights above zero are kept, and filters of one width lie together,
 * so that the loop over them is predictable.
 *
 *     ┌────────────────────────────────────────────────┬───────────────────────────────────────┐
 *     │ per filter: first bin, weights, place of sum    │ weights f32, filter after filter      │
 *     └────────────────────────────────────────────────┴───────────────────────────────────────┘
 *     0                                                12 × filters
 *
 * First bin and place of the sum are in bytes: bins are vectors of four lanes, sums are four vectors apart.
 */
import { exponential, naturalLog } from "../kernels/exponential";

/** Numbers that describe a bank, f64 each. */
namespace BANK {
  // @ts-ignore: decorator
  @inline export const COUNT: usize = 0;
  // @ts-ignore: decorator
  @inline export const SAMPLE_RATE: usize = 8;
  // @ts-ignore: decorator
  @inline export const LOW: usize = 16;
  // @ts-ignore: decorator
  @inline export const HIGH: usize = 24;
  /** 0 Slaney's scale, 1 HTK's. */
  // @ts-ignore: decorator
  @inline export const SCALE: usize = 32;
  // @ts-ignore: decorator
  @inline export const TRIANGLES: usize = 40;
  /** 1 for filters of unit area (librosa's norm "slaney"). */
  // @ts-ignore: decorator
  @inline export const UNIT_AREA: usize = 48;
}

/** How a filter rises and falls. */
namespace TRIANGLES {
  /** Linear in mels (Kaldi); otherwise in Hz. */
  // @ts-ignore: decorator
  @inline export const IN_MELS: u32 = 1;
  /** Both sides as steep as the rising one (SpeechBrain). */
  // @ts-ignore: decorator
  @inline export const SYMMETRIC: u32 = 2;
}

// @ts-ignore: decorator
@inline export const ROW: usize = 12;
// @ts-ignore: decorator
@inline export const WEIGHTS: usize = 4;
// @ts-ignore: decorator
@inline export const PLACE: usize = 8;

// Slaney's scale (Auditory Toolbox 1998): linear to 1 kHz at 200/3 Hz a mel, then 27 mels per factor 6.4.
// @ts-ignore: decorator
@inline const LINEAR_HZ: f64 = 200.0 / 3.0;
// @ts-ignore: decorator
@inline const KNEE_HZ: f64 = 1000;
// @ts-ignore: decorator
@inline const KNEE_MEL: f64 = 15;
/** ln(6.4) / 27 */
// @ts-ignore: decorator
@inline const LOG_STEP: f64 = 0.06875177742094912;
/** HTK's scale, 2595 log10(1 + f / 700): 2595 / ln(10). Kaldi's 1127 ln(1 + f / 700) has the same triangles. */
// @ts-ignore: decorator
@inline const HTK_FACTOR: f64 = 1126.9940805136987;
// @ts-ignore: decorator
@inline const HTK_HZ: f64 = 700;

// @ts-ignore: decorator
@inline function given(numbers: usize, offset: usize): f64 {
  return load<f64>(numbers + offset);
}

function melToHz(numbers: usize, mel: f64): f64 {
  if (given(numbers, BANK.SCALE) != 0) return HTK_HZ * (exponential(mel / HTK_FACTOR) - 1);
  return mel < KNEE_MEL ? mel * LINEAR_HZ : KNEE_HZ * exponential(LOG_STEP * (mel - KNEE_MEL));
}

function hzToMel(numbers: usize, hz: f64): f64 {
  if (given(numbers, BANK.SCALE) != 0) return HTK_FACTOR * naturalLog(1 + hz / HTK_HZ);
  return hz < KNEE_HZ ? hz / LINEAR_HZ : KNEE_MEL + naturalLog(hz / KNEE_HZ) / LOG_STEP;
}

/** Corner `i` of count + 2, evenly spaced in mels from the lowest to the highest frequency, in mels. */
function corner(numbers: usize, i: u32): f64 {
  const low = hzToMel(numbers, given(numbers, BANK.LOW));
  const high = hzToMel(numbers, given(numbers, BANK.HIGH));
  return low + ((high - low) * (i as f64)) / (given(numbers, BANK.COUNT) + 1);
}

// @ts-ignore: decorator
@inline function inMels(numbers: usize): bool {
  return (given(numbers, BANK.TRIANGLES) as u32) == TRIANGLES.IN_MELS;
}

/** Corner `i` in whichever unit the triangles are straight. */
function cornerAt(numbers: usize, i: u32): f64 {
  const mel = corner(numbers, i);
  return inMels(numbers) ? mel : melToHz(numbers, mel);
}

/** Weight of a bin at `hz` under the filter of these corners. */
function weight(numbers: usize, lower: f64, centre: f64, upper: f64, hz: f64): f64 {
  const at = inMels(numbers) ? hzToMel(numbers, hz) : hz;
  // Symmetric ones end at the upper corner or before it; so does rounding, that a bin be under two filters at most.
  if (at <= lower || at >= upper) return 0;
  const rise = (at - lower) / (centre - lower);
  const symmetric = (given(numbers, BANK.TRIANGLES) as u32) == TRIANGLES.SYMMETRIC;
  const height = Math.max(0, Math.min(rise, symmetric ? 2 - rise : (upper - at) / (upper - centre)));
  return given(numbers, BANK.UNIT_AREA) != 0 ? (height * 2) / (upper - lower) : height;
}

/** Bytes of a bank over the bins of `fft` points: every bin lies under at most two triangles. */
export function filterBytes(numbers: usize, fft: u32): usize {
  return ROW * (given(numbers, BANK.COUNT) as usize) + 8 * ((fft >> 1) + 1);
}

/** Exchanges two rows. */
function exchange(a: usize, b: usize): void {
  for (let i: usize = 0; i < ROW; i += 4) {
    const value = load<u32>(a + i);
    store<u32>(a + i, load<u32>(b + i));
    store<u32>(b + i, value);
  }
}

/** Builds the bank over the bins of `fft` points. Returns how many filters it has. */
export function buildFilters(bank: usize, numbers: usize, fft: u32): u32 {
  const count = given(numbers, BANK.COUNT) as u32;
  const step = given(numbers, BANK.SAMPLE_RATE) / (fft as f64);
  const end = bank + ROW * (count as usize);
  for (let m: u32 = 0, row = bank; row < end; m++, row += ROW) {
    const lower = cornerAt(numbers, m);
    const centre = cornerAt(numbers, m + 1);
    const upper = cornerAt(numbers, m + 2);
    let first: u32 = 0;
    let weights: u32 = 0;
    for (let bin: u32 = 0; bin <= fft >> 1; bin++) {
      if (weight(numbers, lower, centre, upper, (bin as f64) * step) <= 0) continue;
      if (weights == 0) first = bin;
      weights++;
    }
    store<u32>(row, first << 4);
    store<u32>(row, weights, WEIGHTS);
    store<u32>(row, m, PLACE);
  }
  // The widest first, those of one width in their order.
  for (let row = bank; row < end; row += ROW) {
    for (let at = row; at > bank && load<u32>(at - ROW, WEIGHTS) < load<u32>(at, WEIGHTS); at -= ROW) {
      exchange(at, at - ROW);
    }
  }
  let next = end;
  for (let row = bank; row < end; row += ROW) {
    const m = load<u32>(row, PLACE);
    const lower = cornerAt(numbers, m);
    const centre = cornerAt(numbers, m + 1);
    const upper = cornerAt(numbers, m + 2);
    const first = load<u32>(row) >> 4;
    for (let i: u32 = 0; i < load<u32>(row, WEIGHTS); i++, next += 4) {
      store<f32>(next, weight(numbers, lower, centre, upper, ((first + i) as f64) * step) as f32);
    }
  }
  return count;
}

/** The `index`-th filter of a bank of `count` that holds no bin, or -1 when there are no more. */
export function emptyFilter(bank: usize, count: u32, index: u32): i32 {
  if (index >= count) return -1;
  const row = bank + ROW * ((count - 1 - index) as usize);
  return load<u32>(row, WEIGHTS) == 0 ? ((load<u32>(row, PLACE)) as i32) : -1;
}
