import { AudioFormatError, WavepoolError } from "../core/errors.ts";
import type { CodecInput } from "./codec-input.ts";
import {
  checkLayout,
  codecOf,
  type Decoded,
  endsEarly,
  formatName,
  REPAIR,
  rescaleFlac,
  type StreamCodec,
  tooFewSamples,
  undecodable,
} from "./codecs.ts";
import type { Interruption } from "./interruption.ts";
import type { MonoSource } from "./mono-source.ts";
import { mix } from "./resample.ts";
import { createSampleGuard } from "./sample-guard.ts";
import type { NonFinitePolicy } from "./staging.ts";

/**
 * A compressed file, decoded piece by piece and mixed down to the mean of its channels. Decodes up to the
 * first sample, which tells rate and channels.
 *
 * @param type as audio-type names it
 * @throws AudioFormatError when there is no codec, or the file does not decode or has no sound.
 */
export async function codecSource(
  type: string,
  input: CodecInput,
  nonFinite: NonFinitePolicy,
  interruption: Interruption,
): Promise<MonoSource> {
  const codec = await codecOf(type)();
  const decoder = await codec.decoder();
  try {
    return await decoding(type, input, decoder, nonFinite, interruption);
  } catch (error) {
    decoder.free();
    throw error;
  }
}

async function decoding(
  type: string,
  input: CodecInput,
  decoder: StreamCodec,
  nonFinite: NonFinitePolicy,
  interruption: Interruption,
): Promise<MonoSource> {
  let total = 0;
  let ended = false;

  /** Runs the codec, whose own errors become ours. */
  async function run(work: () => Decoded | Promise<Decoded>): Promise<Decoded> {
    try {
      const result = work();
      // Waits only where the codec does: a task switch for each piece would cost more than some pieces.
      return result instanceof Promise ? await interruption.race(result) : result;
    } catch (cause) {
      if (cause instanceof WavepoolError) throw cause;
      throw undecodable(type, cause);
    }
  }

  /** The next sound that comes out, undefined at the end. */
  async function next(): Promise<Decoded | undefined> {
    while (!ended) {
      const piece = await input.next();
      ended = piece === undefined;
      const decoded = await run(() =>
        piece !== undefined
          ? decoder.decode(piece)
          : (decoder.flush?.() ?? { channelData: [], sampleRate: 0 }),
      );
      const { channelData, errors } = decoded;
      if (Array.isArray(errors) && errors.length > 0) {
        throw new AudioFormatError(
          `the ${formatName(type)} file is damaged: ${errors.length} of its frames do not decode; ${REPAIR}`,
        );
      }
      const length = channelData[0]?.length ?? 0;
      if (length > 0) {
        if (type === "flac") rescaleFlac(channelData, input.bits);
        total += length;
        return decoded;
      }
    }
    if (total > 0 && input.declared !== undefined && total < input.declared) {
      throw tooFewSamples(type, input.declared, total);
    }
    return undefined;
  }

  const first = await next();
  if (first === undefined || !(first.sampleRate > 0)) throw endsEarly(type);
  const sampleRate = Math.round(first.sampleRate);
  const channels = first.channelData.length;
  checkLayout(type, channels, sampleRate);
  const guard = createSampleGuard(nonFinite, sampleRate);
  let block = first.channelData;
  let at = 0;
  let done = 0;
  check();

  function check(): void {
    for (const [c, samples] of block.entries()) {
      if (!guard.clean(samples)) guard.treat(samples, done, 1, c + 1);
    }
  }

  return {
    format: formatName(type),
    sampleRate,
    channels,
    duration: input.declared === undefined ? input.duration : input.declared / sampleRate,
    async read(out) {
      if (out.length === 0) return 0;
      if (at === block[0]!.length) {
        const decoded = await next();
        if (decoded === undefined) return 0;
        if (Math.round(decoded.sampleRate) !== sampleRate) {
          throw new AudioFormatError(
            `the ${formatName(type)} file changes from ${sampleRate} to ${decoded.sampleRate} Hz at ${(done / sampleRate).toFixed(3)} s; convert it first (ffmpeg -i in out.wav)`,
          );
        }
        block = decoded.channelData;
        at = 0;
        check();
      }
      const count = Math.min(out.length, block[0]!.length - at);
      mix(block, at, count, out, 0);
      at += count;
      done += count;
      return count;
    },
    free: () => decoder.free(),
  };
}
