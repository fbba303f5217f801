/**
 * Interleaved samples to one float32 channel, the mean of all. 16-bit samples are divided by 32768.
 *
 * Reads `frames` × `channels` samples and writes `frames`. Each output lies at or below its inputs, so that
 * converting in place is safe for float.
 */

/** 1 / 32768, a power of two: multiplying by it is exact. */
// @ts-ignore: decorator
@inline const UNIT: f32 = 0.000030517578125;

// @ts-ignore: decorator
@inline function low(x: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(x));
}

// @ts-ignore: decorator
@inline function high(x: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(x));
}

/** Mean of the channels of `frames` interleaved 16-bit frames: the integer sum, rounded once. */
export function int16ToMono(source: usize, channels: u32, frames: u32, out: usize): void {
  const end = out + ((frames as usize) << 2);
  if (channels == 1) {
    const unit = f32x4.splat(UNIT);
    for (; out + 32 <= end; source += 16, out += 32) {
      const x = v128.load(source);
      v128.store(out, f32x4.mul(low(x), unit));
      v128.store(out, f32x4.mul(high(x), unit), 16);
    }
  } else if (channels == 2) {
    const half = f32x4.splat(UNIT / 2);
    for (; out + 16 <= end; source += 16, out += 16) {
      const sums = i32x4.extadd_pairwise_i16x8_s(v128.load(source));
      v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(sums), half));
    }
  }
  const divisor = (channels as f32) * 32768;
  for (; out < end; out += 4) {
    let sum: i32 = 0;
    for (const next = source + ((channels as usize) << 1); source < next; source += 2) sum += load<i16>(source);
    store<f32>(out, (sum as f32) / divisor);
  }
}

/** Copies samples, also where the two overlap: typed arrays are slow at it on shared memory. */
export function copySamples(source: usize, count: u32, out: usize): void {
  memory.copy(out, source, (count as usize) << 2);
}

/** Mean of the channels of `frames` interleaved float32 frames, summed in their order. */
export function floatToMono(source: usize, channels: u32, frames: u32, out: usize): void {
  const end = out + ((frames as usize) << 2);
  if (channels == 1) {
    copySamples(source, frames, out);
    return;
  }
  if (channels == 2) {
    const half = f32x4.splat(0.5);
    for (; out + 16 <= end; source += 32, out += 16) {
      const a = v128.load(source);
      const b = v128.load(source, 16);
      const sum = f32x4.add(v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.shuffle<f32>(a, b, 1, 3, 5, 7));
      v128.store(out, f32x4.mul(sum, half));
    }
  }
  const divisor = channels as f32;
  for (; out < end; out += 4) {
    let sum: f32 = 0;
    for (const next = source + ((channels as usize) << 2); source < next; source += 4) sum += load<f32>(source);
    store<f32>(out, sum / divisor);
  }
}
