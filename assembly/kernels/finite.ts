/** Scans float32 samples for NaN and infinities: x - x is zero for every finite x and NaN otherwise. */

/** Number of samples of `count` that are NaN or infinite. */
export function countNonFinite(samples: usize, count: u32): u32 {
  let found: u32 = 0;
  let at = samples;
  const end = samples + ((count as usize) << 2);
  for (; at + 16 <= end; at += 16) {
    const x = v128.load(at);
    const difference = f32x4.sub(x, x);
    found += popcnt(i32x4.bitmask(f32x4.ne(difference, difference)));
  }
  for (; at < end; at += 4) found += isFinite<f32>(load<f32>(at)) ? 0 : 1;
  return found;
}

/** Index of the first sample that is NaN or infinite, or -1. */
export function firstNonFinite(samples: usize, count: u32): i32 {
  for (let i: u32 = 0; i < count; i++) {
    if (!isFinite<f32>(load<f32>(samples + ((i as usize) << 2)))) return i as i32;
  }
  return -1;
}

/** Sets NaN and infinite samples to zero. Returns how many there were. */
export function zeroNonFinite(samples: usize, count: u32): u32 {
  let found: u32 = 0;
  for (const end = samples + ((count as usize) << 2); samples < end; samples += 4) {
    if (isFinite(load<f32>(samples))) continue;
    store<f32>(samples, 0);
    found++;
  }
  return found;
}
