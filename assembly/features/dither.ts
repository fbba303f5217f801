/** Seeded noise that depends on nothing but the place it is for, so that any order of work gives the same. */
import { naturalLog } from "../kernels/exponential";
import { cosTurn } from "../kernels/trigonometry";

/** A well-mixed 32-bit word of two (the finaliser of MurmurHash3, Appleby 2011, over both). */
function mixed(a: u32, b: u32): u32 {
  let h = a ^ (b * 0x9e3779b9);
  h = (h ^ (h >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return h ^ (h >> 16);
}

/** Standard normal number for sample `n` of a frame (Box and Muller 1958). */
export function gaussian(seed: u32, frame: u32, n: u32): f32 {
  const key = mixed(mixed(seed, frame), n);
  // 0 < u <= 1
  const u = ((mixed(key, 1) as f64) + 1) / 4294967296.0;
  return (Math.sqrt(-2 * naturalLog(u)) * cosTurn(mixed(key, 2) >> 8, 1 << 24)) as f32;
}
