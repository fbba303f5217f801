import { assertSamples, type PcmAudio } from "../audio/pcm.ts";
import { AudioFormatError } from "../core/errors.ts";

/** How bare samples lie in a file: little-endian, channels interleaved. */
export interface RawSound {
  format: "f32" | "s16";
  /** Samples a second. */
  sampleRate: number;
  channels: number;
}

const BYTES = { f32: 4, s16: 2 };

/**
 * Bare samples as decoded sound; 16-bit ones are divided by 32768.
 *
 * @throws AudioFormatError when there is none, or the last is cut off.
 * @throws NonFiniteSamplesError, InvalidArgumentError when samples are NaN, infinite or absurdly large: not of
 * the format they are said to be.
 */
export function readRawSound(bytes: Uint8Array, { format, sampleRate, channels }: RawSound): PcmAudio {
  const frameBytes = BYTES[format] * channels;
  if (bytes.length === 0) throw new AudioFormatError("there are no samples; give some");
  if (bytes.length % frameBytes !== 0) {
    throw new AudioFormatError(
      `${bytes.length} bytes are no whole number of ${frameBytes}-byte frames (${channels} × ${format}); check --raw and --channels`,
    );
  }
  const frames = bytes.length / frameBytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const planes = Array.from({ length: channels }, () => new Float32Array(frames));
  for (let c = 0; c < channels; c++) {
    const plane = planes[c]!;
    const offset = c * BYTES[format];
    for (let i = 0; i < frames; i++) {
      const at = i * frameBytes + offset;
      plane[i] = format === "f32" ? view.getFloat32(at, true) : view.getInt16(at, true) / 32768;
    }
  }
  const audio = { sampleRate, channels: planes };
  assertSamples(audio);
  return audio;
}
