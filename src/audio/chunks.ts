import { describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { Interruption } from "./interruption.ts";

/** What a stream or an iterable gives, one after the other. */
export interface Chunks<T> {
  /** The next one, undefined at the end. */
  next(): Promise<T | undefined>;
  /** Cancels the stream, ends the iterator. */
  close(reason: unknown): Promise<void>;
}

/**
 * Opens a ReadableStream (not by its iterator, which Safari lacks), an async or a plain iterable.
 *
 * @throws InvalidArgumentError when it is none of them, or a stream that somebody else reads.
 */
export function openChunks<T>(
  source: ReadableStream<T> | AsyncIterable<T> | Iterable<T>,
  interruption: Interruption,
): Chunks<T> {
  const stream = source as ReadableStream<T>;
  if (typeof stream?.getReader === "function") {
    if (stream.locked) throw new InvalidArgumentError("the stream is locked; give one that nobody reads");
    return streamChunks(stream.getReader(), interruption);
  }
  const iterable = source as AsyncIterable<T> & Iterable<T>;
  const iterator = iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.();
  if (iterator === undefined) {
    throw new InvalidArgumentError(
      `the sound is ${describe(source)}; give bytes, a path, a Blob, a stream, an iterable or decoded PCM`,
    );
  }
  return iteratorChunks<T>(iterator, interruption);
}

function streamChunks<T>(reader: ReadableStreamDefaultReader<T>, interruption: Interruption): Chunks<T> {
  let ended = false;
  return {
    async next() {
      const step = reader.read();
      step.catch(() => {
        ended = true; // a stream that failed has nothing to cancel
      });
      const { done, value } = await interruption.race(step);
      if (done) ended = true;
      return value;
    },
    async close(reason) {
      if (!ended) await reader.cancel(reason);
      reader.releaseLock();
    },
  };
}

function iteratorChunks<T>(iterator: AsyncIterator<T> | Iterator<T>, interruption: Interruption): Chunks<T> {
  let ended = false;
  let pending = false;
  return {
    async next() {
      pending = true;
      const step = Promise.resolve(iterator.next()).finally(() => {
        pending = false;
      });
      const { done, value } = await interruption.race(step).catch((error) => {
        if (!pending) ended = true; // it threw, and is over with that
        throw error;
      });
      if (!done) return value;
      ended = true;
      return undefined;
    },
    async close() {
      if (ended) return;
      ended = true;
      const end = iterator.return?.();
      // A generator that waits for its own source ends only after that has answered, which may be never.
      if (pending) Promise.resolve(end).catch(() => {});
      else await end;
    },
  };
}
