import { adapter } from "#adapter";
import type { Core } from "../core/core.ts";
import type { ProcessorGraph } from "./microphone-graph.ts";
import { portLink, sharedLink } from "./quantum-link.ts";
import { portSink, QUANTUM, sharedSink } from "./quantum-sink.ts";

/** Quanta between two turns of the page's other tasks: a millisecond of work. */
const TURN = 256;
/** Milliseconds to wait for room. */
const FULL = 20;

/**
 * Passes an AudioBuffer on as the audio thread would, as fast as the worker takes it: no quantum is dropped.
 *
 * @param core on shared memory, or undefined for blocks that are transferred
 */
export function feedBuffer(buffer: AudioBuffer, core: Core | undefined): ProcessorGraph {
  const rate = Math.round(buffer.sampleRate);
  const link = core ? sharedLink(core, rate, QUANTUM) : portLink(rate, QUANTUM);
  const sink = "port" in link.start ? portSink(link.start) : sharedSink(core!, link.start);
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, c) => buffer.getChannelData(c));
  let paused = false;
  let stopped = false;
  let done = () => {};
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });

  async function feed(): Promise<void> {
    for (let at = 0, quanta = 1; at < buffer.length && !stopped; at += QUANTUM, quanta++) {
      while ((paused || !sink.hasRoom()) && !stopped) {
        await new Promise((resolve) => setTimeout(resolve, FULL));
      }
      const whole = at + QUANTUM <= buffer.length;
      sink.take(
        channels.map((samples) => (whole ? samples.subarray(at, at + QUANTUM) : ending(samples, at))),
      );
      if (quanta % TURN === 0) await adapter.nextTask();
    }
    sink.end();
    done();
  }

  /** The last samples of a channel, with silence behind them. */
  function ending(samples: Float32Array, at: number): Float32Array {
    const padded = new Float32Array(QUANTUM);
    padded.set(samples.subarray(at));
    return padded;
  }

  let silenced: Promise<void> | undefined;
  const graph: ProcessorGraph = {
    link,
    finished,
    connect() {
      silenced = feed();
    },
    pause(now) {
      paused = now;
    },
    async silence() {
      stopped = true;
      await silenced;
      done();
    },
    async end() {
      await graph.silence();
      link.close();
    },
  };
  return graph;
}
