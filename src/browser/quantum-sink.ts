/**
 * What takes quanta of sound in: in an audio worklet, whose global scope allows few imports, or in a page for sound that is there
 * already. Loops go by index throughout: patterns, iterators and subarrays allocate.
 */
import type { Core, CoreHandle } from "../core/core.ts";
import { openAudioBlockPool } from "../pools/audio-block-pool.ts";
import { openAnalysisBuffer } from "../pools/create-analysis-buffer.ts";
import type { PortBlock } from "./microphone-input.ts";

/** The name that the processor is registered under. */
export const PROCESSOR = "wavepool-microphone";
/** Frames of a quantum, where no context says otherwise. */
export const QUANTUM = 128;

/** Where quanta go on shared memory: a block pool and a ring by name, and the address of the words below. */
export interface SharedPlace {
  handle: CoreHandle;
  blocks: string;
  ring: string;
  words: number;
}

/** Where they go without: to a port, in blocks of one length that come back. */
export interface PortPlace {
  port: MessagePort;
  buffers: ArrayBuffer[];
  /** Frames of a quantum. */
  quantum: number;
}

/** Words on shared memory, Int32: written by the sink, read by page and worker. */
export const WORD = {
  /** Quanta that came, and those that found no room. */
  quanta: 0,
  dropped: 1,
  /** Rises with each window of quanta; the worker waits for it. */
  signal: 2,
} as const;
export const WORDS = 3;

/** Quanta of a window that the worker reads at once; a power of two. */
export const WINDOW_QUANTA = 8;

/** Takes quanta; without channels, which a source has that has ended, they are silent. */
export interface Sink {
  take(channels: readonly Float32Array[]): void;
  /** Whether there is room for about a second. Allocates: not for the audio thread. */
  hasRoom(): boolean;
  /** Passes on what waits to be. */
  end(): void;
}

/** Writes the mean of all channels. */
function mixInto(view: Float32Array, at: number, channels: readonly Float32Array[], quantum: number): void {
  const count = channels.length;
  if (count === 0) {
    view.fill(0, at, at + quantum);
    return;
  }
  const first = channels[0]!;
  const { length } = first;
  if (count === 1) {
    for (let i = 0; i < length; i++) view[at + i] = first[i]!;
    return;
  }
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let c = 0; c < count; c++) sum += channels[c]![i]!;
    view[at + i] = sum / count;
  }
}

/**
 * Through the block pool into the ring. `take` allocates nothing, posts nothing and never waits; a quantum for which there is no
 * block, or no room, is counted and dropped.
 *
 * @throws InvalidArgumentError when pool or ring are not there.
 */
export function sharedSink(core: Core, place: SharedPlace): Sink {
  const blocks = openAudioBlockPool(core, place.blocks);
  const ring = openAnalysisBuffer(core, place.ring);
  const words = new Int32Array(core.buffer, place.words, WORDS);
  const { sampleRate, capacity } = ring;
  function wake(): void {
    Atomics.add(words, WORD.signal, 1);
    Atomics.notify(words, WORD.signal);
  }
  return {
    take(channels) {
      const quanta = words[WORD.quanta]! + 1;
      words[WORD.quanta] = quanta;
      const block = blocks.acquire();
      if (block === 0) {
        words[WORD.dropped]!++;
        return;
      }
      const view = blocks.channel(block, 0);
      mixInto(view, 0, channels, view.length);
      if (ring.write(view) === 0) words[WORD.dropped]!++;
      blocks.release(block);
      if ((quanta & (WINDOW_QUANTA - 1)) === 0) wake();
    },
    hasRoom: () => capacity - ring.stats().buffered > sampleRate,
    end: wake,
  };
}

/** Into blocks that go to the worker and come back. */
export function portSink({ port, buffers, quantum }: PortPlace): Sink {
  const free = buffers.map((buffer) => new Float32Array(buffer));
  let block: Float32Array<ArrayBuffer> | undefined;
  let filled = 0;
  let quanta = 0;
  let dropped = 0;
  port.onmessage = ({ data }: MessageEvent<Float32Array<ArrayBuffer>>) => {
    if (data.length > 0) free.push(data);
  };
  function send(last: boolean): void {
    const samples = block ?? new Float32Array(0);
    const count = block ? filled : 0;
    port.postMessage({ samples, count, quanta, dropped, last } satisfies PortBlock, [samples.buffer]);
    block = undefined;
  }
  return {
    take(channels) {
      quanta++;
      const length = channels.length === 0 ? quantum : channels[0]!.length;
      if (block && filled + length > block.length) send(false);
      if (!block) {
        block = free.pop();
        filled = 0;
      }
      if (!block) {
        dropped++;
        return;
      }
      mixInto(block, filled, channels, length);
      filled += length;
    },
    // A block lasts a tenth of a second.
    hasRoom: () => free.length > 10,
    end: () => send(true),
  };
}
