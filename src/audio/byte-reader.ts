import { adapter } from "#adapter";
import type { OpenFile } from "../adapters/adapter.ts";
import { describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { type Chunks, openChunks } from "./chunks.ts";
import { createInterruption, type Interruption } from "./interruption.ts";

/** Bytes of a file as they come: whole, from a path (in browsers a URL), an open file, a Blob or File, or as a stream. */
export type ByteSource =
  | string
  | OpenFile
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>;

/** Bytes that are read at once from files. */
const FILE_CHUNK = 65536;
const NONE = new Uint8Array(0);

/** The bytes of a source in order, with a look ahead. */
export interface ByteReader {
  /** Bytes in all, where that is known. */
  readonly size: number | undefined;
  /** Bytes taken so far. */
  readonly position: number;
  /**
   * The next `count` bytes without taking them, fewer only at the end. Valid until the next call.
   */
  peek(count: number): Promise<Uint8Array>;
  /** Takes what is there of the next `most` bytes: one or more, none at the end. Valid until the next call. */
  take(most: number): Promise<Uint8Array>;
  /** Takes `count` bytes, fewer only at the end, and forgets them. Returns how many. */
  skip(count: number): Promise<number>;
  /** Up to `length` bytes from anywhere, where the source allows it; the order of the others stays. */
  readonly readAt: ((position: number, length: number) => Promise<Uint8Array>) | undefined;
  /** Closes files, cancels streams. Further calls do nothing. */
  close(reason?: unknown): Promise<void>;
}

/** Where a reader's bytes come from. */
interface ByteFeed {
  size: number | undefined;
  /** The next bytes, valid until the next call; undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  readAt: ((position: number, length: number) => Promise<Uint8Array>) | undefined;
  close(reason: unknown): Promise<void>;
}

/**
 * Opens a source of bytes.
 *
 * @param interruption ends waiting for bytes that do not come
 * @throws InvalidArgumentError when it is none; FileError when a path cannot be read.
 */
export async function openBytes(source: ByteSource, interruption: Interruption): Promise<ByteReader> {
  return reading(await feedOf(source, interruption), interruption);
}

async function feedOf(source: ByteSource, interruption: Interruption): Promise<ByteFeed> {
  if (typeof source === "string") return fileFeed(await adapter.openFile(source));
  if (isOpenFile(source)) return fileFeed(source);
  if (source instanceof Uint8Array) return memoryFeed(source);
  if (source instanceof ArrayBuffer) return memoryFeed(new Uint8Array(source));
  if (typeof Blob !== "undefined" && source instanceof Blob) return blobFeed(source);
  return streamFeed(openChunks(source as AsyncIterable<Uint8Array>, interruption));
}

function isOpenFile(source: ByteSource): source is OpenFile {
  return typeof source === "object" && source !== null && "readAt" in source && "next" in source;
}

function memoryFeed(bytes: Uint8Array): ByteFeed {
  let given = false;
  return {
    size: bytes.length,
    async next() {
      if (given || bytes.length === 0) return undefined;
      given = true;
      return bytes;
    },
    readAt: async (position, length) => bytes.subarray(position, position + length),
    async close() {},
  };
}

function fileFeed(file: OpenFile): ByteFeed {
  const buffer = new Uint8Array(FILE_CHUNK);
  return {
    size: file.size,
    async next() {
      const count = await file.next(buffer);
      return count === 0 ? undefined : buffer.subarray(0, count);
    },
    readAt: file.readAt,
    close: () => file.close(),
  };
}

function blobFeed(blob: Blob): ByteFeed {
  let position = 0;
  const readAt = async (at: number, length: number) =>
    new Uint8Array(await blob.slice(at, at + length).arrayBuffer());
  return {
    size: blob.size,
    async next() {
      if (position >= blob.size) return undefined;
      const chunk = await readAt(position, FILE_CHUNK);
      position += chunk.length;
      return chunk;
    },
    readAt,
    async close() {},
  };
}

function streamFeed(chunks: Chunks<Uint8Array>): ByteFeed {
  return {
    size: undefined,
    async next() {
      const chunk: unknown = await chunks.next();
      if (chunk === undefined || chunk instanceof Uint8Array) return chunk;
      if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
      throw new InvalidArgumentError(
        `the stream gives ${describe(chunk)}; give Uint8Arrays, or a sampleRate beside Float32Arrays of mono sound`,
      );
    },
    readAt: undefined,
    close: (reason) => chunks.close(reason),
  };
}

function reading(feed: ByteFeed, interruption: Interruption): ByteReader {
  let held: Uint8Array = NONE;
  let ended = false;
  let position = 0;
  let closing: Promise<void> | undefined;

  async function more(): Promise<Uint8Array> {
    const chunk = ended ? undefined : await interruption.race(feed.next());
    if (chunk === undefined) ended = true;
    return chunk ?? NONE;
  }

  /** Holds `count` bytes at least, unless the end comes first. */
  async function hold(count: number): Promise<void> {
    if (held.length >= count || ended) return;
    const parts = [held.slice()];
    let total = held.length;
    while (total < count && !ended) {
      const chunk = (await more()).slice();
      parts.push(chunk);
      total += chunk.length;
    }
    held = concatBytes(parts, total);
  }

  async function take(most: number): Promise<Uint8Array> {
    while (held.length === 0 && !ended) held = await more();
    const part = held.subarray(0, Math.min(most, held.length));
    held = held.subarray(part.length);
    position += part.length;
    return part;
  }

  const { readAt } = feed;
  return {
    size: feed.size,
    get position() {
      return position;
    },
    async peek(count) {
      await hold(count);
      return held.subarray(0, Math.min(count, held.length));
    },
    take,
    async skip(count) {
      let skipped = 0;
      while (skipped < count) {
        const part = await take(count - skipped);
        if (part.length === 0) break;
        skipped += part.length;
      }
      return skipped;
    },
    readAt: readAt && ((at, length) => interruption.race(readAt(at, length))),
    close(reason) {
      held = NONE;
      ended = true;
      closing ??= feed.close(reason);
      return closing;
    },
  };
}

/** A reader of bytes in memory. */
export function memoryReader(bytes: Uint8Array): ByteReader {
  return reading(memoryFeed(bytes), createInterruption(undefined));
}

/**
 * Takes all that is left.
 *
 * @param limit bytes that may be held
 * @param tooLarge what to throw when there are more
 */
export async function takeRest(
  reader: ByteReader,
  limit: number,
  tooLarge: () => Error,
): Promise<Uint8Array> {
  if (reader.size !== undefined && reader.size - reader.position > limit) throw tooLarge();
  const parts: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const part = (await reader.take(FILE_CHUNK)).slice();
    if (part.length === 0) return concatBytes(parts, total);
    parts.push(part);
    total += part.length;
    if (total > limit) throw tooLarge();
  }
}

/** Pieces one behind the other. */
export function concatBytes(parts: readonly Uint8Array[], total: number): Uint8Array {
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
