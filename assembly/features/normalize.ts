/** What is done to features with all frames of a window in view. */

/** The greatest of four lanes. */
// @ts-ignore: decorator
@inline export function greatestLane(x: v128): f32 {
  const low = max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1));
  return max(low, max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)));
}

/** Raises the first `active` of each row's `frames` values to at least `floor`, and sets the rest to `padding`. NaN stays. */
export function raiseRows(out: usize, rows: u32, frames: u32, active: u32, floor: f32, padding: f32): void {
  const wide = f32x4.splat(floor);
  for (let m: u32 = 0; m < rows; m++) {
    let at = out;
    const end = out + ((active as usize) << 2);
    const row = out + ((frames as usize) << 2);
    for (; at + 64 <= end; at += 64) {
      v128.store(at, f32x4.pmax(v128.load(at), wide));
      v128.store(at, f32x4.pmax(v128.load(at, 16), wide), 16);
      v128.store(at, f32x4.pmax(v128.load(at, 32), wide), 32);
      v128.store(at, f32x4.pmax(v128.load(at, 48), wide), 48);
    }
    for (; at < end; at += 4) {
      const x = load<f32>(at);
      store<f32>(at, x < floor ? floor : x);
    }
    for (; at + 16 <= row; at += 16) v128.store(at, f32x4.splat(padding));
    for (; at < row; at += 4) store<f32>(at, padding);
    out = row;
  }
}

/** The greatest of `values` float32 values, NaN passed over; -infinity where there is none. */
export function greatest(at: usize, values: u32): f32 {
  const end = at + ((values as usize) << 2);
  let most = f32x4.splat(-Infinity);
  for (; at + 16 <= end; at += 16) most = f32x4.pmax(most, v128.load(at));
  let single = greatestLane(most);
  for (; at < end; at += 4) if (load<f32>(at) > single) single = load<f32>(at);
  return single;
}

/**
 * Takes the mean of each of `rows` rows of `count` values from them and, with `deviation`, divides by their standard
 * deviation:
 *
 *     (x - mean) / (sqrt(sum (x - mean)^2 / (count - degrees) + inside) + outside)
 *
 * The values of a row lie `stride` bytes apart, the rows `rowStride`; at `numbers` lie degrees, inside and outside as
 * float64: as arguments they would be garbage.
 * Sums are float64. NaN and infinity are passed over. One value with one degree of freedom has no deviation: it is taken as 0.
 * Where there is nothing to divide by, all values being the same, the result is 0.
 */
export function standardize(
  at: usize, rows: u32, rowStride: usize, count: u32, stride: usize, deviation: bool, numbers: usize,
): void {
  for (let row: u32 = 0; row < rows; row++, at += rowStride) standardizeRow(at, count, stride, deviation, numbers);
}

function standardizeRow(at: usize, count: u32, stride: usize, deviation: bool, numbers: usize): void {
  let sum: f64 = 0;
  let seen: f64 = 0;
  let place = at;
  for (let i: u32 = 0; i < count; i++, place += stride) {
    const x = load<f32>(place) as f64;
    if (!isFinite(x)) continue;
    sum += x;
    seen += 1;
  }
  const mean = seen > 0 ? sum / seen : 0;
  let squares: f64 = 0;
  place = at;
  for (let i: u32 = 0; deviation && i < count; i++, place += stride) {
    const x = (load<f32>(place) as f64) - mean;
    if (isFinite(x)) squares += x * x;
  }
  const degrees = load<f64>(numbers);
  const variance = seen > degrees ? squares / (seen - degrees) : 0;
  const divisor = deviation ? Math.sqrt(variance + load<f64>(numbers, 8)) + load<f64>(numbers, 16) : 1;
  const factor = divisor > 0 ? 1 / divisor : 0;
  place = at;
  for (let i: u32 = 0; i < count; i++, place += stride) {
    store<f32>(place, (((load<f32>(place) as f64) - mean) * factor) as f32);
  }
}

/** (x + shift) × scale for `frames` frames of `width` values, shifts and scales one after the other at `table`. */
export function shiftAndScale(at: usize, frames: u32, width: u32, table: usize): void {
  const bytes = (width as usize) << 2;
  for (let t: u32 = 0; t < frames; t++, at += bytes) {
    for (let i: usize = 0; i < bytes; i += 4) {
      store<f32>(at + i, (load<f32>(at + i) + load<f32>(table + i)) * load<f32>(table + bytes + i));
    }
  }
}
