import { InvalidArgumentError } from "../core/errors.ts";
import type { PcmAudio } from "./pcm.ts";

/** Zero crossings of the sinc on each side: 48 give a transition band of 11 % of the lower Nyquist frequency. */
const ZERO_CROSSINGS = 48;
/** Kaiser's beta for a stop band of 90 dB: 0.1102 (90 - 8.7). */
const KAISER_BETA = 8.96;
/** Cut-off as a part of the lower Nyquist, so that the transition band ends at it. */
const ROLL_OFF = 0.945;

/** A band-limited mono mix of a clip at another sample rate, readable from any position. */
export interface MonoReader {
  /** Samples in all at the target rate. */
  readonly length: number;
  /** Writes samples `start` to `start + count` into `out` from its first place. */
  read(out: Float32Array, start: number, count: number): void;
}

/**
 * Mixes a clip down to one channel (the mean of all) and resamples it to `targetRate`.
 *
 * Each output sample is the sum of the input under a Kaiser-windowed sinc centred on its exact position,
 * so there is no delay: Smith, "Digital Audio Resampling" (ccrma.stanford.edu/~jos/resample). Positions
 * are integers over the rates; a filter is kept for each of the few phases that occur.
 *
 * @param targetRate samples a second
 * @throws InvalidArgumentError when a rate is no positive integer.
 */
export function monoReader(audio: PcmAudio, targetRate: number): MonoReader {
  const { sampleRate, channels } = audio;
  const inputLength = channels[0]?.length ?? 0;
  for (const rate of [sampleRate, targetRate]) {
    if (!Number.isSafeInteger(rate) || rate < 1) {
      throw new InvalidArgumentError(`sample rate is ${rate}; give a positive integer`);
    }
  }
  const source = channels.length === 1 ? channels[0]! : mixDown(channels, inputLength);
  if (sampleRate === targetRate) {
    return {
      length: inputLength,
      read: (out, start, count) => out.set(source.subarray(start, start + count)),
    };
  }

  const length = Math.ceil((inputLength * targetRate) / sampleRate);
  const cutoff = ROLL_OFF * Math.min(1, targetRate / sampleRate);
  const half = Math.ceil(ZERO_CROSSINGS / cutoff);
  const filters = new Map<number, Float32Array>();

  function read(out: Float32Array, start: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const position = (start + i) * sampleRate;
      const phase = position % targetRate;
      const centre = (position - phase) / targetRate;
      let filter = filters.get(phase);
      if (!filter) {
        filter = windowedSinc(phase / targetRate, cutoff, half);
        filters.set(phase, filter);
      }
      const first = centre - half + 1;
      const from = Math.max(0, -first);
      const to = Math.min(2 * half, inputLength - first);
      let sum = 0;
      for (let tap = from; tap < to; tap++) sum += filter[tap]! * source[first + tap]!;
      out[i] = sum;
    }
  }
  return { length, read };
}

/** Taps at input positions 1 - half … half around a centre `fraction` of a sample late, of unit gain at DC. */
function windowedSinc(fraction: number, cutoff: number, half: number): Float32Array {
  const taps = new Float64Array(2 * half);
  let total = 0;
  for (let i = 0; i < taps.length; i++) {
    const x = i + 1 - half - fraction;
    const argument = Math.PI * cutoff * x;
    const sinc = x === 0 ? 1 : Math.sin(argument) / argument;
    const edge = x / half;
    const tap = Math.abs(edge) >= 1 ? 0 : sinc * besselI0(KAISER_BETA * Math.sqrt(1 - edge * edge));
    taps[i] = tap;
    total += tap;
  }
  return Float32Array.from(taps, (tap) => tap / total);
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function mixDown(channels: Float32Array[], length: number): Float32Array {
  const mixed = new Float32Array(length);
  for (const channel of channels) {
    for (let i = 0; i < length; i++) mixed[i]! += channel[i]! / channels.length;
  }
  return mixed;
}
