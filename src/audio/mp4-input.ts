import { AudioFormatError } from "../core/errors.ts";
import { type ByteReader, concatBytes, memoryReader, takeRest } from "./byte-reader.ts";
import { endsEarly, REPAIR, tooLargeToHold } from "./codecs.ts";
import { fourCc } from "./wav.ts";

/** What an MP4 decoder is fed first, and how long the sound is. */
export interface Mp4Head {
  /** Everything up to the media data, with the index ("moov") in it. */
  head: Uint8Array;
  /** Seconds that the index declares. */
  duration: number | undefined;
  /** Stands at the first byte that is not in `head`. */
  rest: ByteReader;
}

/** Boxes between the index and its tables of chunk offsets. */
const CONTAINERS = new Set(["moov", "trak", "mdia", "minf", "stbl"]);

/**
 * Reads an MP4 or QuickTime file (ISO/IEC 14496-12) up to its media data. An index that lies behind the data
 * is fetched from there and put in front of them, its chunk offsets moved on by its length; where the source is
 * read in order only, the whole file is held for that.
 *
 * @param reader stands at the first byte
 * @param limit bytes that may be held
 * @throws AudioFormatError when there is no index, or what has to be held is larger than `limit`.
 */
export async function openMp4(reader: ByteReader, limit: number): Promise<Mp4Head> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const box = boxAt(await reader.peek(16), 0);
    if (box === undefined) throw endsEarly("mp4");
    const { type, size } = box;
    if (type === "mdat" || (size === 0 && type !== "moov")) {
      if (reader.readAt === undefined || reader.size === undefined) {
        const way =
          "put its index first (ffmpeg -i in.mp4 -c copy -movflags +faststart out.mp4), or give a path";
        const rest = await takeRest(reader, limit - total, () => tooLargeToHold("mp4", limit, way));
        return openMp4(memoryReader(concatBytes([...parts, rest], total + rest.length)), limit);
      }
      const index = await indexBehind(reader, limit);
      checkTables(index);
      moveChunks(index, index.length);
      const head = concatBytes([...parts, index], total + index.length);
      return { head, duration: durationOf(index), rest: reader };
    }
    if (total + size > limit) {
      throw tooLargeToHold("mp4", limit, `convert it first (ffmpeg -i in.mp4 -vn out.m4a)`);
    }
    const bytes = await takeExactly(reader, size);
    parts.push(bytes);
    total += bytes.length;
    if (type === "moov") {
      checkTables(bytes);
      return { head: concatBytes(parts, total), duration: durationOf(bytes), rest: reader };
    }
  }
}

/**
 * Takes up to `most` bytes of what follows the head, box by box.
 *
 * @throws AudioFormatError when the source ends within a box.
 */
export function mp4Pieces(reader: ByteReader): (most: number) => Promise<Uint8Array> {
  let left = 0;
  /** What is left of a fragment's index, which is looked at as a whole. */
  let index: Uint8Array | undefined;
  return async (most) => {
    if (index === undefined && left === 0) {
      const box = boxAt(await reader.peek(16), 0);
      // What is no box behind the others, or is open-ended, may end anywhere.
      left = box?.size || Number.POSITIVE_INFINITY;
      if (box?.type === "moof") {
        if (left > MAX_FRAGMENT_INDEX) throw tooManySamples(left, "bytes", MAX_FRAGMENT_INDEX);
        index = await takeExactly(reader, left);
        checkTables(index);
        left = 0;
      }
    }
    if (index !== undefined) {
      const piece = index.subarray(0, most);
      index = piece.length < index.length ? index.subarray(piece.length) : undefined;
      return piece;
    }
    const piece = await reader.take(Math.min(most, left));
    if (piece.length === 0 && left !== Number.POSITIVE_INFINITY) {
      throw new AudioFormatError(`the MP4 file is cut off: ${left} bytes of a box are missing; ${REPAIR}`);
    }
    left -= piece.length;
    return piece;
  };
}

/** Samples that an index may list: decoders make an array of them, and an array too large ends the process, not its thread. */
const MAX_SAMPLES = 2 ** 23;
/** Runs of chunks, each of which is an object there. */
const MAX_RUNS = 2 ** 20;
/** Bytes of the index of one fragment, which is of seconds. */
const MAX_FRAGMENT_INDEX = 2 ** 24;

function tooManySamples(count: number, of: string, most: number): AudioFormatError {
  return new AudioFormatError(
    `the MP4 file's index says ${count} ${of}, and ${most} are the most that is read; convert it first (ffmpeg -i in.mp4 out.wav)`,
  );
}

/**
 * Holds the counts of an index's tables against their bytes, before a decoder makes arrays of so many. The tables are looked for
 * by their names wherever they stand, as what a decoder takes for one does not depend on what we take for their container.
 *
 * @throws AudioFormatError when a table is longer than its box, or than anything that is sound.
 */
function checkTables(index: Uint8Array): void {
  const view = new DataView(index.buffer, index.byteOffset, index.length);
  for (let at = 4; at + 16 <= index.length; at++) {
    const letter = index[at]!;
    if (letter !== 0x73 && letter !== 0x63 && letter !== 0x74) continue; // s, c, t
    const type = fourCc(index, at);
    if (type !== "stsz" && type !== "stco" && type !== "co64" && type !== "stsc" && type !== "trun") continue;
    const size = view.getUint32(at - 4);
    if (size > 1 && (size < 8 || at - 4 + size > index.length)) continue; // its letters by chance
    const body = at + 4;
    const room = (size > 1 ? at - 4 + size : index.length) - body;
    const isSizes = type === "stsz";
    const count = isSizes ? (room >= 12 ? view.getUint32(body + 8) : 0) : view.getUint32(body + 4);
    const most = type === "stsc" ? MAX_RUNS : MAX_SAMPLES;
    const bytes = isSizes
      ? 12 + (view.getUint32(body + 4) === 0 ? 4 * count : 0)
      : 8 + entryBytes(type, view.getUint32(body)) * count;
    if (count > most) throw tooManySamples(count, "entries", most);
    if (bytes > room)
      throw tooManySamples(count, `entries in ${room} bytes`, Math.max(0, Math.floor(room / 4)));
  }
}

/** Bytes of an entry of a table: sections 8.7 and 8.8.8, where flags say what a run's samples have of their own. */
function entryBytes(type: string, flags: number): number {
  if (type === "stsc") return 12;
  if (type === "co64") return 8;
  if (type === "stco") return 4;
  let bytes = 0;
  for (const flag of [0x100, 0x200, 0x400, 0x800]) if (flags & flag) bytes += 4;
  return bytes;
}

/** Type and size of the box at `at`; a size of 0 reaches to the end. Undefined where its header is not whole. */
function boxAt(bytes: Uint8Array, at: number): { type: string; size: number; header: number } | undefined {
  if (at + 8 > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const type = fourCc(bytes, at + 4);
  const size = view.getUint32(at);
  if (size === 0) return { type, size, header: 8 };
  if (size !== 1) return size < 8 ? undefined : { type, size, header: 8 };
  if (at + 16 > bytes.length) return undefined;
  const long = Number(view.getBigUint64(at + 8));
  return long < 16 ? undefined : { type, size: long, header: 16 };
}

/** The index of a file that has it behind the data that the reader stands at. */
async function indexBehind(reader: ByteReader, limit: number): Promise<Uint8Array> {
  const readAt = reader.readAt!;
  for (let at = reader.position; ; ) {
    const box = boxAt(await readAt(at, 16), 0);
    if (box === undefined || box.size === 0) throw endsEarly("mp4");
    if (box.type === "moov") {
      if (box.size > limit)
        throw tooLargeToHold("mp4", limit, "convert it first (ffmpeg -i in.mp4 -vn out.m4a)");
      const index = (await readAt(at, box.size)).slice();
      if (index.length < box.size) throw endsEarly("mp4");
      return index;
    }
    at += box.size;
  }
}

async function takeExactly(reader: ByteReader, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const part = await reader.take(size - filled);
    if (part.length === 0) throw endsEarly("mp4");
    bytes.set(part, filled);
    filled += part.length;
  }
  return bytes;
}

/** Calls `visit` with every box inside a moov, by the range of its body. */
function eachBox(bytes: Uint8Array, visit: (type: string, body: number, end: number) => void): void {
  const walk = (from: number, to: number) => {
    for (let at = from; at < to; ) {
      const box = boxAt(bytes, at);
      if (box === undefined || box.size === 0 || at + box.size > to) return;
      if (CONTAINERS.has(box.type)) walk(at + box.header, at + box.size);
      else visit(box.type, at + box.header, at + box.size);
      at += box.size;
    }
  };
  walk(0, bytes.length);
}

/** Adds `shift` to the file positions in an index: boxes "stco" and "co64", section 8.7.5. */
function moveChunks(index: Uint8Array, shift: number): void {
  const view = new DataView(index.buffer, index.byteOffset, index.length);
  eachBox(index, (type, body, end) => {
    if (type !== "stco" && type !== "co64") return;
    const long = type === "co64";
    const width = long ? 8 : 4;
    const count = Math.min(view.getUint32(body + 4), Math.floor((end - body - 8) / width));
    for (let i = 0, at = body + 8; i < count; i++, at += width) {
      if (long) view.setBigUint64(at, view.getBigUint64(at) + BigInt(shift));
      else if (view.getUint32(at) + shift < 2 ** 32) view.setUint32(at, view.getUint32(at) + shift);
      else {
        throw new AudioFormatError(
          "the MP4 file's data end just below 4 GiB, with its index behind; move it to the front (ffmpeg -i in.mp4 -c copy -movflags +faststart out.mp4)",
        );
      }
    }
  });
}

/** Seconds by the movie header, section 8.2.2; undefined in fragmented files, which do not know. */
function durationOf(index: Uint8Array): number | undefined {
  const view = new DataView(index.buffer, index.byteOffset, index.length);
  let seconds: number | undefined;
  eachBox(index, (type, body) => {
    if (type !== "mvhd") return;
    const long = index[body] === 1;
    const scale = view.getUint32(body + (long ? 20 : 12));
    const length = long ? Number(view.getBigUint64(body + 24)) : view.getUint32(body + 16);
    const unknown = long ? length >= 2 ** 63 : length === 0xffffffff;
    if (scale > 0 && length > 0 && !unknown) seconds = length / scale;
  });
  return seconds;
}
