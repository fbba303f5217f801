import type { Core } from "../core/core.ts";
import { statePool } from "../pools/shared-pool.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { MonoSource } from "./mono-source.ts";
import { toMono } from "./pcm-conversion.ts";
import { frameBytesOf, type PcmLayout, sampleReader } from "./pcm-layout.ts";
import { createSampleGuard } from "./sample-guard.ts";
import type { NonFinitePolicy } from "./staging.ts";

/** Floats of the buffer that bytes are gathered in. */
const GATHERED = 8192;

/** What is known of uncompressed sound before it is read. */
export interface PcmStream {
  format: string;
  layout: PcmLayout;
  /** Bytes of samples, or undefined where they go on to the end. */
  dataBytes: number | undefined;
  /** Frames that are declared, where that is less than the bytes hold. */
  frames?: number | undefined;
  /** What to throw when the source ends after `there` bytes, if that is a fault. */
  fault(there: number): Error | undefined;
}

/**
 * Uncompressed sound out of a reader that stands at its first sample, mixed down to the mean of its channels.
 * Its bytes go through one leased buffer of 32 KiB.
 *
 * @throws CoreMemoryError, PoolExhaustedError when the core has no room for the buffer.
 */
export function pcmSource(
  core: Core,
  reader: ByteReader,
  { format, layout, dataBytes, frames = Number.POSITIVE_INFINITY, fault }: PcmStream,
  nonFinite: NonFinitePolicy,
): MonoSource {
  const frameBytes = frameBytesOf(layout);
  const { channels, sampleRate } = layout;
  const guard = createSampleGuard(nonFinite, sampleRate);
  const lease = statePool(core, "sound", GATHERED).acquire();
  const { buffer, byteOffset, byteLength } = lease.view;
  const gathered = new Uint8Array(buffer, byteOffset, byteLength);
  const convert = converter();
  const rest = reader.size === undefined ? undefined : Math.max(0, reader.size - reader.position);
  const total = dataBytes ?? rest;
  let left = dataBytes ?? Number.POSITIVE_INFINITY;
  let filled = 0;
  let read = 0;
  let done = 0;

  /** Writes the mean of the first `count` frames that are gathered. */
  function converter(): (count: number, out: Float32Array) => void {
    const { kind, bits, bigEndian } = layout;
    const at = sampleReader(new DataView(buffer, byteOffset, byteLength), layout);
    // The kernels' means are those of the mix of decoded channels bit for bit where nothing is rounded twice.
    const exact = !bigEndian && (channels & (channels - 1)) === 0;
    if (exact && kind === "signed" && bits === 16) {
      return (count, out) =>
        void toMono(core, new Int16Array(buffer, byteOffset, count * channels), channels, out);
    }
    if (exact && kind === "float" && bits === 32 && channels <= 2) {
      return (count, out) => {
        const samples = new Float32Array(buffer, byteOffset, count * channels);
        if (!guard.clean(samples)) guard.treat(samples, done, channels, 1);
        toMono(core, samples, channels, out, { nonFinite: "pass" });
      };
    }
    const frame = new Float32Array(channels);
    const float = kind === "float";
    return (count, out) => {
      for (let i = 0, byte = 0; i < count; i++) {
        for (let c = 0; c < channels; c++, byte += bits / 8) frame[c] = at(byte);
        if (float && !guard.clean(frame)) guard.treat(frame, done + i, channels, 1);
        let sum = 0;
        for (let c = 0; c < channels; c++) sum += frame[c]!;
        out[i] = sum / channels;
      }
    };
  }

  async function readSamples(out: Float32Array): Promise<number> {
    for (;;) {
      const count = Math.min(Math.floor(filled / frameBytes), out.length, frames - done);
      if (count > 0) {
        convert(count, out);
        gathered.copyWithin(0, count * frameBytes, filled);
        filled -= count * frameBytes;
        done += count;
        return count;
      }
      if (done >= frames || left === 0 || out.length === 0) return 0;
      const chunk = await reader.take(Math.min(byteLength - filled, left));
      if (chunk.length === 0) {
        left = 0;
        const error = fault(read);
        if (error) throw error;
        return 0;
      }
      gathered.set(chunk, filled);
      filled += chunk.length;
      read += chunk.length;
      left -= chunk.length;
    }
  }

  return {
    format,
    sampleRate,
    channels,
    duration: total === undefined ? undefined : Math.min(frames, Math.floor(total / frameBytes)) / sampleRate,
    read: readSamples,
    free: () => lease.release(),
  };
}
