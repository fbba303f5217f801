/** The discrete Fourier transform in float64 by its definition: nothing here is shared with the kernels. */
export interface Spectrum {
  re: Float64Array;
  im: Float64Array;
}

/** X[k] = sum of x[i] exp(-2 pi i k / n), for every k. */
export function dft(re: ArrayLike<number>, im: ArrayLike<number>): Spectrum {
  const n = re.length;
  const cosine = Float64Array.from({ length: n }, (_, i) => Math.cos((2 * Math.PI * i) / n));
  const sine = Float64Array.from({ length: n }, (_, i) => Math.sin((2 * Math.PI * i) / n));
  const spectrum = { re: new Float64Array(n), im: new Float64Array(n) };
  for (let k = 0; 2 * k <= n; k++) {
    let reCosine = 0;
    let reSine = 0;
    let imCosine = 0;
    let imSine = 0;
    for (let i = 0, phase = 0; i < n; i++) {
      reCosine += re[i]! * cosine[phase]!;
      reSine += re[i]! * sine[phase]!;
      imCosine += im[i]! * cosine[phase]!;
      imSine += im[i]! * sine[phase]!;
      phase += k;
      if (phase >= n) phase -= n;
    }
    // The factors of bin n - k are those of bin k, the sines with their sign changed.
    spectrum.re[(n - k) % n] = reCosine - imSine;
    spectrum.im[(n - k) % n] = imCosine + reSine;
    spectrum.re[k] = reCosine + imSine;
    spectrum.im[k] = imCosine - reSine;
  }
  return spectrum;
}

/** Root mean square of the magnitudes. */
export function rms({ re, im }: Spectrum): number {
  let sum = 0;
  for (let k = 0; k < re.length; k++) sum += re[k]! ** 2 + im[k]! ** 2;
  return Math.sqrt(sum / re.length);
}

/** All n = 2^a 3^b 5^c up to `last`, in order. */
export function smoothNumbers(last: number): number[] {
  const sizes: number[] = [];
  for (let a = 1; a <= last; a *= 2) {
    for (let b = a; b <= last; b *= 3) for (let c = b; c <= last; c *= 5) sizes.push(c);
  }
  return sizes.sort((a, b) => a - b);
}
