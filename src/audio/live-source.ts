import { describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { Chunks } from "./chunks.ts";
import type { MonoSource } from "./mono-source.ts";
import { duration, type PcmAudio } from "./pcm.ts";
import { mix } from "./resample.ts";
import { createSampleGuard } from "./sample-guard.ts";
import type { NonFinitePolicy } from "./staging.ts";

/** Blocks of mono samples as they come, such as from a microphone. An empty stream is an empty sound. */
export function liveSource(
  chunks: Chunks<Float32Array>,
  sampleRate: number,
  nonFinite: NonFinitePolicy,
): MonoSource {
  const guard = createSampleGuard(nonFinite, sampleRate);
  let block = new Float32Array(0);
  let at = 0;
  let done = 0;
  return {
    format: "PCM",
    sampleRate,
    channels: 1,
    duration: undefined,
    async read(out) {
      while (at === block.length && out.length > 0) {
        const next: unknown = await chunks.next();
        if (next === undefined) return 0;
        if (!(next instanceof Float32Array)) {
          throw new InvalidArgumentError(
            `the stream gives ${describe(next)}; give Float32Arrays of mono sound, or leave sampleRate out for the bytes of a file`,
          );
        }
        block = next as Float32Array<ArrayBuffer>;
        at = 0;
      }
      const count = Math.min(out.length, block.length - at);
      const samples = out.subarray(0, count);
      samples.set(block.subarray(at, at + count));
      if (!guard.clean(samples)) guard.treat(samples, done, 1, 1);
      at += count;
      done += count;
      return count;
    },
    free() {},
  };
}

/** Decoded sound, mixed down as it is read; it must stay as it is until then. */
export function decodedSource(audio: PcmAudio, nonFinite: NonFinitePolicy): MonoSource {
  const { channels, sampleRate } = audio;
  const { length } = channels[0]!;
  const guard = createSampleGuard(nonFinite, sampleRate);
  let done = 0;
  return {
    format: "PCM",
    sampleRate,
    channels: channels.length,
    duration: duration(audio),
    async read(out) {
      const count = Math.min(out.length, length - done);
      const parts = channels.map((samples, c) => {
        const part = samples.subarray(done, done + count);
        if (guard.clean(part)) return part;
        const copy = part.slice(); // the caller's own is not to change
        guard.treat(copy, done, 1, c + 1);
        return copy;
      });
      mix(parts, 0, count, out, 0);
      done += count;
      return count;
    },
    free() {},
  };
}
