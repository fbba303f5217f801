import decode from "@audio/decode";
import { AudioFormatError, NonFiniteSamplesError } from "../core/errors.ts";
import type { PcmAudio } from "./pcm.ts";
import { isWav, readWav } from "./wav.ts";

const KNOWN =
  "wavepool reads WAV, FLAC, MP3, Ogg Vorbis, Opus, AAC/M4A, WebM, AIFF and others; convert it with ffmpeg";

/**
 * Decodes a sound file, recognised by its first bytes: WAV by wavepool's own reader, everything else by
 * @audio/decode, whose codecs load when they are first needed.
 *
 * @param bytes the whole file
 * @throws AudioFormatError when the bytes are no sound that wavepool knows, or end before the first sample.
 * @throws NonFiniteSamplesError when a float file holds NaN or infinite samples.
 */
export async function decodeAudio(bytes: Uint8Array): Promise<PcmAudio> {
  if (bytes.length === 0) throw new AudioFormatError("the file is empty; give a sound file");
  const audio = isWav(bytes) ? readWav(bytes) : await decodeByLibrary(bytes);
  assertFinite(audio);
  return audio;
}

async function decodeByLibrary(bytes: Uint8Array): Promise<PcmAudio> {
  const { channelData, sampleRate } = await runCodec(bytes);
  const length = channelData[0]?.length ?? 0;
  if (length === 0 || !(sampleRate > 0)) {
    throw new AudioFormatError(
      "the file ends before its first sample: it is cut off or damaged; fetch or record it again",
    );
  }
  return { sampleRate, channels: channelData };
}

async function runCodec(bytes: Uint8Array): Promise<{ channelData: Float32Array[]; sampleRate: number }> {
  try {
    return await decode(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (reason === "Unknown audio format")
      throw new AudioFormatError(`no sound file that wavepool knows; ${KNOWN}`, { cause });
    throw new AudioFormatError(`the file does not decode (${reason}); ${KNOWN}`, { cause });
  }
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
