/** Analysis windows in float64, from their published formulas. */
export type WindowName = "hann" | "hamming" | "blackman" | "povey" | "rectangular";

/** Coefficients a of a - b cos(2πi/d) + c cos(4πi/d). */
const COSINES: Record<Exclude<WindowName, "povey">, [number, number, number]> = {
  hann: [0.5, 0.5, 0],
  hamming: [0.54, 0.46, 0],
  blackman: [0.42, 0.5, 0.08],
  rectangular: [1, 0, 0],
};

/**
 * Window of `length` points. Periodic windows divide the turn by the length (torch's default, scipy's
 * `fftbins=True`), symmetric ones by the length less one (Kaldi, NeMo: `periodic=False`).
 * Povey's is Hann's to the power of 0.85 (Kaldi feat/feature-window.cc, torchaudio compliance/kaldi.py).
 */
export function windowOf(name: WindowName, length: number, periodic: boolean): Float64Array {
  if (length === 1) return Float64Array.of(1);
  const turn = periodic ? length : length - 1;
  const [a, b, c] = COSINES[name === "povey" ? "hann" : name];
  const window = Float64Array.from({ length }, (_, i) => {
    const phase = (2 * Math.PI * i) / turn;
    return a - b * Math.cos(phase) + c * Math.cos(2 * phase);
  });
  return name === "povey" ? window.map((x) => x ** 0.85) : window;
}

/** The window in the middle of `size` points, zeros around it: torch.stft, librosa.util.pad_center. */
export function centred(window: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size);
  out.set(window, Math.floor((size - window.length) / 2));
  return out;
}
