/**
 * Whisper's log-mel in float64, written from openai/whisper audio.py and librosa.filters.mel with a naive
 * DFT: nothing here is shared with the kernels. Filter weights are float32, as Whisper's file of them is.
 */
const FRAME = 400;
const HOP = 160;
const BINS = FRAME / 2 + 1;
const RATE = 16000;

const window = Float64Array.from(
  { length: FRAME },
  (_, i) => 0.5 * (1 - Math.cos((2 * Math.PI * i) / FRAME)),
);
/** Row k holds the wave of bin k at i = 0 to 200: the rest mirrors it, the sine with its sign changed. */
const wave = (of: (turn: number) => number) =>
  Array.from({ length: BINS }, (_, bin) =>
    Float64Array.from({ length: BINS }, (_, i) => of((2 * Math.PI * ((i * bin) % FRAME)) / FRAME)),
  );
const cosines = wave(Math.cos);
const sines = wave(Math.sin);

const LOG_STEP = Math.log(6.4) / 27;
const melToHz = (mel: number) => (mel < 15 ? (mel * 200) / 3 : 1000 * Math.exp(LOG_STEP * (mel - 15)));
const hzToMel = (hz: number) => (hz < 1000 ? (hz * 3) / 200 : 15 + Math.log(hz / 1000) / LOG_STEP);

/** [mels][bins] of librosa.filters.mel(sr=16000, n_fft=400, n_mels=mels). */
export function filterBank(mels: number): Float32Array[] {
  const top = hzToMel(RATE / 2);
  const corners = Array.from({ length: mels + 2 }, (_, i) => melToHz((top * i) / (mels + 1)));
  return Array.from({ length: mels }, (_, m) => {
    const [lower, centre, upper] = corners.slice(m, m + 3) as [number, number, number];
    return Float32Array.from({ length: BINS }, (_, bin) => {
      const hz = (bin * RATE) / FRAME;
      const height = Math.min((hz - lower) / (centre - lower), (upper - hz) / (upper - centre));
      return (Math.max(0, height) * 2) / (upper - lower);
    });
  });
}

const even = new Float64Array(BINS);
const odd = new Float64Array(BINS);

/** |X[k]|², X[k] the sum of x[i] exp(-2 pi i k / 400) over all i, points i and 400 - i under one factor. */
function powers(frame: Float64Array, out: Float64Array): void {
  for (let i = 0; i < BINS; i++) {
    const twin = i === 0 || 2 * i === FRAME ? 0 : frame[FRAME - i]!;
    even[i] = frame[i]! + twin;
    odd[i] = frame[i]! - twin;
  }
  for (let bin = 0; bin < BINS; bin++) {
    const cosine = cosines[bin]!;
    const sine = sines[bin]!;
    let re = 0;
    let im = 0;
    for (let i = 0; i < BINS; i++) {
      re += even[i]! * cosine[i]!;
      im += odd[i]! * sine[i]!;
    }
    out[bin] = re * re + im * im;
  }
}

/** A row of weights without the zeros around them. */
function band(weights: Float32Array): { first: number; weights: Float32Array } {
  const first = Math.max(
    0,
    weights.findIndex((x) => x > 0),
  );
  return { first, weights: weights.subarray(first, weights.findLastIndex((x) => x > 0) + 1) };
}

/** Index into a signal of `length` reflected at both ends without repeating the edge, as numpy's reflect. */
function reflected(at: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const folded = ((at % period) + period) % period;
  return folded < length ? folded : period - folded;
}

/**
 * Features [mels × frames] of `samples`, padded with zeros to `padTo` samples when that is given.
 * Frames of zeros are not transformed: their power is zero.
 */
export function referenceLogMel(samples: Float32Array, mels: number, padTo?: number): Float64Array {
  const length = padTo ?? samples.length;
  const frames = Math.floor(length / HOP);
  const bank = filterBank(mels).map(band);
  const features = new Float64Array(mels * frames);
  const frame = new Float64Array(FRAME);
  const power = new Float64Array(BINS);
  for (let t = 0; t < frames; t++) {
    let silent = true;
    for (let i = 0; i < FRAME; i++) {
      const sample = samples[reflected(t * HOP - FRAME / 2 + i, length)] ?? 0;
      if (sample !== 0) silent = false;
      frame[i] = sample * window[i]!;
    }
    if (silent) {
      for (let m = 0; m < mels; m++) features[m * frames + t] = -10;
      continue;
    }
    powers(frame, power);
    for (let m = 0; m < mels; m++) {
      const { first, weights } = bank[m]!;
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[first + i]!;
      features[m * frames + t] = Math.log10(Math.max(sum, 1e-10));
    }
  }
  let top = Number.NEGATIVE_INFINITY;
  for (const x of features) top = Math.max(top, x);
  return features.map((x) => (Math.max(x, top - 8) + 4) / 4);
}

/** Greatest absolute difference of the first `expected.length` values. */
export function maxError(actual: Float32Array, expected: Float64Array): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}
