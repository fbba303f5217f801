/**
 * The Slaney mel filter bank of Whisper: librosa.filters.mel(sr=16000, n_fft=400, n_mels), which
 * openai/whisper ships as assets/mel_filters.npz. Only the non-zero weights are kept.
 *
 *     ┌────────────────────────────────┬───────────────────────────────────────┐
 *     │ per mel: first bin, bin count  │ weights f32, mel after mel            │
 *     └────────────────────────────────┴───────────────────────────────────────┘
 *     0                                8 × mels
 */
import { arenaAllocate } from "../memory/arena";
import { setTable, TABLE, table } from "../memory/header";

// @ts-ignore: decorator
@inline const BINS: u32 = 201;
// @ts-ignore: decorator
@inline const BIN_HZ: f64 = 40;
// @ts-ignore: decorator
@inline const TOP_HZ: f64 = 8000;
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

function melToHz(mel: f64): f64 {
  return mel < KNEE_MEL ? mel * LINEAR_HZ : KNEE_HZ * Math.exp(LOG_STEP * (mel - KNEE_MEL));
}

/** Corner frequency `i` of mels + 2, evenly spaced in mel from 0 to 8 kHz. */
function cornerHz(i: u32, mels: u32): f64 {
  const top = KNEE_MEL + Math.log(TOP_HZ / KNEE_HZ) / LOG_STEP;
  return melToHz((top * (i as f64)) / ((mels + 1) as f64));
}

/** Height of triangle `mel` at `hz`, normalised to unit area. */
function weight(hz: f64, lower: f64, centre: f64, upper: f64): f64 {
  const rise = (hz - lower) / (centre - lower);
  const fall = (upper - hz) / (upper - centre);
  return (Math.max(0, Math.min(rise, fall)) * 2) / (upper - lower);
}

/** Every bin lies under at most two triangles. */
export function melBankBytes(mels: u32): u32 {
  return 8 * mels + 4 * 2 * BINS;
}

/** Builds the bank for 80 or 128 mels, once per memory. Returns its address, or 0 when the arena is exhausted. */
export function melBankCreate(mels: u32): usize {
  assert(mels == 80 || mels == 128, "mel bank: 80 or 128 mels");
  const key = mels == 80 ? TABLE.MEL_BANK_80 : TABLE.MEL_BANK_128;
  const known = table(key);
  if (known) return known;
  const bank = arenaAllocate(melBankBytes(mels));
  if (!bank) return 0;
  let next = bank + 8 * (mels as usize);
  for (let m: u32 = 0; m < mels; m++) {
    const lower = cornerHz(m, mels);
    const centre = cornerHz(m + 1, mels);
    const upper = cornerHz(m + 2, mels);
    let first: u32 = 0;
    let count: u32 = 0;
    for (let bin: u32 = 0; bin < BINS; bin++) {
      const w = weight((bin as f64) * BIN_HZ, lower, centre, upper);
      if (w <= 0) continue;
      if (count == 0) first = bin;
      count++;
      store<f32>(next, w as f32);
      next += 4;
    }
    store<u32>(bank + 8 * (m as usize), first);
    store<u32>(bank + 8 * (m as usize), count, 4);
  }
  return setTable(key, bank);
}
