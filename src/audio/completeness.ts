/**
 * What a compressed file says of its own length, so that one that was cut off is told from a whole one:
 * codecs decode as far as they come and say nothing.
 */

import { createOggPages, isAt } from "./ogg-pages.ts";

/** Samples a channel that the file declares, or undefined where it declares none. */
export function declaredLength(type: string, bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type === "flac") return flacLength(bytes, view);
  if (type === "aiff") return aiffLength(bytes, view);
  if (type === "mp3") return mp3Length(bytes, view);
  return undefined;
}

/**
 * Walks the pages of a whole Ogg file.
 *
 * @returns what is wrong with the file, or undefined.
 */
export function oggFault(bytes: Uint8Array): string | undefined {
  const pages = createOggPages();
  pages.push(bytes);
  return pages.fault();
}

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

function aiffLength(bytes: Uint8Array, view: DataView): number | undefined {
  const at = aiffCommon(bytes, view);
  return at === undefined ? undefined : view.getUint32(at + 10);
}

/** Whether an AIFF holds PCM of eight bits, which is signed. */
export function aiffIsBytes(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = aiffCommon(bytes, view);
  if (at === undefined || at + 30 > bytes.length || view.getUint16(at + 14) > 8) return false;
  const plain = view.getUint32(at + 4) < 22;
  return plain || ["NONE", "twos", "sowt"].some((name) => isAt(bytes, at + 26, name));
}

/** Place of the COMM chunk of "Audio Interchange File Format 1.3" (Apple 1989). */
function aiffCommon(bytes: Uint8Array, view: DataView): number | undefined {
  let at = 12;
  while (at + 14 <= bytes.length) {
    if (isAt(bytes, at, "COMM")) return at;
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
