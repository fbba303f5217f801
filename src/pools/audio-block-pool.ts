/** Runs in an audio worklet: see attach-core.ts for what that forbids. */
import { assertOptions, describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import type { CoreExports, Pointer } from "../core/core-exports.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { createPartPool, openBufferPool } from "./create-buffer-pool.ts";
import { COUNTER, type PoolStatistics } from "./pool-statistics.ts";
import { slotIndex, slotMemory } from "./slot-memory.ts";

const DONE = 0;
const NONE = new Float32Array(0);

/** A block of an {@link AudioBlockPool}: a number other than 0, the same in every agent. */
export type AudioBlock = number;

/** How to create a block pool. */
export interface AudioBlockPoolOptions {
  /** Name, unique within the core. */
  name: string;
  /** Channels of a block; 2 by default. */
  channels?: number;
  /** Frames of a block; 512 by default. */
  frames?: number;
  /** Blocks in all; 16 by default. They are all taken at creation and keep their places. */
  blocks?: number;
}

/** What `copyFrom` and `copyTo` take: a Web Audio AudioBuffer, or a worklet's channel arrays. */
export type AudioChannels =
  | readonly Float32Array[]
  | { readonly numberOfChannels: number; getChannelData(channel: number): Float32Array };

/**
 * Blocks of channels × frames of float32 for real-time threads, passed between agents as numbers and shared
 * through reference counts. Nothing here allocates or throws after construction: where a buffer pool would
 * throw, a block pool returns 0, false or an empty array, and counts.
 */
export class AudioBlockPool {
  /** Name, unique within the core. */
  readonly name: string;
  readonly channels: number;
  readonly frames: number;
  readonly blocks: number;
  readonly #exports: CoreExports;
  readonly #pool: BufferPool<"f32">;
  readonly #address: Pointer;
  readonly #shard: Pointer;
  /** The view of channel c of slot i is at i × channels + c. */
  readonly #views: Float32Array[] = [];

  /** @internal */
  constructor(core: Core, pool: BufferPool<"f32">) {
    const [channels, frames] = pool.shape as [number, number];
    this.name = pool.name;
    this.channels = channels;
    this.frames = frames;
    this.blocks = pool.max;
    this.#exports = core.exports;
    this.#pool = pool;
    this.#address = pool.address;
    this.#shard = pool.shard;
    const slots = slotMemory(core, pool.address, "f32", channels * frames);
    for (let i = 0; i < pool.max; i++) {
      const offset = slots.offsetAt(i);
      for (let channel = 0; channel < channels; channel++) {
        this.#views.push(new Float32Array(core.buffer, offset + 4 * frames * channel, frames));
      }
    }
  }

  /** Takes a block, with whatever its last user left in it. Returns 0 when all are in use. */
  acquire(): AudioBlock {
    return this.#pool.freed ? 0 : Math.max(0, this.#exports.poolAcquire(this.#shard, 0));
  }

  /** Adds a reference, so that several voices can share the block. Returns false for a block that is not in use. */
  retain(block: AudioBlock): boolean {
    return !this.#pool.freed && this.#exports.poolRetain(this.#shard, block) === DONE;
  }

  /** Gives a reference back; the block is free after the last. Returns false for a block that is not in use. */
  release(block: AudioBlock): boolean {
    return !this.#pool.freed && this.#exports.poolRelease(this.#shard, block, 0) === DONE;
  }

  /**
   * Lets go of a block that is to be passed on by its number: it stays in use, but is no agent's until another
   * adopts it. Returns false for a block that is not in use.
   */
  handOver(block: AudioBlock): boolean {
    return !this.#pool.freed && this.#exports.poolHandOver(this.#shard, block) === DONE;
  }

  /** Makes this agent the one that holds a block which another agent acquired and passed on. */
  adopt(block: AudioBlock): boolean {
    return !this.#pool.freed && this.#exports.poolAdopt(this.#shard, block) === DONE;
  }

  /** Samples of one channel; an empty array for a block that is not in use, or a channel that there is not. */
  channel(block: AudioBlock, channel: number): Float32Array {
    if (!this.#inUse(block)) return NONE;
    const inRange = channel >= 0 && channel < this.channels;
    return (inRange ? this.#views[slotIndex(block) * this.channels + channel] : undefined) ?? NONE;
  }

  /** Fills a block with silence. Returns false for a block that is not in use. */
  clear(block: AudioBlock): boolean {
    if (!this.#inUse(block)) return false;
    const first = slotIndex(block) * this.channels;
    for (let channel = 0; channel < this.channels; channel++) this.#views[first + channel]!.fill(0);
    return true;
  }

  /**
   * Copies samples into a block, as many as there are in every channel and fit. Channels that the source
   * lacks become silent over the same frames; a source without channels (a worklet's input that nothing is
   * connected to) leaves the block as it was: clear it first.
   *
   * @param offset frame of the block at which they begin, so that quanta of 128 frames fill a longer block.
   * @param start frame of the source at which to begin.
   * @returns the frames copied; 0 for a block that is not in use.
   */
  copyFrom(block: AudioBlock, source: AudioChannels, offset = 0, start = 0): number {
    const count = this.#frameCount(block, source, offset, start);
    for (let channel = 0; channel < this.channels && count > 0; channel++) {
      const target = this.channel(block, channel);
      if (channel >= channelCount(source)) target.fill(0, offset, offset + count);
      else copy(channelOf(source, channel)!, start, target, offset, count);
    }
    return count;
  }

  /** Copies samples out of a block; channels that the block lacks become silent. As {@link copyFrom} otherwise. */
  copyTo(block: AudioBlock, target: AudioChannels, offset = 0, start = 0): number {
    const count = this.#frameCount(block, target, offset, start);
    for (let channel = 0; channel < channelCount(target) && count > 0; channel++) {
      const samples = channelOf(target, channel)!;
      if (channel >= this.channels) samples.fill(0, start, start + count);
      else copy(this.channel(block, channel), offset, samples, start, count);
    }
    return count;
  }

  /** Counts since creation, over all agents. Allocates: not for the audio thread. */
  stats(): PoolStatistics {
    return this.#pool.stats();
  }

  /** Closes the pool and returns the number of blocks still in use. Not for the audio thread. */
  shutdown(): number {
    return this.#pool.shutdown();
  }

  #frameCount(block: AudioBlock, other: AudioChannels, offset: number, start: number): number {
    if (!this.#inUse(block) || !other || !Number.isInteger(offset) || !Number.isInteger(start)) return 0;
    const channels = channelCount(other);
    if (channels === 0 || offset < 0 || start < 0) return 0;
    let frames = this.frames - offset;
    for (let c = 0; c < channels; c++) frames = Math.min(frames, (channelOf(other, c)?.length ?? 0) - start);
    return Math.max(0, frames);
  }

  #inUse(block: AudioBlock): boolean {
    if (this.#pool.freed) return false;
    if (this.#exports.poolAlive(this.#address, block) !== 0) return true;
    this.#exports.poolCount(this.#shard, COUNTER.staleUses, 1);
    return false;
  }
}

function channelCount(channels: AudioChannels): number {
  return "getChannelData" in channels ? channels.numberOfChannels : channels.length;
}

function channelOf(channels: AudioChannels, channel: number): Float32Array | undefined {
  return "getChannelData" in channels ? channels.getChannelData(channel) : channels[channel];
}

/** A loop, because `set` of a part would need a subarray, which allocates. */
function copy(from: Float32Array, start: number, to: Float32Array, offset: number, count: number): void {
  for (let i = 0; i < count; i++) to[offset + i] = from[start + i]!;
}

/**
 * Creates a block pool; every view is made now, so that the audio thread makes none.
 *
 * @throws InvalidArgumentError when an option is out of range or the name is taken in this core.
 * @throws CoreMemoryError when the core has no room; nothing is taken then.
 */
export function createAudioBlockPool(core: Core, options: AudioBlockPoolOptions): AudioBlockPool {
  assertOptions(options, "createAudioBlockPool");
  const { name, channels = 2, frames = 512, blocks = 16 } = options;
  const part = { name, dtype: "f32" as const, shape: [channels, frames], initial: blocks, max: blocks };
  return new AudioBlockPool(core, createPartPool(core, part, { pinned: true }));
}

/**
 * Finds a block pool that another agent created in this memory.
 *
 * @throws InvalidArgumentError when there is none of that name, or it holds no blocks of channels × frames.
 * @throws CoreMemoryError when the core has no room for this agent's counters.
 */
export function openAudioBlockPool(core: Core, name: string): AudioBlockPool {
  const pool = openBufferPool(core, name);
  if (pool.dtype !== "f32" || pool.shape.length !== 2 || !pool.pinned) {
    throw new InvalidArgumentError(
      `pool "${name}" holds ${describe(pool.dtype)} of shape [${pool.shape.join(", ")}]; open one that createAudioBlockPool made`,
    );
  }
  return new AudioBlockPool(core, pool as unknown as BufferPool<"f32">);
}
