import { describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { Lease } from "../pools/lease.ts";
import { statePool } from "../pools/shared-pool.ts";
import type { Interruption } from "./interruption.ts";
import type { MonoSource } from "./mono-source.ts";
import { flushTiny } from "./resample.ts";
import { createResampler, type Resampler } from "./resampler.ts";

/** Safari has no Symbol.asyncDispose yet; see `dispose` of pools/lease.ts. */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for("Symbol.asyncDispose") as typeof Symbol.asyncDispose);

/** Mono float32 sound that is read in order. Open it with `openSound`. */
export interface SoundReader {
  /** Samples a second that come out. */
  readonly sampleRate: number;
  /** What goes in: the format's name, samples a second and channels. */
  readonly source: { readonly format: string; readonly sampleRate: number; readonly channels: number };
  /** Seconds in all, where the file says so before its end: for progress, not to be relied on. */
  readonly duration: number | undefined;
  /** Samples read so far. */
  readonly position: number;
  /**
   * Fills a view with the next samples.
   *
   * @param view float32, in the core's memory or elsewhere; it must stay as it is until the read is done.
   * @returns the number of samples written, less than fit only at the end and 0 behind it.
   * @throws InvalidArgumentError when `view` is no Float32Array, another read is under way, or the reader was closed.
   * @throws whatever `openSound` throws, and the signal's reason. Everything is closed then, and further reads
   * throw the same.
   */
  read(view: Float32Array): Promise<number>;
  /** Closes files, cancels streams and gives leases and codecs back; a read under way rejects. Further calls do nothing. */
  close(): Promise<void>;
  /** As `close()`, at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Samples of a block before and after the resampler. */
const BLOCK = 8192;

/** What turns blocks of the source's rate into those wanted; undefined where the rates are the same. */
interface Conversion {
  resampler: Resampler;
  input: Lease<"f32">;
  output: Lease<"f32">;
}

/**
 * Makes the reader of a source, which it owns from now on.
 *
 * @param closeSource closes what the source reads from
 * @throws CoreMemoryError, PoolExhaustedError when the core has no room for blocks and filter.
 */
export function createSoundReader(
  core: Core,
  mono: MonoSource,
  targetRate: number,
  interruption: Interruption,
  closeSource: (reason?: unknown) => Promise<void>,
): SoundReader {
  const conversion =
    mono.sampleRate === targetRate ? undefined : openConversion(core, mono.sampleRate, targetRate);
  /** Input samples whose outputs fit into a block. */
  const most = conversion
    ? Math.min(BLOCK, Math.max(1, Math.floor(((BLOCK - 1) * mono.sampleRate) / targetRate)))
    : 0;
  let made = 0;
  let given = 0;
  let flushed = false;
  let position = 0;
  let ended = false;
  let failed = false;
  let failure: unknown;
  let reading: Promise<number> | undefined;
  let releasing: Promise<void> | undefined;

  /** Gives everything back; no read is under way in the core then. */
  function release(reason?: unknown): Promise<void> {
    releasing ??= (async () => {
      interruption.leave();
      if (conversion) closeConversion(conversion);
      mono.free();
      await closeSource(reason);
    })();
    return releasing;
  }

  /** Makes the next block of outputs. */
  async function convert({ resampler, input, output }: Conversion): Promise<void> {
    given = 0;
    made = 0;
    while (made === 0 && !flushed) {
      const block = input.view.subarray(0, most);
      const count = await mono.read(block);
      flushTiny(block, count);
      if (count > 0) made = resampler.process(block.subarray(0, count), output.view);
      else {
        made = resampler.flush(output.view);
        flushed = true;
      }
    }
  }

  async function fill(view: Float32Array): Promise<number> {
    let filled = 0;
    while (filled < view.length) {
      if (failed) throw failure;
      if (!conversion) {
        const count = await mono.read(filled === 0 ? view : view.subarray(filled));
        if (count === 0) return end(filled);
        filled += count;
        continue;
      }
      if (given === made) {
        await convert(conversion);
        if (made === 0) return end(filled);
      }
      const count = Math.min(view.length - filled, made - given);
      view.set(conversion.output.view.subarray(given, given + count), filled);
      given += count;
      filled += count;
    }
    return filled;
  }

  async function end(filled: number): Promise<number> {
    ended = true;
    await release();
    return filled;
  }

  async function run(view: Float32Array): Promise<number> {
    try {
      const filled = await fill(view);
      position += filled;
      return filled;
    } catch (error) {
      fail(error);
      // What goes wrong while a source that failed is closed has nothing to add.
      await release(error).catch(() => {});
      throw failure;
    } finally {
      reading = undefined;
    }
  }

  function fail(error: unknown): void {
    if (failed) return;
    failed = true;
    failure = error;
  }

  async function read(view: Float32Array): Promise<number> {
    if (!(view instanceof Float32Array)) {
      throw new InvalidArgumentError(`read: view is ${describe(view)}; give a Float32Array`);
    }
    if (reading) throw new InvalidArgumentError("read: another read is under way; wait for it");
    if (failed) throw failure;
    if (ended) return 0;
    reading = run(view);
    return reading;
  }

  // Without a read under way nobody else notices an abort.
  interruption.onStop((reason) => {
    if (ended) return;
    fail(reason);
    if (!reading) release(reason).catch(() => {});
  });

  async function close(): Promise<void> {
    const closed = new InvalidArgumentError("the sound was closed; open it again");
    fail(closed);
    interruption.stop(closed);
    await reading?.catch(() => {}); // its own caller is told
    await release();
  }

  return {
    sampleRate: targetRate,
    source: { format: mono.format, sampleRate: mono.sampleRate, channels: mono.channels },
    duration: mono.duration,
    get position() {
      return position;
    },
    read,
    close,
    [asyncDispose]: close,
  } as SoundReader;
}

function openConversion(core: Core, from: number, to: number): Conversion {
  const resampler = createResampler(core, { from, to, nonFinite: "pass" });
  const leases: Lease<"f32">[] = [];
  try {
    leases.push(statePool(core, "sound", BLOCK).acquire());
    // The filter's end may be longer than a block where the rate goes up by much.
    const flush = Math.ceil(((resampler.delay + 1) * to) / from) + 1;
    leases.push(statePool(core, "sound", Math.max(BLOCK, flush)).acquire());
    return { resampler, input: leases[0]!, output: leases[1]! };
  } catch (error) {
    for (const lease of leases) lease.release();
    resampler.close();
    throw error;
  }
}

function closeConversion({ resampler, input, output }: Conversion): void {
  resampler.close();
  input.release();
  output.release();
}
