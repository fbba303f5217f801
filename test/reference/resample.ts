/**
 * Resampling by its definition in float64: output i is the input, taken as continuous under a Kaiser-windowed
 * sinc, at time i × from / to. No phases, no tables, no blocks.
 */

/** Half length in samples of the lower rate, beta, and cut-off as a part of the lower Nyquist frequency. */
const DESIGNS = {
  low: [16, 6.4, 0.875],
  medium: [32, 8.05, 0.9195],
  high: [64, 10.3, 0.9485],
} as const;

/** Outputs `start` to `start + count`, or all of them. */
export function referenceResample(
  input: Float32Array,
  from: number,
  to: number,
  quality: keyof typeof DESIGNS = "high",
  start = 0,
  count = Math.ceil((input.length * to) / from),
): Float64Array {
  const [crossings, beta, part] = DESIGNS[quality];
  const cutoff = part * Math.min(1, to / from);
  const half = 4 * Math.ceil((crossings * Math.max(1, from / to)) / 4);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    // Whole samples apart from the fraction, which would lose digits late in a stream.
    const remainder = ((start + i) * from) % to;
    const own = ((start + i) * from - remainder) / to;
    let gain = 0;
    let sum = 0;
    for (let n = own - half + 1; n <= own + half; n++) {
      const x = n - own - remainder / to;
      const edge = x / half;
      if (Math.abs(edge) >= 1) continue;
      const angle = Math.PI * cutoff * x;
      const tap = (x === 0 ? 1 : Math.sin(angle) / angle) * besselI0(beta * Math.sqrt(1 - edge * edge));
      gain += tap;
      sum += tap * (input[n] ?? 0);
    }
    out[i] = sum / gain;
  }
  return out;
}

/** cos t at 32 points of half a turn; the other half has the same. */
const HALF_TURN = Float64Array.from({ length: 32 }, (_, k) => Math.cos((Math.PI * (k + 0.5)) / 32));

/** Modified Bessel function of the first kind, order 0: the mean of e^(x cos t) over a turn. */
function besselI0(x: number): number {
  let sum = 0;
  for (let k = 0; k < HALF_TURN.length; k++) sum += Math.exp(x * HALF_TURN[k]!);
  return sum / HALF_TURN.length;
}

/** What a tone became. */
export interface Fit {
  /** Level against the tone that went in, in decibels. */
  gain: number;
  /** How late the tone comes, in turns of it. */
  lag: number;
  /** Root mean square of all that is no part of the tone, against the tone that went in, in decibels. */
  rest: number;
}

/** Least-squares fit of sin(2π hz t), t = (first + i) / rate, to outputs. */
export function fitTone(out: Float32Array, hz: number, rate: number, first: number): Fit {
  let ss = 0;
  let sc = 0;
  let cc = 0;
  let ys = 0;
  let yc = 0;
  for (let i = 0; i < out.length; i++) {
    // Reduced to one turn before it is multiplied by 2π: exact for integer frequencies.
    const angle = 2 * Math.PI * ((((first + i) * hz) % rate) / rate);
    const s = Math.sin(angle);
    const c = Math.cos(angle);
    const y = out[i]!;
    ss += s * s;
    sc += s * c;
    cc += c * c;
    ys += y * s;
    yc += y * c;
  }
  const determinant = ss * cc - sc * sc;
  const a = (ys * cc - yc * sc) / determinant;
  const b = (yc * ss - ys * sc) / determinant;
  let rest = 0;
  for (let i = 0; i < out.length; i++) {
    const angle = 2 * Math.PI * ((((first + i) * hz) % rate) / rate);
    rest += (out[i]! - a * Math.sin(angle) - b * Math.cos(angle)) ** 2;
  }
  return {
    gain: 10 * Math.log10(a * a + b * b),
    lag: -Math.atan2(b, a) / (2 * Math.PI),
    rest: 10 * Math.log10((2 * rest) / out.length),
  };
}

/** Level of outputs against a tone of amplitude 1, in decibels. */
export function level(out: Float32Array): number {
  return 10 * Math.log10((2 * out.reduce((sum, x) => sum + x * x, 0)) / out.length);
}
