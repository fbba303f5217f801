import { describe } from "../core/arguments.ts";
import { InvalidArgumentError, NonFiniteSamplesError } from "../core/errors.ts";

/** Limits of what wavepool takes for sound, whatever the file or the caller says. */
export const MAX_CHANNELS = 8;
export const MIN_RATE = 1000;
export const MAX_RATE = 384000;
/** 40 dB above full scale: beyond it somebody forgot to divide by 32768. */
export const MAX_LEVEL = 100;

/** Decoded sound. */
export interface PcmAudio {
  /** Samples a second, an integer. */
  sampleRate: number;
  /** One array a channel, all of one length; samples nominally -1 to 1. */
  channels: Float32Array[];
}

/** Seconds of sound. */
export function duration(audio: PcmAudio): number {
  return (audio.channels[0]?.length ?? 0) / audio.sampleRate;
}

/**
 * Checks a sample rate.
 *
 * @throws InvalidArgumentError when it is no integer in range.
 */
export function assertRate(rate: unknown, name: string): void {
  if (Number.isSafeInteger(rate) && (rate as number) >= MIN_RATE && (rate as number) <= MAX_RATE) return;
  throw new InvalidArgumentError(
    `${name} is ${describe(rate)}; give an integer from ${MIN_RATE} to ${MAX_RATE}`,
  );
}

/**
 * Checks sound that came from outside.
 *
 * @throws InvalidArgumentError when the rate is out of range, there are no channels or too many, or they
 * are no Float32Arrays of one length above zero.
 */
export function assertPcm(audio: PcmAudio): void {
  const { sampleRate, channels } = (audio ?? {}) as Partial<PcmAudio>;
  assertRate(sampleRate, "sampleRate");
  if (!Array.isArray(channels) || channels.length < 1 || channels.length > MAX_CHANNELS) {
    const seen = Array.isArray(channels) ? `an array of ${channels.length}` : describe(channels);
    throw new InvalidArgumentError(
      `channels is ${seen}; give an array of 1 to ${MAX_CHANNELS} Float32Arrays`,
    );
  }
  for (const [c, samples] of channels.entries()) {
    if (!(samples instanceof Float32Array)) {
      throw new InvalidArgumentError(
        `channel ${c + 1} is ${describe(samples)}; give a Float32Array of -1 … 1`,
      );
    }
    if (samples.length === 0 || samples.length !== channels[0]!.length) {
      throw new InvalidArgumentError(
        `channel ${c + 1} has ${samples.length} samples, channel 1 has ${channels[0]!.length}; give all the same length above 0`,
      );
    }
  }
}

/**
 * Checks the samples themselves, before resampling smears a bad one over its neighbours.
 *
 * @throws NonFiniteSamplesError naming the count and the time of the first NaN or infinite sample.
 * @throws InvalidArgumentError when samples are far outside -1 … 1.
 */
export function assertSamples({ channels, sampleRate }: PcmAudio): void {
  for (const [c, samples] of channels.entries()) {
    const outside = firstOutside(samples);
    if (outside < 0) continue;
    const at = (i: number) => `at ${(i / sampleRate).toFixed(3)} s of channel ${c + 1}`;
    const first = samples.findIndex((x) => !Number.isFinite(x));
    if (first < 0) {
      throw new InvalidArgumentError(
        `a sample of ${samples[outside]} ${at(outside)}; scale the samples to -1 … 1 (divide 16-bit ones by 32768)`,
      );
    }
    const count = samples.reduce((n, x) => (Number.isFinite(x) ? n : n + 1), 0);
    throw new NonFiniteSamplesError(
      `${count} of ${samples.length} samples are NaN or infinite, the first ${at(first)}; clean or re-record the clip`,
      count,
      first,
    );
  }
}

/** Index of the first sample beyond the greatest level or NaN, or -1. A plain loop: every clip goes through it. */
function firstOutside(samples: Float32Array): number {
  for (let i = 0; i < samples.length; i++) if (!(Math.abs(samples[i]!) <= MAX_LEVEL)) return i;
  return -1;
}
