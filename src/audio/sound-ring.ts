import { assertOptions, describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { statePool } from "../pools/shared-pool.ts";
import { asyncDispose, type SoundReader } from "./sound-reader.ts";

/** What a ring is to hold. */
export interface SoundRingOptions {
  /** Seconds that can be looked back on; 60 by default. */
  seconds?: number;
}

/** The last seconds of a sound, readable in any order. Create it with {@link createSoundRing}. */
export interface SoundRing {
  /** Samples a second. */
  readonly sampleRate: number;
  /** Samples that are held at most. */
  readonly capacity: number;
  /** First position that is still held. */
  readonly tail: number;
  /** Position behind the last sample that was read. */
  readonly head: number;
  /** Whether the sound is read to its end. */
  readonly ended: boolean;
  /** Samples in all, once `ended`; undefined before. */
  readonly length: number | undefined;
  /** Seconds in all, as the sound declares them: for progress. */
  readonly duration: number | undefined;
  /**
   * Reads on until position `upTo`, or to the end. Samples before `upTo - capacity` are forgotten as it begins.
   * Fills run one after another; meanwhile `window` gives what is held.
   *
   * @returns the position read up to: `upTo` or more, less only at the end.
   * @throws InvalidArgumentError when `upTo` is no position or the ring was closed; whatever the reader throws.
   */
  fill(upTo: number): Promise<number>;
  /**
   * Copies the samples `start` to `start + count`, zeros where they lie behind the end.
   *
   * @param into float32 of `count` samples or more, in the core's memory or elsewhere; the rest stays as it was.
   * @throws InvalidArgumentError when the range is none or does not fit, when it begins before `tail`, when it
   * is not read yet, and after `close()`.
   */
  window(start: number, count: number, into: Float32Array): void;
  /** Closes the reader, waits for the fill under way and gives the buffer back. Further calls do nothing. */
  close(): Promise<void>;
  /** As `close()`, at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}

const SECONDS = 60;
/** Samples that a fill reads at once, so that it can be stopped in between and `head` moves on. */
const STEP = 16384;

/**
 * Makes a ring on a reader that stands at its first sample; the reader is the ring's from now on. The samples
 * lie in one buffer of the pool "sound ring … KiB": 4 MiB for a minute at 16 kHz.
 *
 * @throws InvalidArgumentError when `seconds` is out of range or the reader was read from.
 * @throws CoreMemoryError, PoolExhaustedError when the core has no room for the buffer.
 */
export function createSoundRing(core: Core, reader: SoundReader, options: SoundRingOptions = {}): SoundRing {
  assertOptions(options, "createSoundRing");
  const { seconds = SECONDS } = options;
  const { sampleRate } = reader;
  const capacity = Math.ceil(seconds * sampleRate);
  if (typeof seconds !== "number" || !(capacity >= 1 && capacity * 4 <= core.memoryBytes)) {
    throw new InvalidArgumentError(
      `seconds is ${describe(seconds)}; give a number above 0 whose samples fit into the core's ${core.memoryBytes} bytes`,
    );
  }
  if (reader.position !== 0) {
    throw new InvalidArgumentError(
      `the reader stands at sample ${reader.position}; give one that nobody has read from`,
    );
  }
  const lease = statePool(core, "sound ring", capacity).acquire();
  const samples = lease.view.subarray(0, capacity);
  let tail = 0;
  let head = 0;
  let ended = false;
  let open = true;
  let filling: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;

  function assertOpen(): void {
    if (!open) throw new InvalidArgumentError("the ring was closed; create another");
  }

  function assertPosition(name: string, value: unknown): void {
    if (Number.isSafeInteger(value) && (value as number) >= 0) return;
    throw new InvalidArgumentError(`${name} is ${describe(value)}; give an integer, 0 or more`);
  }

  async function readUpTo(upTo: number): Promise<number> {
    while (head < upTo && !ended) {
      assertOpen();
      const at = head % capacity;
      const count = Math.min(upTo - head, capacity - at, STEP);
      const before = tail;
      tail = Math.max(tail, head + count - capacity);
      const read = await reader.read(samples.subarray(at, at + count));
      head += read;
      tail = Math.max(before, head - capacity); // at the end, what was not needed is still there
      if (read < count) ended = true;
    }
    return head;
  }

  function fill(upTo: number): Promise<number> {
    const result = filling.then(() => {
      assertOpen();
      assertPosition("upTo", upTo);
      return readUpTo(upTo);
    });
    // A fill that failed must not stop the next one, which the reader answers; its own caller gets the error.
    filling = result.catch(() => undefined);
    return result;
  }

  function window(start: number, count: number, into: Float32Array): void {
    assertOpen();
    assertPosition("start", start);
    assertPosition("count", count);
    if (!(into instanceof Float32Array) || into.length < count) {
      const seen = into instanceof Float32Array ? `a Float32Array of ${into.length}` : describe(into);
      throw new InvalidArgumentError(`into is ${seen}; give a Float32Array of ${count} samples or more`);
    }
    if (start < tail) {
      throw new InvalidArgumentError(
        `sample ${start} is forgotten: the ring holds ${tail} to ${head}; make a ring of more seconds`,
      );
    }
    if (start + count > head && !ended) {
      throw new InvalidArgumentError(
        `samples up to ${start + count} are not read yet, only up to ${head}; wait for fill(${start + count})`,
      );
    }
    const held = Math.max(0, Math.min(count, head - start));
    const at = start % capacity;
    const first = Math.min(held, capacity - at);
    into.set(samples.subarray(at, at + first), 0);
    into.set(samples.subarray(0, held - first), first);
    into.fill(0, held, count);
  }

  function close(): Promise<void> {
    closing ??= (async () => {
      open = false;
      try {
        await reader.close();
      } finally {
        await filling; // it writes into the buffer
        lease.release();
      }
    })();
    return closing;
  }

  return {
    sampleRate,
    capacity,
    duration: reader.duration,
    get tail() {
      return tail;
    },
    get head() {
      return head;
    },
    get ended() {
      return ended;
    },
    get length() {
      return ended ? head : undefined;
    },
    fill,
    window,
    close,
    [asyncDispose]: close,
  } as SoundRing;
}
