/** The head of a part of multipart/form-data. */
export interface PartHead {
  readonly name: string;
  readonly fileName: string | undefined;
}

/** What is wrong with a form. */
export class MultipartError extends Error {}

/** Takes a form as its bytes come. */
export interface MultipartParser {
  /** @throws MultipartError, and whatever the sinks throw. */
  write(chunk: Uint8Array): void;
  /** @throws MultipartError when the form is not over. */
  end(): void;
}

const CR = 13;
const LF = 10;
const DASH = 45;
const MAX_HEAD = 8192;
/** Bytes of padding that RFC 2046 allows behind a boundary, and we too. */
const MAX_PADDING = 256;
const EMPTY = new Uint8Array(0);

/**
 * Parses multipart/form-data (RFC 7578) in a stream: each part's bytes go to its sink as they come, in views on the chunk that
 * brought them. Of a chunk nothing is kept but what may be the beginning of a boundary, and a head that is not whole.
 *
 * @param boundary as the content type has it
 * @param onPart called with each part's head; gives the sink of its bytes
 */
export function createMultipartParser(
  boundary: string,
  onPart: (head: PartHead) => (bytes: Uint8Array) => void,
  maxParts: number,
): MultipartParser {
  const delimiter = new TextEncoder().encode(`\r\n--${boundary}`);
  let state: "preamble" | "behind" | "head" | "body" | "done" = "preamble";
  /** The first boundary has no line break before it. */
  let carry: Uint8Array = delimiter.subarray(0, 2);
  let sink: (bytes: Uint8Array) => void = () => {};
  let parts = 0;

  /** Where the delimiter begins in bytes, or what of their end may be the beginning of one. */
  function findDelimiter(bytes: Uint8Array, from: number): { at: number; whole: boolean } {
    for (let at = bytes.indexOf(CR, from); at >= 0; at = bytes.indexOf(CR, at + 1)) {
      const there = Math.min(delimiter.length, bytes.length - at);
      let i = 1;
      while (i < there && bytes[at + i] === delimiter[i]) i++;
      if (i === there) return { at, whole: there === delimiter.length };
    }
    return { at: bytes.length, whole: false };
  }

  /** Takes what it can from `at` on; returns where it stopped, and whether it needs more. */
  function step(bytes: Uint8Array, at: number): { at: number; more: boolean } {
    if (state === "preamble" || state === "body") {
      const found = findDelimiter(bytes, at);
      if (state === "body" && found.at > at) sink(bytes.subarray(at, found.at));
      if (!found.whole) return { at: found.at, more: true };
      state = "behind";
      return { at: found.at + delimiter.length, more: false };
    }
    if (state === "behind") {
      if (bytes.length - at < 2) return { at, more: true };
      if (bytes[at] === DASH && bytes[at + 1] === DASH) {
        state = "done";
        return { at: bytes.length, more: false };
      }
      const end = bytes.indexOf(LF, at);
      if (end < 0 && bytes.length - at < MAX_PADDING) return { at, more: true };
      if (end < 0 || end - at > MAX_PADDING || bytes[end - 1] !== CR) {
        throw new MultipartError("the form has something behind a boundary; check how it is encoded");
      }
      if (++parts > maxParts) throw new MultipartError(`the form has more than ${maxParts} parts`);
      state = "head";
      // The line break before a head without lines is the boundary's own.
      return { at: end + 1, more: false };
    }
    const end = findHeadEnd(bytes, at);
    if (end < 0) {
      if (bytes.length - at > MAX_HEAD) throw new MultipartError("a part of the form has a head over 8 KiB");
      return { at, more: true };
    }
    sink = onPart(parseHead(new TextDecoder().decode(bytes.slice(at, end))));
    state = "body";
    // An empty body follows at once, with the delimiter's line break behind that of the head.
    return { at: end + 4, more: false };
  }

  return {
    write(chunk) {
      if (state === "done") return; // an epilogue
      const bytes = carry.length === 0 ? chunk : joined(carry, chunk);
      let at = 0;
      while (at < bytes.length) {
        const next = step(bytes, at); // behind the last boundary it takes everything
        at = next.at;
        if (next.more) break;
      }
      carry = at < bytes.length ? bytes.slice(at) : EMPTY;
    },
    end() {
      if (state !== "done") throw new MultipartError("the form ends before its last boundary; send it whole");
    },
  };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

/** Where the empty line behind a head begins. */
function findHeadEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(CR, from); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    if (bytes[at + 1] === LF && bytes[at + 2] === CR && bytes[at + 3] === LF) return at;
  }
  return -1;
}

/** Reads `content-disposition: form-data; name="…"; filename="…"` (RFC 7578, 4.2); browsers escape quotes as %22. */
function parseHead(head: string): PartHead {
  const line = head.split("\r\n").find((one) => /^content-disposition\s*:/i.test(one));
  const parameters = new Map<string, string>();
  // From left to right: what looks like a parameter within another's quotes is none.
  for (const match of line?.matchAll(/;\s*([\w*-]{1,64})=(?:"((?:[^"\\]|\\.)*)"|([^;\s"]*))/g) ?? []) {
    const [, key, quoted, bare] = match;
    if (!parameters.has(key!.toLowerCase())) {
      parameters.set(key!.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? bare!);
    }
  }
  const name = parameters.get("name");
  if (!line || name === undefined) {
    throw new MultipartError("a part of the form has no name; give each one content-disposition: form-data");
  }
  return { name, fileName: parameters.get("filename") };
}

/** The boundary of a content type; undefined when it is no multipart/form-data with one. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const match = contentType?.match(/^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]+)"|([^;\s]+))/i);
  const boundary = match?.[1] ?? match?.[2];
  // RFC 2046, 5.1.1
  return boundary !== undefined && boundary.length <= 70 ? boundary : undefined;
}
