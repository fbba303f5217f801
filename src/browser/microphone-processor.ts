/**
 * The audio worklet of a microphone: mixes each quantum down into a pooled block and writes it to the ring on shared memory, or,
 * without that, fills transferred blocks. On shared memory `process` allocates nothing and posts nothing. It imports nothing
 * that an AudioWorkletGlobalScope lacks.
 */
import { attachCore } from "../core/attach-core.ts";
import type { Core, CoreHandle } from "../core/core.ts";
import type { AnalysisBuffer } from "../pools/analysis-buffer.ts";
import { type AudioBlockPool, openAudioBlockPool } from "../pools/audio-block-pool.ts";
import { openAnalysisBuffer } from "../pools/create-analysis-buffer.ts";
import type { PortBlock } from "./microphone-input.ts";
import type { ProcessorAnswer } from "./quantum-link.ts";

/** The name that the processor is registered under. */
const PROCESSOR = "wavepool-microphone";

/** What the page gives the processor, by one message or the other. */
export type ProcessorStart =
  | {
      handle: CoreHandle;
      /** Names of the block pool and the ring, and the address of the two counters. */
      blocks: string;
      ring: string;
      counters: number;
    }
  | {
      port: MessagePort;
      /** Blocks to fill, all of one length. */
      buffers: ArrayBuffer[];
    };

/** Places of the counters, Int32 in shared memory: written here, read by the page. */
export const QUANTA = 0;
export const DROPPED = 1;

declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new (options: never) => object): void;

/** What takes quanta. By index throughout: patterns and iterators allocate. */
interface Sink {
  take(channels: readonly Float32Array[]): void;
  end(): void;
}

function mixInto(view: Float32Array, at: number, channels: readonly Float32Array[]): void {
  const first = channels[0]!;
  const { length } = first;
  const count = channels.length;
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

/** Through the block pool into the ring. A quantum for which there is no block, or no room, is counted and dropped. */
function sharedSink(core: Core, blocks: AudioBlockPool, ring: AnalysisBuffer, counters: Int32Array): Sink {
  return {
    take(channels) {
      counters[QUANTA]!++;
      const block = blocks.acquire();
      if (block === 0) {
        counters[DROPPED]!++;
        return;
      }
      const view = blocks.channel(block, 0);
      mixInto(view, 0, channels);
      if (ring.write(view) === 0) counters[DROPPED]!++;
      blocks.release(block);
    },
    end: () => core.leave(),
  };
}

/** Into blocks that go to the worker and come back. */
function portSink(port: MessagePort, buffers: ArrayBuffer[]): Sink {
  const free = buffers.map((buffer) => new Float32Array(buffer));
  let block: Float32Array<ArrayBuffer> | undefined;
  let filled = 0;
  let quanta = 0;
  let dropped = 0;
  port.onmessage = ({ data }: MessageEvent<Float32Array<ArrayBuffer>>) => void free.push(data);
  function send(): void {
    if (!block) return;
    const posted: PortBlock = { samples: block, count: filled, quanta, dropped };
    port.postMessage(posted, [block.buffer]);
    block = undefined;
  }
  return {
    take(channels) {
      quanta++;
      const { length } = channels[0]!;
      if (block && filled + length > block.length) send();
      if (!block) {
        block = free.pop();
        filled = 0;
      }
      if (!block) {
        dropped++;
        return;
      }
      mixInto(block, filled, channels);
      filled += length;
    },
    end: send,
  };
}

class MicrophoneProcessor extends AudioWorkletProcessor {
  #sink: Sink | undefined;
  #ended = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ProcessorStart | "end">) => {
      if (data === "end") {
        this.#ended = true;
        this.#sink?.end();
        this.#say("ended");
      } else this.#start(data);
    };
  }

  #say(says: string, agent?: number): void {
    this.port.postMessage({ says, ...(agent !== undefined && { agent }) } satisfies ProcessorAnswer);
  }

  #start(start: ProcessorStart): void {
    let agent: number | undefined;
    try {
      if ("port" in start) this.#sink = portSink(start.port, start.buffers);
      else {
        const core = attachCore(start.handle);
        agent = core.agent;
        const counters = new Int32Array(core.buffer, start.counters, 2);
        const blocks = openAudioBlockPool(core, start.blocks);
        this.#sink = sharedSink(core, blocks, openAnalysisBuffer(core, start.ring), counters);
      }
      this.#say("started", agent);
    } catch (error) {
      this.#say(String(error));
    }
  }

  /** Sources that have ended have no channels. */
  process(inputs: readonly (readonly Float32Array[])[]): boolean {
    const input = inputs[0]!;
    if (this.#sink !== undefined && !this.#ended && input.length > 0) this.#sink.take(input);
    return !this.#ended;
  }
}

registerProcessor(PROCESSOR, MicrophoneProcessor);
