import { AudioFormatError } from "../core/errors.ts";
import { concatBytes } from "./byte-reader.ts";
import { REPAIR } from "./codecs.ts";
import { isAt } from "./ogg-pages.ts";

/** More bytes than the longest frame has: 65535 samples of 32 bits in eight channels. */
const LONGEST_FRAME = 4 * 2 ** 20;
/** Bytes that a frame's header has at most. */
const LONGEST_HEADER = 16;
/** Bytes of an ID3v1 tag. */
const TAG_BYTES = 128;

/** The frames of a FLAC stream. The codec's own parser loses frames whose header comes in two pieces. */
export interface FlacFrames {
  /**
   * Takes bytes; returns the frames that are complete with them.
   *
   * @throws AudioFormatError when there are more bytes than a frame can have.
   */
  push(bytes: Uint8Array): Uint8Array;
  /**
   * The last frame, now that the stream is over.
   *
   * @throws AudioFormatError when it is cut off or damaged.
   */
  end(): Uint8Array;
}

/** Begins at the first frame: a frame ends where its CRC-16 comes out and another header follows (RFC 9639, section 9). */
export function createFlacFrames(): FlacFrames {
  let held = new Uint8Array(0);
  let scanned = 0;
  let crc = 0;

  return {
    push(bytes) {
      const data = held.length === 0 ? bytes : concatBytes([held, bytes], held.length + bytes.length);
      let whole = 0;
      // A header that may still be cut waits for its rest.
      const end = data.length - LONGEST_HEADER;
      for (; scanned < end; scanned++) {
        if (crc === 0 && scanned > whole && isHeader(data, scanned)) whole = scanned;
        crc = CRC_TABLE[(crc >> 8) ^ data[scanned]!]! ^ ((crc << 8) & 0xffff);
      }
      held = data.slice(whole);
      scanned -= whole;
      if (held.length > LONGEST_FRAME) {
        throw new AudioFormatError(
          `the FLAC file is damaged: no frame ends within ${held.length} bytes; ${REPAIR}`,
        );
      }
      return data.subarray(0, whole);
    },
    end() {
      const tag = held.length - TAG_BYTES;
      const last = tag >= 0 && isAt(held, tag, "TAG") ? held.subarray(0, tag) : held;
      let rest = 0;
      for (const byte of last) rest = CRC_TABLE[(rest >> 8) ^ byte]! ^ ((rest << 8) & 0xffff);
      if (rest === 0) return last;
      throw new AudioFormatError(
        `the FLAC file is cut off or damaged: its last frame is not whole; ${REPAIR}`,
      );
    },
  };
}

/** Whether a frame header with a CRC-8 that comes out stands at a byte (RFC 9639, section 9.1). */
function isHeader(data: Uint8Array, at: number): boolean {
  if (data[at] !== 0xff || (data[at + 1]! & 0xfe) !== 0xf8) return false;
  const blockSize = data[at + 2]! >> 4;
  const rate = data[at + 2]! & 15;
  if (blockSize === 0 || rate === 15 || data[at + 3]! >> 4 > 10 || (data[at + 3]! & 1) !== 0) return false;
  // The frame's number is coded like a character of UTF-8: leading ones count its bytes.
  const lead = Math.clz32(~(data[at + 4]! << 24));
  if (lead === 1 || lead > 7) return false;
  let length = 4 + Math.max(1, lead);
  if (blockSize === 6) length += 1;
  if (blockSize === 7) length += 2;
  if (rate === 12) length += 1;
  if (rate === 13 || rate === 14) length += 2;
  let crc = 0;
  for (let i = 0; i <= length; i++) {
    crc ^= data[at + i]!;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x80 ? 0x107 : 0)) & 0xff;
  }
  return crc === 0;
}

/** CRC-16 of polynomial 0x8005, not reflected. */
const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, i) => {
  let crc = i << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x8005) & 0xffff : crc << 1;
  return crc;
});
