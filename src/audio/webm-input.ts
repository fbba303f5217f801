import type { ByteReader } from "./byte-reader.ts";
import { tooLargeToHold } from "./codecs.ts";

/** Elements of Matroska (RFC 9559, section 5.1) that are looked for. */
const SEGMENT = 0x18538067;
const CLUSTER = 0x1f43b675;
const INFO = 0x1549a966;
const TIMESTAMP_SCALE = 0x2ad7b1;
const DURATION = 0x4489;
/** Nanoseconds of a tick, unless the file says otherwise. */
const DEFAULT_SCALE = 1_000_000;
const FIRST_LOOK = 4096;

/**
 * Reads a WebM or Matroska file up to its first cluster.
 *
 * @param reader stands at the first byte; afterwards at the first cluster.
 * @param limit bytes that may be held
 * @returns what stands before the cluster, which a decoder wants in one piece, the seconds it declares, and
 * the position that the file has to reach, unless it was recorded without knowing.
 * @throws AudioFormatError when it is larger than `limit`.
 */
export async function openWebm(
  reader: ByteReader,
  limit: number,
): Promise<{ head: Uint8Array; duration: number | undefined; reach: number | undefined }> {
  for (let look = FIRST_LOOK; ; ) {
    const bytes = await reader.peek(look);
    const { end, need, duration, reach } = walk(bytes);
    if (end !== undefined || bytes.length < look) {
      const head = bytes.slice(0, end ?? bytes.length);
      await reader.skip(head.length);
      return { head, duration, reach };
    }
    look = Math.max(look * 2, need);
    if (look <= limit) continue;
    throw tooLargeToHold("webm", limit, "convert it first (ffmpeg -i in.mkv -vn out.webm)");
  }
}

/** Goes through the elements at the top until the first cluster, or until `need` bytes are wanted. */
function walk(bytes: Uint8Array): {
  end?: number;
  need: number;
  duration: number | undefined;
  reach: number | undefined;
} {
  let duration: number | undefined;
  let reach: number | undefined;
  for (let at = 0; ; ) {
    const element = elementAt(bytes, at);
    if (element === undefined) return { need: at + 16, duration, reach };
    const { id, body, size } = element;
    if (id === CLUSTER) return { end: at, need: 0, duration, reach };
    if (id === SEGMENT) {
      reach = size === undefined ? undefined : body + size;
      at = body;
      continue;
    }
    if (size === undefined) return { end: at, need: 0, duration, reach }; // only clusters may be open-ended here
    if (body + size > bytes.length) return { need: body + size + 16, duration, reach };
    if (id === INFO) duration = durationOf(bytes, body, body + size);
    at = body + size;
  }
}

function durationOf(bytes: Uint8Array, from: number, to: number): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let scale = DEFAULT_SCALE;
  let ticks: number | undefined;
  for (let at = from; at < to; ) {
    const element = elementAt(bytes, at);
    if (element?.size === undefined) break;
    const { id, body, size } = element;
    if (id === TIMESTAMP_SCALE) {
      scale = 0;
      for (let i = 0; i < size; i++) scale = scale * 256 + bytes[body + i]!;
    } else if (id === DURATION && size === 4) ticks = view.getFloat32(body);
    else if (id === DURATION && size === 8) ticks = view.getFloat64(body);
    at = body + size;
  }
  return ticks === undefined || !(ticks > 0) ? undefined : (ticks * scale) / 1e9;
}

/** The element at a byte (RFC 8794, section 4 to 6); no size where it is open-ended. Undefined where it is cut. */
function elementAt(
  bytes: Uint8Array,
  at: number,
): { id: number; body: number; size: number | undefined } | undefined {
  const idLength = Math.clz32(bytes[at] ?? 0) - 23;
  const sizeAt = at + idLength;
  if (idLength > 4 || sizeAt >= bytes.length) return undefined;
  let id = 0;
  for (let i = 0; i < idLength; i++) id = id * 256 + bytes[at + i]!;
  const sizeLength = Math.clz32(bytes[sizeAt]!) - 23;
  if (sizeLength > 8 || sizeAt + sizeLength > bytes.length) return undefined;
  let size = bytes[sizeAt]! & (2 ** (8 - sizeLength) - 1);
  let ones = size === 2 ** (8 - sizeLength) - 1;
  for (let i = 1; i < sizeLength; i++) {
    const byte = bytes[sizeAt + i]!;
    ones &&= byte === 255;
    size = size * 256 + byte;
  }
  return { id, body: sizeAt + sizeLength, size: ones ? undefined : size };
}
