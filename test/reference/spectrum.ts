/**
 * Power spectra in float64: a transform of any length by its prime factors (Cooley and Tukey 1965), and the
 * framing of torch.stft and librosa.stft. test/reference.test.ts holds it against the DFT as it is defined.
 */
import { centred, type WindowName, windowOf } from "./windows.ts";

/** Features in the layout of the reference implementation, which each function names. */
export interface ReferenceFeatures {
  data: Float64Array;
  frames: number;
  features: number;
}

function smallestFactor(n: number): number {
  for (let p = 2; p * p <= n; p++) if (n % p === 0) return p;
  return n;
}

/** |X[k]|² of bins 0 to size / 2 of real frames of `size` points. */
export function powerSpectrum(size: number): (frame: ArrayLike<number>) => Float64Array {
  const cosine = Float64Array.from({ length: size }, (_, i) => Math.cos((2 * Math.PI * i) / size));
  const sine = Float64Array.from({ length: size }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  const partRe = new Float64Array(size);
  const partIm = new Float64Array(size);

  /** Transform of the n points frame[from], frame[from + step], … into re and im from `to` on. */
  function transform(frame: ArrayLike<number>, from: number, step: number, to: number, n: number): void {
    if (n === 1) {
      re[to] = frame[from]!;
      im[to] = 0;
      return;
    }
    const parts = smallestFactor(n);
    const m = n / parts;
    for (let r = 0; r < parts; r++) transform(frame, from + r * step, step * parts, to + r * m, m);
    for (let k = 0; k < m; k++) {
      for (let q = 0; q < parts; q++) {
        let sumRe = re[to + k]!;
        let sumIm = im[to + k]!;
        const turn = (k + q * m) * step;
        for (let r = 1, phase = turn; r < parts; r++) {
          const at = to + r * m + k;
          sumRe += re[at]! * cosine[phase]! - im[at]! * sine[phase]!;
          sumIm += re[at]! * sine[phase]! + im[at]! * cosine[phase]!;
          phase += turn;
          if (phase >= size) phase -= size;
        }
        partRe[q] = sumRe;
        partIm[q] = sumIm;
      }
      for (let q = 0; q < parts; q++) {
        re[to + q * m + k] = partRe[q]!;
        im[to + q * m + k] = partIm[q]!;
      }
    }
  }

  return (frame) => {
    transform(frame, 0, 1, 0, size);
    return Float64Array.from({ length: Math.floor(size / 2) + 1 }, (_, k) => re[k]! ** 2 + im[k]! ** 2);
  };
}

/** How a signal goes on beyond its ends; the names are numpy.pad's ("edge" is torch's "replicate"). */
export type PadMode = "constant" | "reflect" | "symmetric" | "edge";

/** Sample at any index, also outside the signal. */
export function sampleAt(samples: ArrayLike<number>, at: number, mode: PadMode): number {
  const length = samples.length;
  if (at >= 0 && at < length) return samples[at]!;
  if (mode === "constant") return 0;
  if (mode === "edge" || length === 1) return samples[at < 0 ? 0 : length - 1]!;
  const period = mode === "reflect" ? 2 * (length - 1) : 2 * length;
  const folded = ((at % period) + period) % period;
  if (folded < length) return samples[folded]!;
  return samples[mode === "reflect" ? period - folded : period - 1 - folded]!;
}

export interface StftOptions {
  nFft: number;
  hopLength: number;
  winLength: number;
  window: WindowName;
  periodic: boolean;
  center: boolean;
  padMode: PadMode;
}

/**
 * |STFT|² as rows of nFft / 2 + 1 bins, frame by frame. With `center` frame t is centred on sample t · hop
 * and there are 1 + floor((length + 2 floor(nFft / 2) - nFft) / hop) frames; else it starts there.
 * https://pytorch.org/docs/stable/generated/torch.stft.html, librosa/core/spectrum.py
 */
export function stftPowers(samples: ArrayLike<number>, options: StftOptions): Float64Array[] {
  const { nFft, hopLength, padMode } = options;
  const window = centred(windowOf(options.window, options.winLength, options.periodic), nFft);
  const before = options.center ? Math.floor(nFft / 2) : 0;
  const room = samples.length + 2 * before - nFft;
  const frames = room < 0 ? 0 : 1 + Math.floor(room / hopLength);
  const powers = powerSpectrum(nFft);
  const frame = new Float64Array(nFft);
  return Array.from({ length: frames }, (_, t) => {
    for (let i = 0; i < nFft; i++)
      frame[i] = sampleAt(samples, t * hopLength - before + i, padMode) * window[i]!;
    return powers(frame);
  });
}

/** One row through a bank of filters [filters][bins]. */
export function filtered(bank: Float64Array[], row: Float64Array): Float64Array {
  return Float64Array.from(bank, (weights) => {
    let sum = 0;
    for (let k = 0; k < weights.length; k++) sum += weights[k]! * row[k]!;
    return sum;
  });
}

/** Rows [frames][features] as one array, [frames × features] or, transposed, [features × frames]. */
export function laidOut(rows: Float64Array[], features: number, transposed: boolean): ReferenceFeatures {
  const frames = rows.length;
  const data = new Float64Array(frames * features);
  for (const [t, row] of rows.entries())
    for (const [f, value] of row.entries()) data[transposed ? f * frames + t : t * features + f] = value;
  return { data, frames, features };
}
