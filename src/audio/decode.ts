import { assertBytes } from "../core/arguments.ts";
import { AudioFormatError } from "../core/errors.ts";
import {
  checkLayout,
  codecOf,
  type Decoded,
  endsEarly,
  formatName,
  formatOf,
  REPAIR,
  rescaleFlac,
  signBytes,
  tooFewSamples,
  undecodable,
} from "./codecs.ts";
import { aiffIsBytes, declaredLength, flacBits, oggFault } from "./completeness.ts";
import { assertSamples, type PcmAudio } from "./pcm.ts";
import { isWav, readWav } from "./wav.ts";

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
  // Codecs copy by `slice`, and that of Node's Buffer makes a view.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const audio = isWav(bytes) ? readWav(bytes) : await decodeByCodec(plain);
  assertSamples(audio);
  return audio;
}

async function decodeByCodec(bytes: Uint8Array): Promise<PcmAudio> {
  const type = formatOf(bytes);
  const load = codecOf(type);
  const fault = type === "oga" || type === "opus" ? oggFault(bytes) : undefined;
  if (fault) {
    throw new AudioFormatError(`the ${formatName(type)} file is cut off or damaged: ${fault}; ${REPAIR}`);
  }
  const codec = await load();
  let decoded: Decoded;
  try {
    decoded = await codec.default(bytes);
  } catch (cause) {
    throw undecodable(type, cause);
  }
  const { channelData: channels, sampleRate, errors } = decoded;
  const length = channels[0]?.length ?? 0;
  if (length === 0 || !(sampleRate > 0)) throw endsEarly(type);
  // AAC's only counts them, with the first, which primes its filters and is never heard.
  if (Array.isArray(errors) && errors.length > 0) {
    throw new AudioFormatError(
      `the ${formatName(type)} file is damaged: ${errors.length} of its frames do not decode; ${REPAIR}`,
    );
  }
  const declared = declaredLength(type, bytes);
  if (declared !== undefined && length < declared) throw tooFewSamples(type, declared, length);
  checkLayout(type, channels.length, sampleRate);
  if (type === "flac") rescaleFlac(channels, flacBits(bytes));
  if (type === "aiff" && aiffIsBytes(bytes)) signBytes(channels);
  // Old Macintosh rates such as 22254.545 Hz are fractions; a pitch off by 2e-5 is heard by nobody.
  return { sampleRate: Math.round(sampleRate), channels };
}
