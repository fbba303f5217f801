/**
 * The audio worklet of a microphone: each quantum goes through a pooled block into the ring on shared memory, or, without that,
 * into transferred blocks. On shared memory `process` allocates nothing and posts nothing. It imports nothing that an
 * AudioWorkletGlobalScope lacks.
 */
import { attachCore } from "../core/attach-core.ts";
import type { Core } from "../core/core.ts";
import type { ProcessorAnswer } from "./quantum-link.ts";
import {
  type PortPlace,
  PROCESSOR,
  portSink,
  type SharedPlace,
  type Sink,
  sharedSink,
} from "./quantum-sink.ts";

/** What the page tells the processor, none of it while sound is taken: where quanta go; to rest, and to go on; to end. */
export type ProcessorRequest = SharedPlace | PortPlace | "pause" | "resume" | "end";

declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new (options: never) => object): void;

class MicrophoneProcessor extends AudioWorkletProcessor {
  #core: Core | undefined;
  #sink: Sink | undefined;
  #paused = false;
  #ended = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ProcessorRequest>) => {
      if (data === "end") this.#end();
      else if (typeof data === "string") this.#paused = data === "pause";
      else this.#start(data);
    };
  }

  #say(says: string): void {
    const agent = this.#core?.agent;
    this.port.postMessage({ says, ...(agent !== undefined && { agent }) } satisfies ProcessorAnswer);
  }

  #start(place: SharedPlace | PortPlace): void {
    try {
      if ("port" in place) this.#sink = portSink(place);
      else {
        this.#core = attachCore(place.handle);
        this.#sink = sharedSink(this.#core, place);
      }
      this.#say("started");
    } catch (error) {
      this.#say(String(error));
      this.#core?.leave();
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sink?.end();
    this.#core?.leave();
    this.#say("ended");
  }

  process(inputs: readonly (readonly Float32Array[])[]): boolean {
    if (this.#sink !== undefined && !this.#ended && !this.#paused) this.#sink.take(inputs[0]!);
    return !this.#ended;
  }
}

registerProcessor(PROCESSOR, MicrophoneProcessor);
