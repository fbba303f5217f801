import { AudioFormatError } from "../core/errors.ts";
import type { ByteReader } from "./byte-reader.ts";
import { checkLayout } from "./codecs.ts";
import { frameBytesOf, type PcmLayout } from "./pcm-layout.ts";
import type { PcmStream } from "./pcm-source.ts";
import { fourCc } from "./wav.ts";

const CONVERT = "convert it to PCM first (ffmpeg -i in.aiff out.wav)";
/** Bytes of a COMM chunk that are looked at. */
const COMM_BYTES = 22;

/** Encodings of AIFF-C whose samples hang together over blocks; the codec package takes them whole. */
const BLOCKWISE = new Set(["ima4", "gsm "]);
/** Bytes in which a COMM chunk is looked for before the file is read. */
const LOOK = 4096;

/** Whether the samples of an AIFF are of a kind that {@link openAiff} reads. Takes nothing from the reader. */
export async function streamsAsAiff(reader: ByteReader): Promise<boolean> {
  const bytes = await reader.peek(LOOK);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 12; at + 8 + COMM_BYTES <= bytes.length; ) {
    const size = view.getUint32(at + 4);
    if (fourCc(bytes, at) === "COMM") {
      return size < COMM_BYTES || !BLOCKWISE.has(fourCc(bytes, at + 8 + 18).toLowerCase());
    }
    at += 8 + size + (size & 1);
  }
  return true;
}

/**
 * Reads an AIFF or AIFF-C header up to the samples, after "Audio Interchange File Format 1.3" (Apple 1989)
 * and "AIFF-C" (Apple 1991): PCM of 8 to 32 bits in either order of bytes, float, A-law and µ-law.
 *
 * @param reader stands at the file's first byte; afterwards at the first sample.
 * @throws AudioFormatError naming what is wrong with the header.
 */
export async function openAiff(reader: ByteReader): Promise<PcmStream> {
  await reader.skip(12);
  let common: { layout: PcmLayout; frames: number } | undefined;
  for (;;) {
    const head = (await reader.peek(8)).slice();
    if (head.length < 8) {
      throw new AudioFormatError(`the AIFF header is cut off: no samples; copy or record it again`);
    }
    const id = fourCc(head, 0);
    const size = new DataView(head.buffer).getUint32(4);
    await reader.skip(8);
    if (id === "SSND") {
      if (!common) throw new AudioFormatError(`the AIFF has its samples before its COMM chunk; ${CONVERT}`);
      const start = (await reader.peek(8)).slice();
      const offset = start.length < 8 ? 0 : new DataView(start.buffer).getUint32(0);
      await reader.skip(8 + offset);
      return aiffStream(common.layout, common.frames);
    }
    if (id === "COMM") common = readCommon((await reader.peek(Math.min(size, COMM_BYTES))).slice());
    await reader.skip(size + (size & 1));
  }
}

function readCommon(body: Uint8Array<ArrayBuffer>): { layout: PcmLayout; frames: number } {
  if (body.length < 18) throw new AudioFormatError(`the AIFF's COMM chunk is too short; ${CONVERT}`);
  const view = new DataView(body.buffer);
  const channels = view.getUint16(0);
  const rate = Math.round(readExtended(view, 8));
  const encoding = body.length >= COMM_BYTES ? fourCc(body, 18) : "NONE";
  checkLayout("aiff", channels, rate);
  const kind = encodingOf(encoding, Math.ceil(view.getUint16(6) / 8) * 8);
  const frames = view.getUint32(2);
  if (channels < 1 || frames < 1) {
    throw new AudioFormatError(`the AIFF has ${frames} frames of ${channels} channels; record it again`);
  }
  return { layout: { ...kind, channels, sampleRate: rate }, frames };
}

/** Samples narrower than their bytes lie at the top of them, so they read as if they were as wide. */
function encodingOf(encoding: string, bits: number): Pick<PcmLayout, "kind" | "bits" | "bigEndian"> {
  switch (encoding.toLowerCase()) {
    case "none":
    case "twos":
    case "sowt":
      if (bits < 8 || bits > 32) break;
      return { kind: "signed", bits, bigEndian: encoding !== "sowt" };
    case "raw ":
      if (bits === 8) return { kind: "unsigned", bits, bigEndian: true };
      break;
    case "fl32":
      return { kind: "float", bits: 32, bigEndian: true };
    case "fl64":
      return { kind: "float", bits: 64, bigEndian: true };
    case "alaw":
      return { kind: "alaw", bits: 8, bigEndian: true };
    case "ulaw":
      return { kind: "ulaw", bits: 8, bigEndian: true };
  }
  throw new AudioFormatError(`AIFF-C of encoding "${encoding}" and ${bits} bits does not stream; ${CONVERT}`);
}

/** An extended float of 80 bits: sign, 15 bits of exponent, 64 of mantissa with its leading one. */
function readExtended(view: DataView, at: number): number {
  const exponent = view.getUint16(at) & 0x7fff;
  const mantissa = view.getUint32(at + 2) * 2 ** 32 + view.getUint32(at + 6);
  return mantissa * 2 ** (exponent - 16383 - 63);
}

function aiffStream(layout: PcmLayout, frames: number): PcmStream {
  const frameBytes = frameBytesOf(layout);
  return {
    format: "AIFF",
    layout,
    dataBytes: frames * frameBytes,
    fault: (there) =>
      new AudioFormatError(
        `the AIFF file is cut off or damaged: it declares ${frames} samples, ${Math.floor(there / frameBytes)} are there; fetch it again, or keep what is there with ffmpeg -i in out.wav`,
      ),
  };
}
