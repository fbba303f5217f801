/**
 * Whisper's log-mel spectrogram, as `log_mel_spectrogram` in openai/whisper audio.py defines it:
 * centred frames of 400 samples with reflected edges, hop 160, periodic Hann, power, Slaney mels,
 * log10 clamped at 1e-10, floored at the maximum less 8, (x + 4) / 4, the last frame dropped.
 *
 * Four consecutive frames run in the four SIMD lanes. Frames that hold only padding are not computed.
 *
 *     workspace (one per agent)
 *     ┌──────────────────────────────────────┬────────────────────────────┐
 *     │ dft400 workspace, powers of 201 bins │ edge: 880 samples          │
 *     └──────────────────────────────────────┴────────────────────────────┘
 */
import { countNonFinite } from "./finite";
import { align64 } from "../memory/header";
import { GROUP_SAMPLES, HOP_SAMPLES, POWER, power400, WORKSPACE_BYTES } from "./dft400";

// @ts-ignore: decorator
@inline const EDGE: usize = (WORKSPACE_BYTES + 63) & ~63;
/** Samples of a frame left of its centre. */
// @ts-ignore: decorator
@inline const HALF: u32 = 200;
/** log10 floor 1e-10 as (x + 4) / 4. */
// @ts-ignore: decorator
@inline const SILENCE: f32 = -1.5;

// Results of logMel.
// @ts-ignore: decorator
@inline const DONE: i32 = 0;
// @ts-ignore: decorator
@inline const NON_FINITE: i32 = 1;

export function logMelWorkspaceBytes(): u32 {
  return (EDGE + align64(GROUP_SAMPLES * 4)) as u32;
}

/** How many of `frames` frames touch at least one of `count` samples. */
export function logMelActiveFrames(count: u32, frames: u32): u32 {
  return min(frames, (count + HALF - 1) / HOP_SAMPLES + 1);
}

/** Copies the samples from position `start` on, reflected at 0 and `total`, zero from `count` to `total`. */
function copyEdge(samples: usize, count: u32, total: u32, start: i32, edge: usize): void {
  const last = (total as i32) - 1;
  for (let i: i32 = 0; i < (GROUP_SAMPLES as i32); i++) {
    let at = start + i;
    // More than one reflection happens only where the clip is shorter than half a frame.
    while (last > 0 && (at < 0 || at > last)) at = at < 0 ? -at : 2 * last - at;
    if (last == 0) at = 0;
    const value = at < (count as i32) ? load<f32>(samples + ((at as usize) << 2)) : 0;
    store<f32>(edge + ((i as usize) << 2), value);
  }
}

/**
 * (log10(max(x, 1e-10)) + 4) / 4 in four lanes.
 *
 * Exponent and mantissa are split at sqrt(1/2) … sqrt(2); ln(1 + r) by the polynomial of Cephes logf
 * (Moshier 1989), relative error below 1e-7.
 */
// @ts-ignore: decorator
@inline function scaledLog(power: v128): v128 {
  const floor = f32x4.splat(1e-10);
  const x = f32x4.max(power, floor);
  const e = i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3f3504f3)), 23);
  const r = f32x4.sub(i32x4.sub(x, i32x4.shl(e, 23)), f32x4.splat(1));
  const q = f32x4.mul(r, r);
  let p = f32x4.splat(7.0376836292e-2);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(-1.151461031e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.167699874e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(-1.2420140846e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.4249322787e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(-1.6668057665e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(2.0000714765e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(-2.4999993993e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(3.3333331174e-1));
  const ln = f32x4.add(f32x4.mul(q, f32x4.sub(f32x4.mul(p, r), f32x4.splat(0.5))), r);
  const scaled = f32x4.add(
    f32x4.mul(ln, f32x4.splat(0.10857362047581294)), // log10(e) / 4
    f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(e), f32x4.splat(0.0752574989159953)), f32x4.splat(1)), // log10(2) / 4
  );
  // The floor itself must be exact: silence is -1.5 to the last bit.
  return v128.bitselect(f32x4.splat(SILENCE), scaled, f32x4.le(x, floor));
}

/** Stores lanes 0 to `lanes` - 1. */
// @ts-ignore: decorator
@inline function storeLanes(address: usize, value: v128, lanes: u32): void {
  if (lanes == 4) {
    v128.store(address, value);
    return;
  }
  store<f32>(address, f32x4.extract_lane(value, 0));
  if (lanes > 1) store<f32>(address, f32x4.extract_lane(value, 1), 4);
  if (lanes > 2) store<f32>(address, f32x4.extract_lane(value, 2), 8);
}

/** Mel filters and logarithm of one group of frames, stored mel-major. Returns the greatest power in each lane. */
function storeGroup(bank: usize, mels: u32, power: usize, out: usize, rowBytes: usize, lanes: u32): v128 {
  let weights = bank + 8 * (mels as usize);
  let greatest = f32x4.splat(0);
  for (const end = bank + 8 * (mels as usize); bank < end; bank += 8, out += rowBytes) {
    let bin = power + ((load<u32>(bank) as usize) << 4);
    let sum = f32x4.splat(0);
    for (const last = weights + ((load<u32>(bank, 4) as usize) << 2); weights < last; weights += 4, bin += 16) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(weights), v128.load(bin)));
    }
    greatest = f32x4.max(greatest, sum);
    storeLanes(out, scaledLog(sum), lanes);
  }
  return greatest;
}

/** Raises all values to at least `floor`; values past `active` frames become max(silence, floor). */
function applyFloor(out: usize, mels: u32, frames: u32, active: u32, floor: f32): void {
  const wide = f32x4.splat(floor);
  const padding = max(SILENCE, floor);
  for (let m: u32 = 0; m < mels; m++) {
    let at = out;
    const row = out + ((frames as usize) << 2);
    const end = out + ((active as usize) << 2);
    for (; at + 16 <= end; at += 16) v128.store(at, f32x4.max(v128.load(at), wide));
    for (; at < end; at += 4) store<f32>(at, max(load<f32>(at), floor));
    for (; at + 16 <= row; at += 16) v128.store(at, f32x4.splat(padding));
    for (; at < row; at += 4) store<f32>(at, padding);
    out = row;
  }
}

/**
 * Writes [mels, frames] float32 at `out` from `count` samples, taken as followed by zeros up to `total`.
 *
 * `dft` and `bank` are the tables of dft400Create and melBankCreate(mels). Returns 0, or 1 when a
 * sample is NaN, infinite, or so large that its power overflows: `out` then holds no features.
 */
export function logMel(
  dft: usize, bank: usize, workspace: usize, samples: usize, count: u32, total: u32, out: usize, mels: u32, frames: u32,
): i32 {
  assert(count > 0 && count <= total && frames > 0, "log-mel: length out of range");
  const active = logMelActiveFrames(count, frames);
  const rowBytes = (frames as usize) << 2;
  const edge = workspace + EDGE;
  let greatest = f32x4.splat(0);
  for (let frame: u32 = 0; frame < active; frame += 4) {
    const start = ((frame * HOP_SAMPLES) as i32) - (HALF as i32);
    let group = samples + ((start as usize) << 2);
    if (start < 0 || start + (GROUP_SAMPLES as i32) > (count as i32)) {
      copyEdge(samples, count, total, start, edge);
      group = edge;
    }
    power400(group, dft, workspace);
    const lanes = min(4, frames - frame);
    let power = storeGroup(bank, mels, workspace + POWER, out + ((frame as usize) << 2), rowBytes, lanes);
    // Lanes past the last frame were computed for nothing and must not raise the maximum.
    if (lanes < 4) power = f32x4.replace_lane(power, 3, 0);
    if (lanes < 3) power = f32x4.replace_lane(power, 2, 0);
    if (lanes < 2) power = f32x4.replace_lane(power, 1, 0);
    greatest = f32x4.max(greatest, power);
  }
  const low = max(f32x4.extract_lane(greatest, 0), f32x4.extract_lane(greatest, 1));
  const peak = max(low, max(f32x4.extract_lane(greatest, 2), f32x4.extract_lane(greatest, 3)));
  if (!(peak < Infinity)) return NON_FINITE;
  // Without padding the last samples may lie under no frame; they count all the same.
  const covered = (frames - 1) * HOP_SAMPLES + HALF;
  if (covered < count && countNonFinite(samples + ((covered as usize) << 2), count - covered) != 0) return NON_FINITE;
  const top = f32x4.extract_lane(scaledLog(f32x4.splat(peak)), 0);
  applyFloor(out, mels, frames, min(frames, (active + 3) & ~3), top - 2);
  return DONE;
}
