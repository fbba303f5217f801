/** Power spectra of Whisper's frames by the transforms of other packages, for aroundTransform of plain.mjs. */
import { BINS, FRAME, WINDOW } from "./plain.mjs";

const HOP = 160;

/** @param wasm kissfft-wasm's module */
export function kissfftSpectrum(wasm) {
  const config = wasm._kiss_fftr_alloc(FRAME, false, 0, 0);
  const input = wasm._malloc(FRAME * 4) / 4;
  const output = wasm._malloc(2 * BINS * 4) / 4;

  function powers(samples, start, into) {
    const memory = wasm.HEAPF32;
    for (let n = 0; n < FRAME; n++) memory[input + n] = samples[start + n] * WINDOW[n];
    wasm._kiss_fftr(config, input * 4, output * 4);
    for (let k = 0; k < BINS; k++) {
      const re = memory[output + 2 * k];
      const im = memory[output + 2 * k + 1];
      into[k] = re * re + im * im;
    }
  }
  return { frames: 1, powers };
}

/**
 * Its real transforms take multiples of 32 only, so two frames go as one complex transform of 400 points.
 *
 * @param wasm the module of @echogarden/pffft-wasm
 */
export function pffftSpectrum(wasm) {
  const COMPLEX = 1;
  const FORWARD = 0;
  const setup = wasm._pffft_new_setup(FRAME, COMPLEX);
  const [input, output, work] = [0, 1, 2].map(() => wasm._pffft_aligned_malloc(2 * FRAME * 4) / 4);

  function powers(samples, start, into) {
    const memory = wasm.HEAPF32;
    for (let n = 0; n < FRAME; n++) {
      memory[input + 2 * n] = samples[start + n] * WINDOW[n];
      memory[input + 2 * n + 1] = samples[start + HOP + n] * WINDOW[n];
    }
    wasm._pffft_transform_ordered(setup, input * 4, output * 4, work * 4, FORWARD);
    for (let k = 0; k < BINS; k++) {
      const at = output + 2 * k;
      const mirror = output + 2 * ((FRAME - k) % FRAME);
      const firstR = memory[at] + memory[mirror];
      const firstI = memory[at + 1] - memory[mirror + 1];
      const secondR = memory[at + 1] + memory[mirror + 1];
      const secondI = memory[mirror] - memory[at];
      into[k] = (firstR * firstR + firstI * firstI) / 4;
      into[BINS + k] = (secondR * secondR + secondI * secondI) / 4;
    }
  }
  return { frames: 2, powers };
}
