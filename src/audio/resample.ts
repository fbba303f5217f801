import { InvalidArgumentError } from "../core/errors.ts";
import { assertPcm, assertRate, type PcmAudio } from "./pcm.ts";

/** Zero crossings of the sinc on each side: 48 give a transition band of 11 % of the lower Nyquist frequency. */
const ZERO_CROSSINGS = 48;
/** Kaiser's beta for a stop band of 90 dB: 0.1102 (90 - 8.7). */
const KAISER_BETA = 8.96;
/** Cut-off as a part of the lower Nyquist, so that the transition band ends at it. */
const ROLL_OFF = 0.945;

/** Filters kept for a clip; more phases than that are interpolated. */
const MAX_PHASES = 1024;

/** A band-limited mono mix of a clip at another sample rate, readable from any position. */
export interface MonoReader {
  /** Samples in all at the target rate. */
  readonly length: number;
  /**
   * Writes samples `start` to `start + count` into `out` from its first place.
   *
   * @throws InvalidArgumentError when they lie outside the clip or do not fit into `out`.
   */
  read(out: Float32Array, start: number, count: number): void;
}

/**
 * Mixes a clip down to one channel (the mean of all) and resamples it to `targetRate`.
 *
 * Each output sample is the sum of the input under a Kaiser-windowed sinc centred on its exact position,
 * so there is no delay: Smith, "Digital Audio Resampling" (ccrma.stanford.edu/~jos/resample). Positions
 * are integers over the rates; a filter is kept for each phase that occurs. Rates with few common factors
 * have too many phases: theirs are rounded to a grid and interpolated linearly, an error below -110 dB.
 *
 * @param targetRate samples a second
 * @throws InvalidArgumentError when a rate is out of range or the channels do not fit together.
 */
export function monoReader(audio: PcmAudio, targetRate: number): MonoReader {
  assertPcm(audio);
  assertRate(targetRate, "targetRate");
  const { sampleRate, channels } = audio;
  const inputLength = channels[0]!.length;
  const length = Math.ceil((inputLength * targetRate) / sampleRate);
  const source = channels.length === 1 ? channels[0]! : mixDown(channels, inputLength);
  const sampleAt = sampleRate === targetRate ? undefined : resampler(source, sampleRate, targetRate);

  function read(out: Float32Array, start: number, count: number): void {
    const inside = Number.isInteger(start) && Number.isInteger(count) && start >= 0 && count >= 0;
    if (!inside || start + count > length || count > out.length) {
      throw new InvalidArgumentError(
        `cannot read ${count} samples from ${start} on of ${length} into ${out.length} places; stay inside both`,
      );
    }
    if (!sampleAt) out.set(source.subarray(start, start + count));
    else for (let i = 0; i < count; i++) out[i] = sampleAt(start + i);
  }
  return { length, read };
}

/** A function that gives sample `i` at the target rate. */
function resampler(source: Float32Array, sampleRate: number, targetRate: number): (i: number) => number {
  const cutoff = ROLL_OFF * Math.min(1, targetRate / sampleRate);
  const half = Math.ceil(ZERO_CROSSINGS / cutoff);
  const phases = targetRate / greatestCommonDivisor(sampleRate, targetRate);
  const grid = Math.min(phases, MAX_PHASES);
  const filters: (Float32Array | undefined)[] = [];

  function filtered(index: number, centre: number): number {
    let filter = filters[index];
    if (!filter) {
      filter = windowedSinc(index / grid, cutoff, half);
      filters[index] = filter;
    }
    const first = centre - half + 1;
    const from = Math.max(0, -first);
    const to = Math.min(2 * half, source.length - first);
    let sum = 0;
    for (let tap = from; tap < to; tap++) sum += filter[tap]! * source[first + tap]!;
    return sum;
  }

  return (i) => {
    const position = i * sampleRate;
    const remainder = position % targetRate;
    const centre = (position - remainder) / targetRate;
    if (grid === phases) return filtered((remainder * phases) / targetRate, centre);
    const place = (remainder * grid) / targetRate;
    const below = Math.floor(place);
    const low = filtered(below, centre);
    return low + (place - below) * (filtered(below + 1, centre) - low);
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Taps at input positions 1 - half … half around a centre `fraction` (0 to 1) of a sample late, of unit gain at DC. */
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
