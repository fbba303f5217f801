import { assertBytes } from "../core/arguments.ts";
import { AudioFormatError } from "../core/errors.ts";
import { MAX_CHANNELS, MAX_RATE, MIN_RATE, type PcmAudio } from "./pcm.ts";
import { frameBytesOf, type PcmLayout, sampleReader } from "./pcm-layout.ts";

/** Format tags, RFC 2361. */
const TAG_PCM = 0x0001;
const TAG_FLOAT = 0x0003;
const TAG_EXTENSIBLE = 0xfffe;
const CONVERT = "convert it to PCM first (ffmpeg -i in.wav -c:a pcm_s16le out.wav)";
export const NO_SAMPLES = "the WAV holds no samples; record it again";
const AGAIN = "copy or record it again";
/** What follows the tag in the sub-format GUID of extensible files: KSDATAFORMAT_SUBTYPE_*. */
const GUID_TAIL = [0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113];

/** Whether the bytes begin as a RIFF WAVE file of any flavour. */
export function isWav(bytes: Uint8Array): boolean {
  const magic = fourCc(bytes, 0);
  return magic === "RIFF" || magic === "RIFX" || magic === "RF64" || magic === "BW64";
}

/**
 * Reads a WAV file: PCM of 8, 16, 24 or 32 bits or float of 32 or 64 bits, plain or extensible, 1 to 8
 * channels. The layout is that of "Multimedia Programming Interface and Data Specifications 1.0"
 * (IBM and Microsoft 1991) with WAVE_FORMAT_EXTENSIBLE.
 *
 * @returns channels as float32; integers are scaled by their full range to -1 … 1.
 * @throws AudioFormatError naming what is wrong with the file.
 */
export function readWav(bytes: Uint8Array): PcmAudio {
  assertBytes(bytes);
  const magic = fourCc(bytes, 0);
  if (magic !== "RIFF")
    throw new AudioFormatError(
      `${bytes.length < 4 ? "cut-off" : JSON.stringify(magic)} files are not supported; ${CONVERT}`,
    );
  if (bytes.length < 12)
    throw new AudioFormatError(`the WAV header is cut off after ${bytes.length} bytes; ${AGAIN}`);
  if (fourCc(bytes, 8) !== "WAVE")
    throw new AudioFormatError(`a RIFF file of type "${fourCc(bytes, 8)}", not WAVE; ${CONVERT}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let format: PcmLayout | undefined;
  let at = 12;
  while (at + 8 <= bytes.length) {
    const id = fourCc(bytes, at);
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (id === "data") {
      if (!format) throw new AudioFormatError(`the WAV has no "fmt " chunk before its data; ${AGAIN}`);
      return readData(view, body, size, format);
    }
    if (body + size > bytes.length) {
      throw new AudioFormatError(
        `the WAV header is cut off: chunk "${id}" claims ${size} bytes, ${bytes.length - body} are there; ${AGAIN}`,
      );
    }
    if (id === "fmt ") format = readWavFormat(view, body, size);
    at = body + size + (size & 1);
  }
  throw new AudioFormatError(
    `the WAV header is cut off after ${bytes.length} bytes: no data chunk; ${AGAIN}`,
  );
}

/**
 * Reads the body of a "fmt " chunk: `size` bytes from `body` on, of which the first 40 have to be there.
 *
 * @throws AudioFormatError when it is none that wavepool reads.
 */
export function readWavFormat(view: DataView, body: number, size: number): PcmLayout {
  if (size < 16)
    throw new AudioFormatError(`the WAV's "fmt " chunk has ${size} bytes, at least 16 are needed; ${AGAIN}`);
  let tag = view.getUint16(body, true);
  const channels = view.getUint16(body + 2, true);
  const sampleRate = view.getUint32(body + 4, true);
  const frameBytes = view.getUint16(body + 12, true);
  const bits = view.getUint16(body + 14, true);
  if (tag === TAG_EXTENSIBLE) {
    if (size < 40)
      throw new AudioFormatError(
        `the WAV's extensible "fmt " chunk has ${size} bytes, 40 are needed; ${AGAIN}`,
      );
    // The first two bytes of the sub-format GUID are the plain tag.
    tag = view.getUint16(body + 24, true);
    if (GUID_TAIL.some((byte, i) => view.getUint8(body + 26 + i) !== byte)) {
      throw new AudioFormatError(`unknown sub-format in the WAV's extensible "fmt " chunk; ${CONVERT}`);
    }
  }
  if (tag !== TAG_PCM && tag !== TAG_FLOAT) {
    throw new AudioFormatError(`unknown WAV codec 0x${tag.toString(16).padStart(4, "0")}; ${CONVERT}`);
  }
  if (channels < 1 || channels > MAX_CHANNELS) {
    throw new AudioFormatError(
      `the WAV has ${channels} channels; 1 to ${MAX_CHANNELS} are supported; mix it down (ffmpeg -i in.wav -ac 2 out.wav)`,
    );
  }
  if (sampleRate < MIN_RATE || sampleRate > MAX_RATE) {
    throw new AudioFormatError(
      `the WAV's sample rate is ${sampleRate} Hz; ${MIN_RATE} to ${MAX_RATE} are supported; ${CONVERT}`,
    );
  }
  const float = tag === TAG_FLOAT;
  const supported = float ? [32, 64] : [8, 16, 24, 32];
  if (!supported.includes(bits)) {
    throw new AudioFormatError(
      `the WAV has ${bits}-bit ${float ? "float" : "PCM"} samples; ${supported.join(", ")} bits are supported; ${CONVERT}`,
    );
  }
  if (frameBytes !== (channels * bits) / 8) {
    throw new AudioFormatError(
      `the WAV's block of ${frameBytes} bytes does not hold ${channels} channels of ${bits} bits; ${CONVERT}`,
    );
  }
  // Eight bits are the one unsigned width.
  const kind = float ? "float" : bits === 8 ? "unsigned" : "signed";
  return { kind, bits, bigEndian: false, channels, sampleRate };
}

function readData(view: DataView, body: number, size: number, format: PcmLayout): PcmAudio {
  const there = view.byteLength - body;
  if (size > there) {
    throw new AudioFormatError(
      `the WAV is cut off: its data chunk claims ${size} bytes, ${there} are there; write it again to a file that can be rewound (ffmpeg -i in.wav out.wav)`,
    );
  }
  const frameBytes = frameBytesOf(format);
  const length = Math.floor(size / frameBytes);
  if (length === 0) throw new AudioFormatError(NO_SAMPLES);
  const read = sampleReader(view, format);
  const channels = Array.from({ length: format.channels }, (_, c) => {
    const samples = new Float32Array(length);
    let at = body + (c * format.bits) / 8;
    for (let i = 0; i < length; i++, at += frameBytes) samples[i] = read(at);
    return samples;
  });
  return { sampleRate: format.sampleRate, channels };
}

/** Four characters that name a chunk. */
export function fourCc(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
