import type { Core } from "../core/core.ts";
import { MicrophoneError } from "../core/errors.ts";
import { createAudioBlockPool } from "../pools/audio-block-pool.ts";
import { createAnalysisBuffer } from "../pools/create-analysis-buffer.ts";
import { createBufferPool } from "../pools/create-buffer-pool.ts";
import { type PortPlace, type SharedPlace, WINDOW_QUANTA, WORD, WORDS } from "./quantum-sink.ts";

/** How quanta come from the audio thread to the worker. */
export type Transport = "shared" | "transferred";

/** One end of it for the processor, the other for the worker. */
export interface QuantumLink {
  readonly transport: Transport;
  /** What the processor is started with, and what is transferred with it. */
  readonly start: SharedPlace | PortPlace;
  readonly transfer: Transferable[];
  /** What the worker is told. */
  readonly worker: { ring: { name: string; words: number } } | { port: MessagePort };
  /** Quanta taken and dropped so far, where shared memory has them. */
  counts(): { quanta: number; dropped: number } | undefined;
  /** Part of the ring that waits for the worker, 0 to 1; undefined for a port. */
  fill(): number | undefined;
  /** Gives everything back, once neither side is at work. Further calls do nothing. */
  close(): void;
}

/** Seconds that the ring holds: the longest that a model keeps its worker's thread, and more. */
const RING_SECONDS = 30;
/** Blocks of the real-time pool: one is in use at a time, and a few spare ones cost nothing. */
const BLOCKS = 16;
/** Seconds of a block that circulates through a port: as much sound in all as the ring holds. */
const PORT_SECONDS = 0.1;
const PORT_BLOCKS = RING_SECONDS / PORT_SECONDS;

let links = 0;

/** Makes pool, ring and counters in shared memory. */
export function sharedLink(core: Core, sampleRate: number, quantum: number): QuantumLink {
  const name = `microphone ${++links}`;
  const window = WINDOW_QUANTA * quantum;
  const ends: (() => unknown)[] = [];
  const close = () => {
    for (const end of ends.splice(0).reverse()) end();
  };
  try {
    const blocks = createAudioBlockPool(core, {
      name: `${name} quanta`,
      channels: 1,
      frames: quantum,
      blocks: BLOCKS,
    });
    ends.push(() => blocks.shutdown());
    const ring = createAnalysisBuffer(core, {
      name,
      sampleRate,
      window,
      maxWindow: window,
      capacity: Math.ceil((RING_SECONDS * sampleRate) / window) * window,
      whenFull: "reject",
      windows: 2,
    });
    ends.push(() => ring.shutdown());
    const pool = createBufferPool(core, { name: `${name} words`, dtype: "i32", shape: WORDS, max: 1 });
    ends.push(() => pool.shutdown());
    const words = pool.acquire();
    ends.push(() => words.release());
    words.view.fill(0);
    const address = words.view.byteOffset;
    return {
      transport: "shared",
      start: { handle: core.share(), blocks: blocks.name, ring: name, words: address },
      transfer: [],
      worker: { ring: { name, words: address } },
      counts: () => ({ quanta: words.view[WORD.quanta]!, dropped: words.view[WORD.dropped]! }),
      fill() {
        const { buffered, capacity } = ring.stats();
        return buffered / capacity;
      },
      close,
    };
  } catch (error) {
    // A core that is too small keeps nothing of what did fit.
    close();
    throw error;
  }
}

/** Makes blocks that are transferred from the audio thread to the worker and back. */
export function portLink(sampleRate: number, quantum: number): QuantumLink {
  const { port1, port2 } = new MessageChannel();
  const quanta = Math.max(1, Math.round((PORT_SECONDS * sampleRate) / quantum));
  const buffers = Array.from({ length: PORT_BLOCKS }, () => new ArrayBuffer(4 * quanta * quantum));
  return {
    transport: "transferred",
    start: { port: port1, buffers, quantum },
    transfer: [port1, ...buffers],
    worker: { port: port2 },
    counts: () => undefined,
    fill: () => undefined,
    close() {},
  };
}

/** What the processor says: what it has done, and which agent of the core it is, or what went wrong. */
export interface ProcessorAnswer {
  says: string;
  agent?: number;
}

/** Milliseconds that the processor has to answer. */
const ANSWER_TIMEOUT = 10_000;

/**
 * Waits for the processor to say what is expected.
 *
 * @throws MicrophoneError with what it says instead, or when it says nothing.
 */
export function processorSays(
  port: MessagePort,
  expected: string,
  timeout: number = ANSWER_TIMEOUT,
): Promise<ProcessorAnswer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish({ says: "it does not answer" }), timeout);
    const hear = ({ data }: MessageEvent<ProcessorAnswer>) => finish(data);
    function finish(answer: ProcessorAnswer): void {
      clearTimeout(timer);
      port.removeEventListener("message", hear);
      if (answer.says === expected) resolve(answer);
      else {
        reject(
          new MicrophoneError(
            "microphone-failed",
            `the audio worklet failed: ${answer.says}; reload the page`,
          ),
        );
      }
    }
    port.addEventListener("message", hear);
    port.start();
  });
}
