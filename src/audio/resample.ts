import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { assertPcm, assertRate, type PcmAudio } from "./pcm.ts";
import { leaveBank, type ResampleBank, useBank } from "./resample-bank.ts";
import { acquireState } from "./resample-state.ts";
import { STAGED, stagingOf } from "./staging.ts";

/** A band-limited mono mix of a clip at another sample rate, readable from any position. */
export interface MonoReader {
  /** Samples in all at the target rate. */
  readonly length: number;
  /**
   * Writes samples `start` to `start + count` into `out` from its first place: the same bits whichever range
   * is read.
   *
   * @param out float32, in the core's memory or elsewhere.
   * @throws InvalidArgumentError when they lie outside the clip or do not fit into `out`.
   * @throws CoreMemoryError, PoolExhaustedError when the core has no room for the filter and its window.
   */
  read(out: Float32Array, start: number, count: number): void;
}

/**
 * Mixes a clip down to one channel (the mean of all) and resamples it to `targetRate` with the core's filter
 * of high quality: see `createResampler`. There is no delay, and silence on both sides of the clip. The
 * core's memory is used while a read lasts; equal rates only mix.
 *
 * @param targetRate samples a second
 * @throws InvalidArgumentError when a rate is out of range or the channels do not fit together.
 */
export function monoReader(core: Core, audio: PcmAudio, targetRate: number): MonoReader {
  assertPcm(audio);
  assertRate(targetRate, "targetRate");
  const { sampleRate, channels } = audio;
  const length = Math.ceil((channels[0]!.length * targetRate) / sampleRate);

  function read(out: Float32Array, start: number, count: number): void {
    const inside = Number.isInteger(start) && Number.isInteger(count) && start >= 0 && count >= 0;
    if (!inside || start + count > length || count > out.length) {
      throw new InvalidArgumentError(
        `cannot read ${count} samples from ${start} on of ${length} into ${out.length} places; stay inside both`,
      );
    }
    if (sampleRate === targetRate) {
      mix(channels, start, count, out, 0);
      return;
    }
    const bank = useBank(core, sampleRate, targetRate, "high");
    try {
      resampleRange(core, bank, channels, out, start, count);
    } finally {
      leaveBank(core, bank);
    }
  }
  return { length, read };
}

/** Writes outputs `start` to `start + count`, as many at once as a buffer holds the input of. */
function resampleRange(
  core: Core,
  bank: ResampleBank,
  channels: Float32Array[],
  out: Float32Array,
  start: number,
  count: number,
): void {
  const { address, up, down, taps, left, quantum } = bank;
  using state = acquireState(core, bank);
  const { view } = state;
  const inCore = out.buffer === core.buffer;
  // Whole groups of the kernel, of inputs that fit behind a window.
  const room = Math.min(view.length - taps, Math.floor((STAGED * down) / up));
  const outputs = Math.floor(((room - (room % quantum)) * up) / down);
  for (let done = 0; done < count; ) {
    const many = Math.min(outputs, count - done);
    const position = (start + done) * down;
    const phase = position % up;
    const first = (position - phase) / up - left;
    loadWindow(channels, first, view, Math.floor((phase + (many - 1) * down) / up) + taps);
    const target = inCore ? out.byteOffset + done * out.BYTES_PER_ELEMENT : stagingOf(core).output.byteOffset;
    core.exports.resample(address, view.byteOffset, phase, many, target);
    if (!inCore) out.set(stagingOf(core).output.subarray(0, many), done);
    done += many;
  }
}

/** Fills `view` with `count` samples of the mix from position `first` on, zeros outside the clip. */
function loadWindow(channels: Float32Array[], first: number, view: Float32Array, count: number): void {
  const { length } = channels[0]!;
  const from = Math.min(Math.max(0, -first), count);
  const to = Math.max(from, Math.min(count, length - first));
  view.fill(0, 0, from);
  mix(channels, first + from, to - from, view, from);
  view.fill(0, to, count);
  flushTiny(view, count);
}

/** 390 dB below full scale. */
const TINY = 2 ** -66;

/**
 * Makes zeros of samples that nobody hears, as decoders leave them behind a sound: their products with the
 * filter would be subnormal, which processors take twenty times as long for.
 */
export function flushTiny(samples: Float32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const sample = samples[i]!;
    if (sample < TINY && sample > -TINY) samples[i] = 0;
  }
}

/** Writes the mean of the channels' samples `start` to `start + count` into `out` from its place `at`. */
export function mix(
  channels: Float32Array[],
  start: number,
  count: number,
  out: Float32Array,
  at: number,
): void {
  if (channels.length === 1) {
    out.set(channels[0]!.subarray(start, start + count), at);
    return;
  }
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (const samples of channels) sum += samples[start + i]!;
    out[at + i] = sum / channels.length;
  }
}
