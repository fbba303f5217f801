import { assertOptions, describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { MAX_CHANNELS } from "./pcm.ts";
import {
  admitNonFinite,
  assertPolicy,
  countNonFinite,
  type NonFinitePolicy,
  nonFiniteError,
  overlap,
  STAGED,
  stagingOf,
} from "./staging.ts";

/** How to convert. */
export interface ToMonoOptions {
  /**
   * What becomes of NaN and infinite samples: `"error"` (default) refuses them all before anything is written,
   * `"zero"` takes them for zeros, `"pass"` lets them through.
   */
  nonFinite?: NonFinitePolicy;
}

/**
 * Mixes interleaved samples down to one float32 channel, the mean of all. 16-bit samples are divided by 32768:
 * their mean is exact but for one rounding. Float samples are added in float32, in their order.
 *
 * @param interleaved frames of `channels` samples, in this core's memory or elsewhere; left as they are.
 * @param channels 1 to 8.
 * @param out float32 of interleaved.length / channels samples or more, in this core's memory or elsewhere;
 * written from its start. What lies behind stays as it was.
 * @returns the number of NaN and infinite samples met, 0 for integers.
 * @throws InvalidArgumentError when a view is of another type, holds no whole number of frames, is too short,
 * or the two overlap.
 * @throws NonFiniteSamplesError when a sample is NaN or infinite and `nonFinite` is `"error"`.
 */
export function toMono(
  core: Core,
  interleaved: Int16Array | Float32Array,
  channels: number,
  out: Float32Array,
  options: ToMonoOptions = {},
): number {
  assertOptions(options, "toMono");
  const { nonFinite = "error" } = options;
  assertPolicy(nonFinite);
  const frames = checkViews(interleaved, channels, out);
  const integers = interleaved instanceof Int16Array;
  let found = 0;
  if (!integers && nonFinite === "error") {
    found = countNonFinite(core, interleaved);
    if (found > 0) throw nonFiniteError("toMono", interleaved, found);
  }
  const { exports, buffer } = core;
  const convert = integers ? exports.int16ToMono : exports.floatToMono;
  const size = interleaved.BYTES_PER_ELEMENT;
  // Zeros for bad samples are put into a copy.
  const inPlace = interleaved.buffer === buffer && (integers || nonFinite !== "zero");
  const outInPlace = out.buffer === buffer;
  const most = inPlace && outInPlace ? frames : Math.floor(STAGED / channels);
  for (let done = 0; done < frames; done += most) {
    const count = Math.min(most, frames - done);
    const first = done * channels;
    let source = interleaved.byteOffset + first * size;
    if (!inPlace) {
      const staging = stagingOf(core);
      const target = integers ? staging.input16 : staging.input;
      target.set(interleaved.subarray(first, first + count * channels));
      source = target.byteOffset;
    }
    if (!integers && nonFinite !== "error") {
      found += admitNonFinite(core, source, count * channels, nonFinite);
    }
    const target = outInPlace ? out.byteOffset + done * 4 : stagingOf(core).output.byteOffset;
    convert(source, channels, count, target);
    if (!outInPlace) out.set(stagingOf(core).output.subarray(0, count), done);
  }
  return found;
}

/** Checks the views and returns the number of frames. */
function checkViews(interleaved: unknown, channels: unknown, out: unknown): number {
  if (!(interleaved instanceof Int16Array) && !(interleaved instanceof Float32Array)) {
    throw new InvalidArgumentError(
      `toMono: samples are ${describe(interleaved)}; give an Int16Array or a Float32Array`,
    );
  }
  if (!Number.isInteger(channels) || (channels as number) < 1 || (channels as number) > MAX_CHANNELS) {
    throw new InvalidArgumentError(
      `toMono: channels is ${describe(channels)}; give an integer from 1 to ${MAX_CHANNELS}`,
    );
  }
  if (!(out instanceof Float32Array)) {
    throw new InvalidArgumentError(`toMono: out is ${describe(out)}; give a Float32Array`);
  }
  const frames = interleaved.length / (channels as number);
  if (!Number.isInteger(frames)) {
    throw new InvalidArgumentError(
      `toMono: ${interleaved.length} samples are no whole frames of ${channels} channels; give a multiple of ${channels}`,
    );
  }
  if (out.length < frames) {
    throw new InvalidArgumentError(
      `toMono: out holds ${out.length} samples; ${frames} frames need ${frames}: give room for them`,
    );
  }
  if (overlap(interleaved, out)) {
    throw new InvalidArgumentError("toMono: samples and out overlap; give two buffers");
  }
  return frames;
}
