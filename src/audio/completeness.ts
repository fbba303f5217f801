/**
 * What a compressed file says of its own length, so that one that was cut off is told from a whole one:
 * codecs decode as far as they come and say nothing.
 */

/** Samples a channel that the file declares, or undefined where it declares none. */
export function declaredLength(type: string, bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type === "flac") return flacLength(bytes, view);
  if (type === "aiff") return aiffLength(bytes, view);
  if (type === "mp3") return mp3Length(bytes, view);
  return undefined;
}

/**
 * Walks the pages of an Ogg file (RFC 3533), each of which carries a checksum.
 *
 * @returns what is wrong with the file, or undefined.
 */
export function oggFault(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let ended = false;
  for (let page = 1; at + 27 <= bytes.length && isAt(bytes, at, "OggS"); page++) {
    const header = 27 + bytes[at + 26]!;
    const body = bytes.subarray(at + 27, at + header).reduce((sum, size) => sum + size, 0);
    if (at + header + body > bytes.length) return `page ${page} is cut off`;
    if (oggChecksum(bytes, at, header + body) !== view.getUint32(at + 22, true))
      return `page ${page} is damaged`;
    ended = (bytes[at + 5]! & 4) !== 0;
    at += header + body;
  }
  return ended ? undefined : "its last page does not end the stream";
}

/** CRC-32 of polynomial 0x04c11db7, not reflected, over a page with its checksum field taken as zero. */
function oggChecksum(bytes: Uint8Array, at: number, length: number): number {
  let crc = 0;
  for (let i = 0; i < length; i++) {
    const byte = i >= 22 && i < 26 ? 0 : bytes[at + i]!;
    crc = (crc << 8) ^ CRC_TABLE[((crc >>> 24) ^ byte) & 255]!;
  }
  return crc >>> 0;
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, i) => {
  let crc = i << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc;
});

/** Bits a sample of a FLAC file (RFC 9639, STREAMINFO). */
export function flacBits(bytes: Uint8Array): number | undefined {
  if (!isAt(bytes, 0, "fLaC") || bytes.length < 26) return undefined;
  return (((bytes[20]! & 1) << 4) | (bytes[21]! >> 4)) + 1;
}

function flacLength(bytes: Uint8Array, view: DataView): number | undefined {
  if (flacBits(bytes) === undefined) return undefined;
  // 36 bits; zero stands for unknown.
  return (bytes[21]! & 15) * 2 ** 32 + view.getUint32(22) || undefined;
}

/** The COMM chunk of "Audio Interchange File Format 1.3" (Apple 1989). */
function aiffLength(bytes: Uint8Array, view: DataView): number | undefined {
  let at = 12;
  while (at + 14 <= bytes.length) {
    if (isAt(bytes, at, "COMM")) return view.getUint32(at + 10);
    const size = view.getUint32(at + 4);
    at += 8 + size + (size & 1);
  }
  return undefined;
}

/** Frames counted in a Xing or Info header, less the four that encoders pad and gapless decoders trim. */
function mp3Length(bytes: Uint8Array, view: DataView): number | undefined {
  let at = 0;
  if (isAt(bytes, 0, "ID3") && bytes.length > 10) {
    // The size of an ID3v2 tag has seven bits a byte.
    at = 10 + (bytes[6]! << 21) + (bytes[7]! << 14) + (bytes[8]! << 7) + bytes[9]!;
  }
  const mpeg1 = ((bytes[at + 1] ?? 0) >> 3) % 4 === 3;
  for (let tag = at + 4; tag < Math.min(at + 64, bytes.length - 12); tag++) {
    if (!isAt(bytes, tag, "Xing") && !isAt(bytes, tag, "Info")) continue;
    if ((bytes[tag + 7]! & 1) === 0) return undefined;
    return Math.max(0, view.getUint32(tag + 8) - 4) * (mpeg1 ? 1152 : 576);
  }
  return undefined;
}

function isAt(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
