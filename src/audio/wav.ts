import { assertBytes } from "../core/arguments.ts";
import { AudioFormatError } from "../core/errors.ts";
import { MAX_CHANNELS, MAX_RATE, MIN_RATE, type PcmAudio } from "./pcm.ts";

/** Format tags, RFC 2361. */
const TAG_PCM = 0x0001;
const TAG_FLOAT = 0x0003;
const TAG_EXTENSIBLE = 0xfffe;
const CONVERT = "convert it to PCM first (ffmpeg -i in.wav -c:a pcm_s16le out.wav)";
const AGAIN = "copy or record it again";
/** What follows the tag in the sub-format GUID of extensible files: KSDATAFORMAT_SUBTYPE_*. */
const GUID_TAIL = [0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113];

interface WavFormat {
  float: boolean;
  channels: number;
  sampleRate: number;
  bits: number;
  /** Bytes of one sample of all channels. */
  frameBytes: number;
}

/** Whether the bytes begin as a RIFF WAVE file of any flavour. */
export function isWav(bytes: Uint8Array): boolean {
  const magic = fourCc(bytes, 0);
  return magic === "RIFF" || magic === "RIFX" || magic === "RF64";
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
  let format: WavFormat | undefined;
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
    if (id === "fmt ") format = readFormat(view, body, size);
    at = body + size + (size & 1);
  }
  throw new AudioFormatError(
    `the WAV header is cut off after ${bytes.length} bytes: no data chunk; ${AGAIN}`,
  );
}

function readFormat(view: DataView, body: number, size: number): WavFormat {
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
  return { float, channels, sampleRate, bits, frameBytes };
}

function readData(view: DataView, body: number, size: number, format: WavFormat): PcmAudio {
  const there = view.byteLength - body;
  if (size > there) {
    throw new AudioFormatError(
      `the WAV is cut off: its data chunk claims ${size} bytes, ${there} are there; write it again to a file that can be rewound (ffmpeg -i in.wav out.wav)`,
    );
  }
  const length = Math.floor(size / format.frameBytes);
  if (length === 0) throw new AudioFormatError("the WAV holds no samples; record it again");
  const read = sampleReader(view, format);
  const channels = Array.from({ length: format.channels }, (_, c) => {
    const samples = new Float32Array(length);
    let at = body + (c * format.bits) / 8;
    for (let i = 0; i < length; i++, at += format.frameBytes) samples[i] = read(at);
    return samples;
  });
  return { sampleRate: format.sampleRate, channels };
}

function sampleReader(view: DataView, { float, bits }: WavFormat): (at: number) => number {
  if (float) return bits === 32 ? (at) => view.getFloat32(at, true) : (at) => view.getFloat64(at, true);
  switch (bits) {
    case 8:
      // The one unsigned width.
      return (at) => (view.getUint8(at) - 128) / 128;
    case 16:
      return (at) => view.getInt16(at, true) / 32768;
    case 24:
      return (at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 65536) / 8388608;
    default:
      return (at) => view.getInt32(at, true) / 2147483648;
  }
}

function fourCc(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
