/** Window functions, computed in float64. */
import { exponential, naturalLog } from "../kernels/exponential";
import { cosTurn } from "../kernels/trigonometry";

/** Kinds of window; the host has the same numbers. */
namespace WINDOW {
  // @ts-ignore: decorator
  @inline export const RECTANGULAR: u32 = 0;
  // @ts-ignore: decorator
  @inline export const HANN: u32 = 1;
  // @ts-ignore: decorator
  @inline export const HAMMING: u32 = 2;
  // @ts-ignore: decorator
  @inline export const POVEY: u32 = 3;
  // @ts-ignore: decorator
  @inline export const BLACKMAN: u32 = 4;
  /** Added: the window of a period, as for a spectrum, in place of the symmetric one, as for a filter. */
  // @ts-ignore: decorator
  @inline export const PERIODIC: u32 = 16;
}

/**
 * Writes a window of `length` float32 times `scale`:
 *
 *     hann 1/2 - 1/2 cos(2 pi n / N), hamming 0.54 - 0.46 cos(2 pi n / N), povey hann^0.85 (Kaldi feature-window.cc),
 *     blackman 0.42 - 1/2 cos(2 pi n / N) + 0.08 cos(4 pi n / N)
 *
 * N is the length for a periodic window and one less for a symmetric one; a single point is 1.
 */
export function fillWindow(out: usize, kind: u32, length: u32, scale: f64): void {
  const shape = kind & 15;
  const period = (kind & WINDOW.PERIODIC) != 0 ? length : max(length - 1, 1);
  for (let n: u32 = 0; n < length; n++) {
    const cosine = cosTurn(n, period);
    let value: f64 = 1;
    if (length == 1) value = 1;
    else if (shape == WINDOW.HAMMING) value = 0.54 - 0.46 * cosine;
    else if (shape == WINDOW.BLACKMAN) value = 0.42 - 0.5 * cosine + 0.08 * cosTurn(2 * n, period);
    else if (shape != WINDOW.RECTANGULAR) value = 0.5 - 0.5 * cosine;
    if (shape == WINDOW.POVEY && value > 0) value = exponential(0.85 * naturalLog(value));
    store<f32>(out + ((n as usize) << 2), (value * scale) as f32);
  }
}
