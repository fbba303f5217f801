import { assertOptions, describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import { AudioFormatError, InvalidArgumentError } from "../core/errors.ts";
import { openAiff, streamsAsAiff } from "./aiff-stream.ts";
import { type ByteReader, type ByteSource, openBytes } from "./byte-reader.ts";
import { openChunks } from "./chunks.ts";
import { openInput } from "./codec-input.ts";
import { codecSource } from "./codec-source.ts";
import { formatOf } from "./codecs.ts";
import { createInterruption, type Interruption } from "./interruption.ts";
import { decodedSource, liveSource } from "./live-source.ts";
import type { MonoSource } from "./mono-source.ts";
import { assertPcm, assertRate, MAX_CHANNELS, type PcmAudio } from "./pcm.ts";
import { frameBytesOf, type PcmLayout } from "./pcm-layout.ts";
import { pcmSource } from "./pcm-source.ts";
import { createSoundReader, type SoundReader } from "./sound-reader.ts";
import { assertPolicy, type NonFinitePolicy } from "./staging.ts";
import { isWav } from "./wav.ts";
import { openWav } from "./wav-stream.ts";

/** How the samples of headerless PCM lie: interleaved, little-endian. */
export interface RawPcm {
  /** 32-bit float or 16-bit integer. */
  format: "f32" | "s16";
  /** Samples a second. */
  sampleRate: number;
  /** 1 to 8; 1 by default. */
  channels?: number;
}

/**
 * What sound can be read from: the bytes of a file (whole, by its path or in browsers its URL, as a Blob, a File
 * or a stream), decoded sound, or with `sampleRate` a stream of mono float32 blocks.
 */
export type SoundSource =
  | ByteSource
  | PcmAudio
  | ReadableStream<Float32Array>
  | AsyncIterable<Float32Array>
  | Iterable<Float32Array>;

/** How to read a sound. */
export interface SoundOptions {
  /** Samples a second that are wanted; 16000 by default. */
  targetRate?: number;
  /** The bytes are raw PCM, not a file. */
  raw?: RawPcm;
  /** The source gives mono float32 blocks of so many samples a second, not bytes. */
  sampleRate?: number;
  /**
   * What becomes of NaN and infinite samples: `"error"` (default) refuses them, `"zero"` takes them for zeros,
   * `"pass"` lets them through.
   */
  nonFinite?: NonFinitePolicy;
  /** Bytes of a file that may be held where it does not stream; 256 MiB by default. */
  maxHeldBytes?: number;
  /** Ends reading: what waits rejects with the signal's reason, and everything is closed. */
  signal?: AbortSignal;
}

const TARGET_RATE = 16000;
const MAX_HELD = 256 * 2 ** 20;
/** Bytes that show a format: OpusHead lies 28 bytes on, the document type of Matroska within 64. */
const MAGIC_BYTES = 1088;

/**
 * Opens a sound to be read in order, in memory that does not grow with its length: bytes are read, decoded,
 * mixed down to the mean of all channels and resampled (see `createResampler`) a block at a time. The samples
 * are those of `decodeAudio` and `monoReader`.
 *
 * WAV (also RF64, BW64 and those out of a pipe, whose header knows no length), AIFF, FLAC, MP3, Ogg Vorbis,
 * Opus, AAC, WebM, Matroska, MP4 and M4A stream. Held whole, and refused beyond `maxHeldBytes`, are only:
 * MP4 and M4A whose index lies behind the data, in a source that is read in order (from a path, a Blob or bytes
 * the index is fetched from the end), and AIFF-C of IMA ADPCM or GSM. An MP4's index itself is held: about
 * 1.5 MB for an hour.
 *
 * A source that ends before the file is whole rejects the last read, where the format shows it: WAV, AIFF, FLAC,
 * MP3 with a Xing header, Ogg, WebM and MP4. AAC, and WebM recorded without a length, end as far as they go.
 *
 * @param source is read once; streams and iterators are cancelled when the reader closes before their end.
 * @throws InvalidArgumentError when source or options are none of those; FileError when a path cannot be read.
 * @throws AudioFormatError when the bytes are no sound that wavepool knows, or are damaged or cut off.
 * @throws NonFiniteSamplesError for NaN and infinite samples; CoreMemoryError, PoolExhaustedError when the core
 * has no room for the buffers. Later reads throw these too.
 */
export async function openSound(
  core: Core,
  source: SoundSource,
  options: SoundOptions = {},
): Promise<SoundReader> {
  assertOptions(options, "openSound");
  const { targetRate = TARGET_RATE, nonFinite = "error", maxHeldBytes = MAX_HELD, signal } = options;
  assertRate(targetRate, "targetRate");
  assertPolicy(nonFinite);
  if (options.raw !== undefined) assertRaw(options.raw);
  if (options.sampleRate !== undefined) assertRate(options.sampleRate, "sampleRate");
  if (options.raw !== undefined && options.sampleRate !== undefined) {
    throw new InvalidArgumentError("raw and sampleRate are both given; say raw.sampleRate for bytes alone");
  }
  if (!Number.isSafeInteger(maxHeldBytes) || maxHeldBytes < 0) {
    throw new InvalidArgumentError(`maxHeldBytes is ${describe(maxHeldBytes)}; give an integer, 0 or more`);
  }
  signal?.throwIfAborted();
  const interruption = createInterruption(signal);
  let close: (reason?: unknown) => Promise<void> = async () => {};
  let mono: MonoSource | undefined;
  try {
    if (isDecoded(source)) {
      assertPcm(source);
      mono = decodedSource(source, nonFinite);
    } else if (options.sampleRate !== undefined) {
      const chunks = openChunks(source as AsyncIterable<Float32Array>, interruption);
      close = (reason) => chunks.close(reason);
      mono = liveSource(chunks, options.sampleRate, nonFinite);
    } else {
      const reader = await openBytes(source as ByteSource, interruption);
      close = (reason) => reader.close(reason);
      mono = await (options.raw
        ? rawSource(core, reader, options.raw, nonFinite)
        : fileSource(core, reader, nonFinite, maxHeldBytes, interruption));
    }
    return createSoundReader(core, mono, targetRate, interruption, close);
  } catch (error) {
    mono?.free();
    interruption.leave();
    // A stream that fails again while it is cancelled has nothing to add.
    await close(error).catch(() => {});
    throw error;
  }
}

function isDecoded(source: SoundSource): source is PcmAudio {
  return typeof source === "object" && source !== null && "channels" in source && "sampleRate" in source;
}

function assertRaw(raw: RawPcm): void {
  assertOptions(raw, "raw");
  const { format, sampleRate, channels = 1 } = raw;
  if (format !== "f32" && format !== "s16") {
    throw new InvalidArgumentError(`raw.format is ${describe(format)}; give "f32" or "s16"`);
  }
  assertRate(sampleRate, "raw.sampleRate");
  if (Number.isInteger(channels) && channels >= 1 && channels <= MAX_CHANNELS) return;
  throw new InvalidArgumentError(
    `raw.channels is ${describe(channels)}; give an integer from 1 to ${MAX_CHANNELS}`,
  );
}

function rawSource(
  core: Core,
  reader: ByteReader,
  { format, sampleRate, channels = 1 }: RawPcm,
  nonFinite: NonFinitePolicy,
): MonoSource {
  const kind = format === "f32" ? "float" : "signed";
  const layout: PcmLayout = {
    kind,
    bits: format === "f32" ? 32 : 16,
    bigEndian: false,
    channels,
    sampleRate,
  };
  const frameBytes = frameBytesOf(layout);
  const fault = (there: number) => {
    if (there === 0) return new AudioFormatError("the raw PCM holds no samples; give some");
    if (there % frameBytes === 0) return undefined;
    return new AudioFormatError(
      `the raw PCM ends ${there % frameBytes} bytes into a frame of ${frameBytes}; check its format and channels`,
    );
  };
  return pcmSource(core, reader, { format: "raw PCM", layout, dataBytes: undefined, fault }, nonFinite);
}

async function fileSource(
  core: Core,
  reader: ByteReader,
  nonFinite: NonFinitePolicy,
  limit: number,
  interruption: Interruption,
): Promise<MonoSource> {
  const tagged = await skipId3(reader);
  const head = (await reader.peek(MAGIC_BYTES)).slice();
  if (head.length === 0 && !tagged) throw new AudioFormatError("the file is empty; give a sound file");
  if (isWav(head)) return pcmSource(core, reader, await openWav(reader), nonFinite);
  const type = formatOf(head);
  if (type === "aiff" && (await streamsAsAiff(reader))) {
    return pcmSource(core, reader, await openAiff(reader), nonFinite);
  }
  return codecSource(type, await openInput(type, reader, limit), nonFinite, interruption);
}

/** Skips an ID3v2 tag (id3.org/id3v2.4.0-structure), which may hold pictures of megabytes. Returns whether there was one. */
async function skipId3(reader: ByteReader): Promise<boolean> {
  const head = await reader.peek(10);
  if (head.length < 10 || head[0] !== 0x49 || head[1] !== 0x44 || head[2] !== 0x33) return false;
  // Seven bits a byte.
  const size = (head[6]! << 21) | (head[7]! << 14) | (head[8]! << 7) | head[9]!;
  await reader.skip(10 + size + (head[5]! & 0x10 ? 10 : 0));
  return true;
}
