import type { ByteReader } from "./byte-reader.ts";
import { concatBytes } from "./byte-reader.ts";

/** Bytes of a page's header before its table of segments. */
const HEADER = 27;
/** The longest page: 255 segments of 255 bytes. */
const MAX_PAGE = HEADER + 255 + 255 * 255;

/** The pages of an Ogg stream (RFC 3533), each of which carries a checksum. */
export interface OggPages {
  /** Takes bytes; returns the pages that are complete and whole with them. What follows a damaged page is dropped. */
  push(bytes: Uint8Array): Uint8Array;
  /** What is wrong with the stream, now that it is over, or undefined. */
  fault(): string | undefined;
  /** What is wrong with a page that came already. */
  readonly damage: string | undefined;
}

/** Begins at the first page of a stream. */
export function createOggPages(): OggPages {
  let held = new Uint8Array(0);
  let page = 1;
  let ended = false;
  let over = false;
  let damage: string | undefined;

  return {
    get damage() {
      return damage;
    },
    push(bytes) {
      if (over) return held;
      const data = held.length === 0 ? bytes : concatBytes([held, bytes], held.length + bytes.length);
      let at = 0;
      while (at + HEADER <= data.length) {
        if (!isAt(data, at, "OggS")) {
          over = true; // what follows the last page is none of ours
          break;
        }
        const length = pageLength(data, at);
        if (length === undefined || at + length > data.length) break;
        const view = new DataView(data.buffer, data.byteOffset + at, length);
        if (oggChecksum(data, at, length) !== view.getUint32(22, true)) {
          damage = `page ${page} is damaged`;
          over = true;
          break;
        }
        ended = (data[at + 5]! & 4) !== 0;
        at += length;
        page++;
      }
      held = over ? new Uint8Array(0) : data.slice(at);
      return data.subarray(0, at);
    },
    fault() {
      if (damage !== undefined) return damage;
      if (held.length >= HEADER) return `page ${page} is cut off`;
      return ended ? undefined : "its last page does not end the stream";
    },
  };
}

/** Bytes of the page at `at`, or undefined where its table of segments is not there yet. */
function pageLength(data: Uint8Array, at: number): number | undefined {
  const segments = data[at + 26]!;
  if (at + HEADER + segments > data.length) return undefined;
  let length = HEADER + segments;
  for (let i = 0; i < segments; i++) length += data[at + HEADER + i]!;
  return length;
}

/** CRC-32 of polynomial 0x04c11db7, not reflected, over a page with its checksum field taken as zero. */
function oggChecksum(bytes: Uint8Array, at: number, length: number): number {
  let crc = 0;
  for (let i = 0; i < 22; i++) crc = (crc << 8) ^ CRC_TABLE[((crc >>> 24) ^ bytes[at + i]!) & 255]!;
  for (let i = 22; i < 26; i++) crc = (crc << 8) ^ CRC_TABLE[crc >>> 24]!;
  for (let i = 26; i < length; i++) crc = (crc << 8) ^ CRC_TABLE[((crc >>> 24) ^ bytes[at + i]!) & 255]!;
  return crc >>> 0;
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, i) => {
  let crc = i << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc;
});

/**
 * Seconds of an Ogg stream of Vorbis or Opus: the position that its last page ends at (RFC 3533, section 6;
 * RFC 7845, section 4), where the source can be read from anywhere.
 */
export async function oggDuration(reader: ByteReader): Promise<number | undefined> {
  const { size, readAt } = reader;
  if (size === undefined || readAt === undefined) return undefined;
  const first = (await reader.peek(HEADER + 1 + 19)).slice();
  const tail = await readAt(Math.max(0, size - MAX_PAGE), MAX_PAGE);
  if (first.length < HEADER + 20) return undefined;
  const head = new DataView(first.buffer);
  const serial = head.getUint32(14, true);
  const opus = isAt(first, HEADER + 1, "OpusHead");
  const rate = opus ? 48000 : head.getUint32(HEADER + 1 + 12, true);
  const preSkip = opus ? head.getUint16(HEADER + 1 + 10, true) : 0;
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  for (let at = tail.length - HEADER; at >= 0; at--) {
    if (!isAt(tail, at, "OggS") || view.getUint32(at + 14, true) !== serial) continue;
    const position = view.getBigInt64(at + 6, true);
    if (position < 0n) continue; // no packet ends on this page
    const seconds = (Number(position) - preSkip) / rate;
    return seconds > 0 && rate > 0 ? seconds : undefined;
  }
  return undefined;
}

/** Whether `text` stands at a byte. */
export function isAt(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
