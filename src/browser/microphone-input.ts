import type { Core } from "../core/core.ts";
import type { AnalysisWindow } from "../pools/analysis-window.ts";
import { openAnalysisBuffer } from "../pools/create-analysis-buffer.ts";
import { WORD, WORDS } from "./quantum-sink.ts";

/** Sound of one source as it comes into the worker, at the source's own rate. */
export interface MicrophoneInput {
  /**
   * The next block; valid until the next call. Undefined when nothing is there now.
   *
   * @param last whether no more comes, so that what makes no whole block is given too
   */
  read(last: boolean): Float32Array | undefined;
  /** Resolves when there may be more, or after so many milliseconds. */
  changed(milliseconds: number): Promise<void>;
  /** Whether all that was sent has come, once the sender has ended. */
  readonly complete: boolean;
  /** Quanta taken and dropped on the other side of a port; undefined where shared memory has the counts. */
  readonly counts: { quanta: number; dropped: number } | undefined;
  close(): void;
}

/** What the processor posts through a port, and gets back to fill again. */
export interface PortBlock {
  samples: Float32Array<ArrayBuffer>;
  /** Samples that are filled, all unless the sound has ended. */
  count: number;
  /** Quanta so far, and those that found no block free. */
  quanta: number;
  dropped: number;
  /** Whether it is the last: it may hold nothing. */
  last: boolean;
}

/** Atomics.waitAsync, which Firefox before 145 and TypeScript's library lack. */
type WaitAsync = (
  words: Int32Array,
  at: number,
  value: number,
  timeout: number,
) => { value: Promise<string> | string };
/** Milliseconds between two looks at the ring, where nothing tells of a change. Not Atomics.wait: messages are to be heard. */
const POLL = 20;

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** Reads the ring that the processor writes on shared memory, and wakes with its signal. */
export function ringInput(core: Core, name: string, address: number): MicrophoneInput {
  const ring = openAnalysisBuffer(core, name);
  const words = new Int32Array(core.buffer, address, WORDS);
  const { waitAsync } = Atomics as { waitAsync?: WaitAsync };
  let window: AnalysisWindow | undefined;
  /** The signal as it was when the ring was last read. */
  let seen = 0;
  return {
    read(last) {
      window?.release();
      seen = Atomics.load(words, WORD.signal);
      const rest = last ? ring.stats() : undefined;
      if (rest && rest.buffered > 0 && rest.buffered < rest.window) {
        ring.reconfigure({ window: rest.buffered });
      }
      window = ring.read();
      return window?.view;
    },
    async changed(milliseconds) {
      if (waitAsync) await waitAsync(words, WORD.signal, seen, milliseconds).value;
      else await sleep(Math.min(POLL, milliseconds));
    },
    complete: true,
    counts: undefined,
    close() {
      window?.release();
      window = undefined;
    },
  };
}

/** Takes blocks from a port, and sends each back once the next is asked for. */
export function portInput(port: MessagePort): MicrophoneInput {
  const arrived: PortBlock[] = [];
  const counts = { quanta: 0, dropped: 0 };
  let held: PortBlock | undefined;
  port.onmessage = ({ data }: MessageEvent<PortBlock>) => {
    counts.quanta = data.quanta;
    counts.dropped = data.dropped;
    arrived.push(data);
    complete ||= data.last;
    wake();
  };
  let wake = () => {};
  let complete = false;
  const giveBack = () => {
    if (held) port.postMessage(held.samples, [held.samples.buffer]);
    held = undefined;
  };
  return {
    read() {
      giveBack();
      held = arrived.shift();
      return held?.samples.subarray(0, held.count);
    },
    async changed(milliseconds) {
      if (arrived.length > 0) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, milliseconds);
      });
    },
    get complete() {
      return complete;
    },
    counts,
    close() {
      giveBack();
      for (const { samples } of arrived.splice(0)) port.postMessage(samples, [samples.buffer]);
      port.close();
    },
  };
}
