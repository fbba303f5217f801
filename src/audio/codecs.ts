import audioType from "audio-type";
import { AudioFormatError, messageOf } from "../core/errors.ts";
import { MAX_CHANNELS, MAX_RATE, MIN_RATE } from "./pcm.ts";

/** Sound as the codec packages give it. */
export interface Decoded {
  channelData: Float32Array[];
  sampleRate: number;
  /** Frames that did not decode; the sound goes on without them. */
  errors?: { message: string }[] | number;
}

/** A codec that takes a file piece by piece; MP4 and Matroska load the codec inside them, and so may wait. */
export interface StreamCodec {
  decode(bytes: Uint8Array): Decoded | Promise<Decoded>;
  flush?(): Decoded | Promise<Decoded>;
  free(): void;
}

/** A codec package of the audiojs project. */
export interface Codec {
  default(bytes: Uint8Array): Decoded | Promise<Decoded>;
  decoder(): StreamCodec | Promise<StreamCodec>;
}

/**
 * Codecs by the format names of audio-type; each loads when it is first needed. They are the packages
 * behind @audio/decode, which itself names one that is not published and so breaks every bundler.
 */
const CODECS: Record<string, () => Promise<Codec>> = {
  flac: () => import("@audio/decode-flac"),
  mp3: () => import("@audio/decode-mp3"),
  oga: () => import("@audio/decode-vorbis"),
  opus: () => import("@audio/decode-opus"),
  m4a: () => import("@audio/decode-mp4"),
  mp4: () => import("@audio/decode-mp4"),
  mov: () => import("@audio/decode-mp4"),
  aac: () => import("@audio/decode-aac"),
  webm: () => import("@audio/decode-webm"),
  mkv: () => import("@audio/decode-webm"),
  aiff: () => import("@audio/decode-aiff"),
};
/** Names that a user knows better. */
const NAMES: Record<string, string> = { oga: "Ogg Vorbis", mov: "QuickTime", mkv: "Matroska" };
const KNOWN =
  "wavepool reads WAV, FLAC, MP3, Ogg Vorbis, Opus, AAC, M4A, MP4, WebM and AIFF; convert it first (ffmpeg -i in out.wav)";
export const REPAIR = "fetch it again, or keep what is there with ffmpeg -i in out.wav";

/**
 * The format that a file's first bytes show, by the names of audio-type.
 *
 * @throws AudioFormatError when they show none.
 */
export function formatOf(bytes: Uint8Array): string {
  // audio-type looks at the whole buffer under a view.
  const type = audioType(bytes.byteOffset === 0 ? bytes : bytes.slice());
  if (type !== undefined) return type;
  throw new AudioFormatError(`no sound file that wavepool knows; ${KNOWN}`);
}

/**
 * The codec for a format, yet to be loaded.
 *
 * @throws AudioFormatError when there is none.
 */
export function codecOf(type: string): () => Promise<Codec> {
  const load = CODECS[type];
  if (load) return load;
  throw new AudioFormatError(`no codec for ${type} files; ${KNOWN}`);
}

/** What users call a format. */
export function formatName(type: string): string {
  return NAMES[type] ?? type.toUpperCase();
}

/** The error for what a codec threw. */
export function undecodable(type: string, cause: unknown): AudioFormatError {
  return new AudioFormatError(
    `the ${formatName(type)} file does not decode (${messageOf(cause)}); fetch it again`,
    { cause },
  );
}

/** The error for a file that has to be held in memory and is too large for that. */
export function tooLargeToHold(type: string, limit: number, way: string): AudioFormatError {
  return new AudioFormatError(
    `the ${formatName(type)} file does not stream as it is, and more than ${limit} bytes of it would have to be held; ${way}`,
  );
}

/** The error for a file without sound. */
export function endsEarly(type: string): AudioFormatError {
  return new AudioFormatError(
    `the ${formatName(type)} file ends before its first sample: cut off, damaged or of an unknown codec; ${KNOWN}`,
  );
}

/** The error for a file that holds less sound than it says. */
export function tooFewSamples(type: string, declared: number, length: number): AudioFormatError {
  return new AudioFormatError(
    `the ${formatName(type)} file is cut off or damaged: it declares ${declared} samples, ${length} decode; ${REPAIR}`,
  );
}

/**
 * Checks how many channels a file has, and at what rate.
 *
 * @throws AudioFormatError when wavepool takes no such sound.
 */
export function checkLayout(type: string, channels: number, sampleRate: number): void {
  if (channels <= MAX_CHANNELS && sampleRate >= MIN_RATE && sampleRate <= MAX_RATE) return;
  throw new AudioFormatError(
    `the ${formatName(type)} file has ${channels} channels at ${sampleRate} Hz; up to ${MAX_CHANNELS} channels at ${MIN_RATE} to ${MAX_RATE} Hz are supported; convert it (ffmpeg -i in -ac 2 -ar 48000 out.wav)`,
  );
}

/** The FLAC codec divides by 2^(bits-1) - 1; WAV and all others divide by 2^(bits-1). */
export function rescaleFlac(channels: Float32Array[], bits: number | undefined): void {
  if (bits === undefined) return;
  const scale = (2 ** (bits - 1) - 1) / 2 ** (bits - 1);
  for (const samples of channels) for (let i = 0; i < samples.length; i++) samples[i]! *= scale;
}

/** The AIFF codec takes samples of eight bits for unsigned; they are not. */
export function signBytes(channels: Float32Array[]): void {
  for (const samples of channels) {
    for (let i = 0; i < samples.length; i++) samples[i]! += samples[i]! < 0 ? 1 : -1;
  }
}
