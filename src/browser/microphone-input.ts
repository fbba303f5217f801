import type { Core } from "../core/core.ts";
import type { AnalysisWindow } from "../pools/analysis-buffer.ts";
import { openAnalysisBuffer } from "../pools/create-analysis-buffer.ts";

/** Sound of one source as it comes into the worker, at the source's own rate. */
export interface MicrophoneInput {
  /** The next block; valid until the next call. Undefined when nothing is there now. */
  read(): Float32Array | undefined;
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
}

/** Reads the ring that the processor writes on shared memory. */
export function ringInput(core: Core, name: string): MicrophoneInput {
  const ring = openAnalysisBuffer(core, name);
  let window: AnalysisWindow | undefined;
  return {
    read() {
      window?.release();
      window = ring.read();
      return window?.view;
    },
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
  };
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
    counts,
    close() {
      giveBack();
      for (const { samples } of arrived.splice(0)) port.postMessage(samples, [samples.buffer]);
      port.close();
    },
  };
}
