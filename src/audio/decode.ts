import audioType from "audio-type";
import { assertBytes } from "../core/arguments.ts";
import { AudioFormatError, messageOf } from "../core/errors.ts";
import { declaredLength, flacBits, oggFault } from "./completeness.ts";
import { assertSamples, MAX_CHANNELS, MAX_RATE, MIN_RATE, type PcmAudio } from "./pcm.ts";
import { isWav, readWav } from "./wav.ts";

type Codec = { default(bytes: Uint8Array): Decoded | Promise<Decoded> };
interface Decoded {
  channelData: Float32Array[];
  sampleRate: number;
  /** Frames that did not decode; the sound goes on without them. */
  errors?: { message: string }[];
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
const REPAIR = "fetch it again, or keep what is there with ffmpeg -i in out.wav";

/**
 * Decodes a sound file, recognised by its first bytes: WAV by wavepool's own reader, everything else by
 * the codec packages of the audiojs project.
 *
 * @param bytes the whole file
 * @throws InvalidArgumentError when `bytes` is no Uint8Array.
 * @throws AudioFormatError when the bytes are no sound that wavepool knows, or are damaged or cut off. MP3
 * without a Xing header, WebM and MP4 declare no length that is checked: cut off, they decode as far as they go.
 * @throws NonFiniteSamplesError, InvalidArgumentError when a float file holds NaN, infinite or absurdly large samples.
 */
export async function decodeAudio(bytes: Uint8Array): Promise<PcmAudio> {
  assertBytes(bytes);
  if (bytes.length === 0) throw new AudioFormatError("the file is empty; give a sound file");
  const audio = isWav(bytes) ? readWav(bytes) : await decodeByCodec(bytes);
  assertSamples(audio);
  return audio;
}

async function decodeByCodec(bytes: Uint8Array): Promise<PcmAudio> {
  const type = audioType(bytes);
  if (type === undefined) throw new AudioFormatError(`no sound file that wavepool knows; ${KNOWN}`);
  const load = CODECS[type];
  if (!load) throw new AudioFormatError(`no codec for ${type} files; ${KNOWN}`);
  const name = NAMES[type] ?? type.toUpperCase();
  const fault = type === "oga" || type === "opus" ? oggFault(bytes) : undefined;
  if (fault) throw new AudioFormatError(`the ${name} file is cut off or damaged: ${fault}; ${REPAIR}`);
  const codec = await load();
  let decoded: Decoded;
  try {
    decoded = await codec.default(bytes);
  } catch (cause) {
    throw new AudioFormatError(`the ${name} file does not decode (${messageOf(cause)}); fetch it again`, {
      cause,
    });
  }
  const { channelData: channels, sampleRate, errors = [] } = decoded;
  const length = channels[0]?.length ?? 0;
  if (length === 0 || !(sampleRate > 0)) {
    throw new AudioFormatError(
      `the ${name} file ends before its first sample: cut off, damaged or of an unknown codec; ${KNOWN}`,
    );
  }
  if (errors.length > 0) {
    throw new AudioFormatError(
      `the ${name} file is damaged: ${errors.length} of its frames do not decode; ${REPAIR}`,
    );
  }
  const declared = declaredLength(type, bytes);
  if (declared !== undefined && length < declared) {
    throw new AudioFormatError(
      `the ${name} file is cut off or damaged: it declares ${declared} samples, ${length} decode; ${REPAIR}`,
    );
  }
  if (channels.length > MAX_CHANNELS || sampleRate < MIN_RATE || sampleRate > MAX_RATE) {
    throw new AudioFormatError(
      `the ${name} file has ${channels.length} channels at ${sampleRate} Hz; up to ${MAX_CHANNELS} channels at ${MIN_RATE} to ${MAX_RATE} Hz are supported; convert it (ffmpeg -i in -ac 2 -ar 48000 out.wav)`,
    );
  }
  if (type === "flac") rescaleFlac(channels, flacBits(bytes));
  // Old Macintosh rates such as 22254.545 Hz are fractions; a pitch off by 2e-5 is heard by nobody.
  return { sampleRate: Math.round(sampleRate), channels };
}

/** The FLAC codec divides by 2^(bits-1) - 1; WAV and all others divide by 2^(bits-1). */
function rescaleFlac(channels: Float32Array[], bits: number | undefined): void {
  if (bits === undefined) return;
  const scale = (2 ** (bits - 1) - 1) / 2 ** (bits - 1);
  for (const samples of channels) for (let i = 0; i < samples.length; i++) samples[i]! *= scale;
}
