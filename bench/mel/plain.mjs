/**
 * Whisper's log-mel in plain JavaScript around any transform of 400 points: padding, sparse Slaney mels, log10
 * and clamping are the same for all of them, so that what differs is the transform.
 */
import { createComplexFft } from "./complex-fft.mjs";

export const FRAME = 400;
export const BINS = 201;
const HOP = 160;

/** Periodic Hann. */
export const WINDOW = Float32Array.from(
  { length: FRAME },
  (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / FRAME),
);

/** Slaney's scale, as in librosa.filters.mel: first bin and non-zero weights of each mel. */
function melBank(mels) {
  const top = 15 + (Math.log(8) * 27) / Math.log(6.4);
  const corner = (i) => {
    const mel = (top * i) / (mels + 1);
    return mel < 15 ? (mel * 200) / 3 : 1000 * Math.exp((Math.log(6.4) / 27) * (mel - 15));
  };
  return Array.from({ length: mels }, (_, m) => {
    const [lower, centre, upper] = [corner(m), corner(m + 1), corner(m + 2)];
    const weights = Array.from({ length: BINS }, (_, bin) => {
      const height = Math.min((bin * 40 - lower) / (centre - lower), (upper - bin * 40) / (upper - centre));
      return (Math.max(0, height) * 2) / (upper - lower);
    });
    const first = Math.max(
      0,
      weights.findIndex((w) => w > 0),
    );
    return { first, weights: Float64Array.from(weights.filter((w) => w > 0)) };
  });
}

/**
 * Prepares a transform of the kind below for a clip.
 *
 * @param spectrum `frames`, how many it takes at once, and `powers(samples, start, into)`, which windows the
 * frames at `start`, `start` + 160 and writes 201 powers for each.
 */
export function aroundTransform(spectrum) {
  return ({ mels, clip }) => {
    const total = Math.floor(clip.length / HOP);
    const bank = melBank(mels);
    const padded = new Float32Array(clip.length + FRAME + HOP);
    const powers = new Float64Array(spectrum.frames * BINS);
    const out = new Float32Array(mels * total);

    function run() {
      pad(clip, padded);
      let greatest = 1e-10;
      for (let t = 0; t < total; t += spectrum.frames) {
        spectrum.powers(padded, t * HOP, powers);
        const lanes = Math.min(spectrum.frames, total - t);
        for (let lane = 0; lane < lanes; lane++) {
          const loudest = storeMels(powers, lane * BINS, bank, out, t + lane, total);
          if (loudest > greatest) greatest = loudest;
        }
      }
      const floor = (Math.log10(greatest) - 8) / 4 + 1;
      for (let i = 0; i < out.length; i++) if (out[i] < floor) out[i] = floor;
    }
    return {
      run,
      features: () => {
        run();
        return out;
      },
    };
  };
}

/** Copies the clip with its first and last 200 samples reflected around it. */
function pad(clip, padded) {
  const half = FRAME / 2;
  padded.set(clip, half);
  for (let i = 0; i < half; i++) {
    padded[i] = clip[half - i];
    padded[half + clip.length + i] = clip[clip.length - 2 - i];
  }
}

/** Writes the column of frame `t`; gives its greatest power. */
function storeMels(powers, offset, bank, out, t, total) {
  let greatest = 0;
  for (let m = 0; m < bank.length; m++) {
    const { first, weights } = bank[m];
    let sum = 0;
    for (let k = 0; k < weights.length; k++) sum += weights[k] * powers[offset + first + k];
    if (sum > greatest) greatest = sum;
    out[m * total + t] = Math.log10(Math.max(sum, 1e-10)) / 4 + 1;
  }
  return greatest;
}

/** 400 real points as 200 complex ones, float64. */
export function plainSpectrum() {
  const half = FRAME / 2;
  const { re, im, run } = createComplexFft(half);
  const cos = Float64Array.from({ length: half }, (_, k) => Math.cos((2 * Math.PI * k) / FRAME));
  const sin = Float64Array.from({ length: half }, (_, k) => Math.sin((2 * Math.PI * k) / FRAME));

  function powers(samples, start, into) {
    for (let n = 0; n < half; n++) {
      re[n] = samples[start + 2 * n] * WINDOW[2 * n];
      im[n] = samples[start + 2 * n + 1] * WINDOW[2 * n + 1];
    }
    const { re: zr, im: zi } = run();
    into[0] = (zr[0] + zi[0]) ** 2;
    into[half] = (zr[0] - zi[0]) ** 2;
    for (let k = 1; k < half; k++) {
      const j = half - k;
      const evenR = (zr[k] + zr[j]) / 2;
      const evenI = (zi[k] - zi[j]) / 2;
      const oddR = (zi[k] + zi[j]) / 2;
      const oddI = (zr[j] - zr[k]) / 2;
      const r = evenR + oddR * cos[k] + oddI * sin[k];
      const i = evenI + oddI * cos[k] - oddR * sin[k];
      into[k] = r * r + i * i;
    }
  }
  return { frames: 1, powers };
}
