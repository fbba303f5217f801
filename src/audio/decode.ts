import audioType from "audio-type";
import { AudioFormatError, NonFiniteSamplesError } from "../core/errors.ts";
import type { PcmAudio } from "./pcm.ts";
import { isWav, readWav } from "./wav.ts";

type Codec = { default(bytes: Uint8Array): Decoded | Promise<Decoded> };
interface Decoded {
  channelData: Float32Array[];
  sampleRate: number;
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
const KNOWN =
  "wavepool reads WAV, FLAC, MP3, Ogg Vorbis, Opus, AAC, M4A, MP4, WebM and AIFF; convert it first (ffmpeg -i in out.wav)";

/**
 * Decodes a sound file, recognised by its first bytes: WAV by wavepool's own reader, everything else by
 * the codec packages of the audiojs project.
 *
 * @param bytes the whole file
 * @throws AudioFormatError when the bytes are no sound that wavepool knows, or end before the first sample.
 * @throws NonFiniteSamplesError when a float file holds NaN or infinite samples.
 */
export async function decodeAudio(bytes: Uint8Array): Promise<PcmAudio> {
  if (bytes.length === 0) throw new AudioFormatError("the file is empty; give a sound file");
  const audio = isWav(bytes) ? readWav(bytes) : await decodeByCodec(bytes);
  assertFinite(audio);
  return audio;
}

async function decodeByCodec(bytes: Uint8Array): Promise<PcmAudio> {
  const type = audioType(bytes);
  if (type === undefined) throw new AudioFormatError(`no sound file that wavepool knows; ${KNOWN}`);
  const load = CODECS[type];
  if (!load) throw new AudioFormatError(`no codec for ${type} files; ${KNOWN}`);
  const codec = await load();
  let decoded: Decoded;
  try {
    decoded = await codec.default(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AudioFormatError(`the ${type} file does not decode (${reason}); fetch or record it again`, {
      cause,
    });
  }
  const { channelData: channels, sampleRate } = decoded;
  if (!(sampleRate > 0) || (channels[0]?.length ?? 0) === 0) {
    throw new AudioFormatError(
      `the ${type} file ends before its first sample: it is cut off or damaged; fetch or record it again`,
    );
  }
  return { sampleRate, channels };
}

/** Only float files can hold them; caught here, before resampling smears one over its neighbours. */
function assertFinite({ channels, sampleRate }: PcmAudio): void {
  channels.forEach((samples, c) => {
    const first = samples.findIndex((x) => !Number.isFinite(x));
    if (first < 0) return;
    const count = samples.reduce((n, x) => (Number.isFinite(x) ? n : n + 1), 0);
    throw new NonFiniteSamplesError(
      `${count} of ${samples.length} samples are NaN or infinite, the first at ${(first / sampleRate).toFixed(3)} s of channel ${c + 1}; clean or re-record the clip`,
      count,
      first,
    );
  });
}
