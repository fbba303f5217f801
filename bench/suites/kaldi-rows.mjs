/**
 * Kaldi's log-mel filter bank by its definition in float64, the reference of the suites: frames of 400 samples snipped to the
 * clip, mean removed, pre-emphasis 0.97, Povey's window, 512 points, HTK's mels from 20 Hz, ln
 * (https://github.com/kaldi-asr/kaldi/blob/master/src/feat/feature-fbank.cc).
 */
const FRAME = 400;
const HOP = 160;
const POINTS = 512;
const MELS = 80;
const FLOOR = 1.1920928955078125e-7;
const hzToMel = (hz) => 1127 * Math.log(1 + hz / 700);

/** The first `frames` rows of 80. */
export function kaldiRows(samples, frames) {
  const [low, high] = [hzToMel(20), hzToMel(8000)];
  const step = (high - low) / (MELS + 1);
  const rows = new Float64Array(frames * MELS);
  for (let t = 0; t < frames; t++) {
    const power = spectrum(windowed(samples.subarray(t * HOP, t * HOP + FRAME)));
    for (let m = 0; m < MELS; m++) {
      let sum = 0;
      for (let bin = 0; bin < POINTS / 2; bin++) {
        const place = (hzToMel((bin * 16000) / POINTS) - low) / step - m;
        sum += Math.max(0, Math.min(place, 2 - place)) * power[bin];
      }
      rows[t * MELS + m] = Math.log(Math.max(sum, FLOOR));
    }
  }
  return rows;
}

function windowed(frame) {
  const mean = frame.reduce((sum, x) => sum + x, 0) / FRAME;
  const centred = Float64Array.from(frame, (x) => x - mean);
  return centred.map((x, n) => {
    const emphasised = x - 0.97 * centred[Math.max(0, n - 1)];
    return emphasised * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / (FRAME - 1))) ** 0.85;
  });
}

function spectrum(frame) {
  return Float64Array.from({ length: POINTS / 2 }, (_, bin) => {
    let [re, im] = [0, 0];
    for (let n = 0; n < FRAME; n++) {
      const angle = (2 * Math.PI * bin * n) / POINTS;
      re += frame[n] * Math.cos(angle);
      im -= frame[n] * Math.sin(angle);
    }
    return re * re + im * im;
  });
}
