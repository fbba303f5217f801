import { AudioFormatError } from "../core/errors.ts";
import { type ByteReader, takeRest } from "./byte-reader.ts";
import { formatName, REPAIR, tooLargeToHold } from "./codecs.ts";
import { declaredLength, flacBits } from "./completeness.ts";
import { createFlacFrames } from "./flac-frames.ts";
import { mp4Pieces, openMp4 } from "./mp4-input.ts";
import { createOggPages, isAt, oggDuration } from "./ogg-pages.ts";
import { openWebm } from "./webm-input.ts";

/** What a codec is fed, piece by piece, and what the file says of itself. */
export interface CodecInput {
  /** The next bytes, the codec's to keep; undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Samples a channel that the file has to hold. */
  declared?: number | undefined;
  /** Seconds in all, unless they follow from `declared`. */
  duration?: number | undefined;
  /** Bits a sample of a FLAC file. */
  bits?: number | undefined;
}

/**
 * Bytes that a codec gets at once. Silence may make a thousand times as much sound of them, which is held
 * until it is read.
 */
const PIECE = 16384;
/** Bytes that a codec gets first, if there are so many: some tell the layout from one whole frame. */
const FIRST_PIECE = 8192;
/** Bytes in which an MP3 has to begin, with its Xing header. */
const MP3_HEAD = 4096;
/** "fLaC" and STREAMINFO with its header. */
const FLAC_HEAD = 42;

/**
 * Prepares a file for its codec.
 *
 * @param type as audio-type names it
 * @param reader stands at the file's first byte, or behind an ID3 tag
 * @param limit bytes of a file that may be held, where it cannot be helped
 * @throws AudioFormatError when more would have to be held, or the file's head is damaged.
 */
export async function openInput(type: string, reader: ByteReader, limit: number): Promise<CodecInput> {
  const head = await reader.peek(FIRST_PIECE);
  if (isAt(head, 0, "OggS")) return oggInput(type, reader);
  switch (type) {
    case "flac":
      return flacInput(reader);
    case "mp3":
      return { next: pieces(reader.take), declared: declaredLength(type, await reader.peek(MP3_HEAD)) };
    case "webm":
    case "mkv": {
      const { head, duration, reach = 0 } = await openWebm(reader, limit);
      const take = async (most: number) => {
        const piece = await reader.take(most);
        if (piece.length > 0 || reader.position >= reach) return piece;
        throw new AudioFormatError(
          `the ${formatName(type)} file is cut off: it declares ${reach} bytes, ${reader.position} are there; ${REPAIR}`,
        );
      };
      return { next: pieces(take, head), duration };
    }
    case "m4a": {
      const { head, duration, rest } = await openMp4(reader, limit);
      return { next: pieces(mp4Pieces(rest), head), duration };
    }
    case "aiff": {
      const way = "convert it first (ffmpeg -i in.aiff out.wav)";
      const bytes = await takeRest(reader, limit, () => tooLargeToHold(type, limit, way));
      return { next: once(bytes), duration: undefined };
    }
    default:
      return { next: pieces(reader.take) };
  }
}

/** All that is left, in pieces; before them `head`, if there is one, in one piece. */
function pieces(
  take: (most: number) => Promise<Uint8Array>,
  head?: Uint8Array,
): () => Promise<Uint8Array | undefined> {
  let first = head;
  return async () => {
    if (first !== undefined) {
      const piece = first;
      first = undefined;
      return piece;
    }
    // Codecs keep views of what they get; the reader's last until its next bytes only.
    const piece = (await take(PIECE)).slice();
    return piece.length === 0 ? undefined : piece;
  };
}

function once(bytes: Uint8Array): () => Promise<Uint8Array | undefined> {
  let given = false;
  return async () => {
    if (given) return undefined;
    given = true;
    return bytes;
  };
}

/** Whole pages, their checksums checked: the codecs take damaged ones for silence or worse. */
async function oggInput(type: string, reader: ByteReader): Promise<CodecInput> {
  const duration = type === "flac" ? undefined : await oggDuration(reader);
  const pages = createOggPages();
  const fail = (fault: string | undefined) => {
    if (fault === undefined) return;
    throw new AudioFormatError(`the ${formatName(type)} file is cut off or damaged: ${fault}; ${REPAIR}`);
  };
  return {
    duration,
    async next() {
      for (;;) {
        const piece = await reader.take(PIECE);
        if (piece.length === 0) {
          fail(pages.fault());
          return undefined;
        }
        const whole = pages.push(piece);
        if (whole.length > 0) return whole.slice();
        fail(pages.damage);
      }
    },
  };
}

/**
 * The head of a FLAC file (RFC 9639), all metadata but STREAMINFO left out, some of which has megabytes;
 * then its frames.
 */
async function flacInput(reader: ByteReader): Promise<CodecInput> {
  const head = (await reader.peek(FLAC_HEAD)).slice();
  const bits = flacBits(head);
  const declared = declaredLength("flac", head);
  if (bits === undefined || head.length < FLAC_HEAD) return { next: pieces(reader.take), bits, declared };
  let last = (head[4]! & 0x80) !== 0;
  head[4]! |= 0x80;
  await reader.skip(FLAC_HEAD);
  while (!last) {
    const block = (await reader.peek(4)).slice();
    if (block.length < 4) break; // cut off: there will be too few samples
    last = (block[0]! & 0x80) !== 0;
    await reader.skip(4 + block[1]! * 65536 + block[2]! * 256 + block[3]!);
  }
  const frames = createFlacFrames();
  let begun = false;
  let ended = false;
  async function next(): Promise<Uint8Array | undefined> {
    if (!begun) {
      begun = true;
      return head;
    }
    while (!ended) {
      const piece = await reader.take(PIECE);
      ended = piece.length === 0;
      const whole = ended ? frames.end() : frames.push(piece);
      if (whole.length > 0) return whole.slice();
    }
    return undefined;
  }
  return { next, bits, declared };
}
