import { kaldiFilters } from "./mel-filters.ts";
import { filtered, laidOut, powerSpectrum, type ReferenceFeatures, sampleAt } from "./spectrum.ts";
import { type WindowName, windowOf } from "./windows.ts";

/** Parameters of torchaudio.compliance.kaldi.fbank, with its defaults. */
export interface KaldiFbankOptions {
  numMelBins?: number;
  /** Milliseconds. */
  frameLength?: number;
  /** Milliseconds. */
  frameShift?: number;
  lowFreq?: number;
  highFreq?: number;
  preemphasisCoefficient?: number;
  removeDcOffset?: boolean;
  windowType?: "povey" | "hamming" | "hanning" | "rectangular" | "blackman";
  snipEdges?: boolean;
  roundToPowerOfTwo?: boolean;
  useEnergy?: boolean;
  rawEnergy?: boolean;
  energyFloor?: number;
  htkCompat?: boolean;
  useLogFbank?: boolean;
  usePower?: boolean;
  subtractMean?: boolean;
  sampleFrequency?: number;
  /** Added to sample i of frame t before anything else, where Kaldi adds Gaussian noise times `dither`. */
  noise?: (t: number, i: number) => number;
}

/** Kaldi's floor under logarithms: the epsilon of float32, whatever the precision of the rest. */
export const KALDI_EPSILON = 2 ** -23;

/**
 * torchaudio.compliance.kaldi.fbank in float64, [frames × bins]
 * (https://github.com/pytorch/audio/blob/main/src/torchaudio/compliance/kaldi.py; Kaldi
 * feat/feature-window.cc, feat/feature-fbank.cc). Samples are taken as they are: Kaldi's own scale is ±32768.
 * Symmetric windows; the frame less its mean, pre-emphasised within the frame (its first sample against
 * itself), windowed, padded behind with zeros to a power of two. Without snipEdges the signal is mirrored
 * at its ends, the last sample repeated. A signal shorter than a frame gives no frames where torchaudio
 * refuses it; without snipEdges it is mirrored over and over, as Kaldi does.
 */
export function kaldiFbank(samples: ArrayLike<number>, options: KaldiFbankOptions = {}): ReferenceFeatures {
  const { numMelBins = 23, sampleFrequency = 16000, usePower = true, useLogFbank = true } = options;
  const { useEnergy = false, htkCompat = false } = options;
  const size = Math.floor(sampleFrequency * (options.frameLength ?? 25) * 0.001);
  const nFft = (options.roundToPowerOfTwo ?? true) ? 2 ** Math.ceil(Math.log2(size)) : size;
  const bank = kaldiFilters({
    sampleFrequency,
    nFft,
    numMelBins,
    lowFreq: options.lowFreq ?? 20,
    highFreq: options.highFreq ?? 0,
  });
  const powers = powerSpectrum(nFft);
  const rows = kaldiFrames(samples, size, options).map(({ frame, logEnergy }) => {
    const padded = new Float64Array(nFft);
    padded.set(frame);
    const spectrum = usePower ? powers(padded) : powers(padded).map(Math.sqrt);
    const energies = filtered(bank, spectrum);
    const bins = useLogFbank ? energies.map((x) => Math.log(Math.max(x, KALDI_EPSILON))) : energies;
    if (!useEnergy) return bins;
    return Float64Array.from(htkCompat ? [...bins, logEnergy] : [logEnergy, ...bins]);
  });
  const result = laidOut(rows, numMelBins + (useEnergy ? 1 : 0), false);
  if (options.subtractMean) subtractColumnMeans(result);
  return result;
}

interface KaldiFrame {
  frame: Float64Array;
  logEnergy: number;
}

function kaldiFrames(samples: ArrayLike<number>, size: number, options: KaldiFbankOptions): KaldiFrame[] {
  const { snipEdges = true, removeDcOffset = true, preemphasisCoefficient = 0.97 } = options;
  const { rawEnergy = true, energyFloor = 1, noise = () => 0 } = options;
  const shift = Math.floor((options.sampleFrequency ?? 16000) * (options.frameShift ?? 10) * 0.001);
  const type = options.windowType ?? "povey";
  const name: WindowName = type === "hanning" ? "hann" : type;
  const window = windowOf(name, size, false);
  const before = snipEdges ? 0 : Math.floor(size / 2) - Math.floor(shift / 2);
  const whole = Math.floor((samples.length - size) / shift) + 1;
  const frames = snipEdges
    ? Math.max(0, whole)
    : Math.floor((samples.length + Math.floor(shift / 2)) / shift);
  return Array.from({ length: frames }, (_, t) => {
    let frame = Float64Array.from(
      { length: size },
      (_, i) => sampleAt(samples, t * shift - before + i, "symmetric") + noise(t, i),
    );
    if (removeDcOffset) {
      const mean = frame.reduce((sum, x) => sum + x, 0) / size;
      frame = frame.map((x) => x - mean);
    }
    const raw = frame;
    frame = raw.map((x, i) => (x - preemphasisCoefficient * raw[Math.max(0, i - 1)]!) * window[i]!);
    return { frame, logEnergy: logEnergyOf(rawEnergy ? raw : frame, energyFloor) };
  });
}

function logEnergyOf(frame: Float64Array, energyFloor: number): number {
  const energy = frame.reduce((sum, x) => sum + x * x, 0);
  const log = Math.log(Math.max(energy, KALDI_EPSILON));
  return energyFloor === 0 ? log : Math.max(log, Math.log(energyFloor));
}

/** Takes from each feature of [frames × features] its mean over the frames. */
export function subtractColumnMeans({ data, frames, features }: ReferenceFeatures): void {
  for (let f = 0; f < features; f++) {
    let sum = 0;
    for (let t = 0; t < frames; t++) sum += data[t * features + f]!;
    for (let t = 0; t < frames; t++) data[t * features + f]! -= sum / frames;
  }
}
