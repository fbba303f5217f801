import type { Core } from "../core/core.ts";
import { MicrophoneError, messageOf } from "../core/errors.ts";
import { portLink, processorSays, type QuantumLink, sharedLink } from "./quantum-link.ts";
import { PROCESSOR, QUANTUM } from "./quantum-sink.ts";
import type { GraphInput } from "./sound-input.ts";
import { openScript } from "./worker-script.ts";

/** Milliseconds that a processor has to end; one of a closed context does not answer. */
const END_TIMEOUT = 5000;
const CLOSED_TIMEOUT = 100;

/** The processor in its graph, or what stands for it. */
export interface ProcessorGraph {
  readonly link: QuantumLink;
  /** Resolves when the source has come to its end; undefined for sources that have none. */
  readonly finished?: Promise<void>;
  connect(): void;
  /** Whether sound is left out for now. */
  pause(paused: boolean): void;
  /** Stops the processor; the link stays for whoever reads on. */
  silence(): Promise<void>;
  /** Gives everything back. Further calls do nothing. */
  end(): Promise<void>;
}

/** Contexts that have the processor: its name can be registered once in each. */
const prepared = new WeakMap<BaseAudioContext, Promise<void>>();

/** Loads the processor into a context. @throws MicrophoneError when it does not load. */
function prepare(context: BaseAudioContext, processorUrl: string | URL | undefined): Promise<void> {
  const known = prepared.get(context);
  if (known) return known;
  const loading = load(context, processorUrl);
  prepared.set(context, loading);
  loading.catch(() => prepared.delete(context));
  return loading;
}

async function load(context: BaseAudioContext, processorUrl: string | URL | undefined): Promise<void> {
  const script = await openScript(
    processorUrl,
    async () => (await import("./microphone-processor-text.generated.ts")).TEXT,
  );
  try {
    await context.audioWorklet.addModule(script.url);
  } catch (cause) {
    throw new MicrophoneError(
      "microphone-failed",
      `the audio worklet ${script.url} does not load: ${messageOf(cause)}; allow script-src blob: in the page's Content-Security-Policy, or give the URL of the package's microphone-processor.js as processorUrl`,
      { cause },
    );
  } finally {
    script.close();
  }
}

/**
 * Loads the processor behind a source and starts it; nothing flows yet.
 *
 * @param core on shared memory, or undefined for blocks that are transferred
 * @throws MicrophoneError when the worklet does not load or start.
 */
export async function connectProcessor(
  { context, node }: GraphInput,
  core: Core | undefined,
  processorUrl: string | URL | undefined,
): Promise<ProcessorGraph> {
  await prepare(context, processorUrl);
  const quantum = (context as { renderQuantumSize?: number }).renderQuantumSize ?? QUANTUM;
  const rate = Math.round(context.sampleRate);
  const link = core ? sharedLink(core, rate, quantum) : portLink(rate, quantum);
  let worklet: AudioWorkletNode;
  try {
    worklet = new AudioWorkletNode(context, PROCESSOR, {
      numberOfInputs: 1,
      numberOfOutputs: 1,
      outputChannelCount: [1],
    });
  } catch (error) {
    link.close();
    throw error;
  }
  let silenced: Promise<void> | undefined;
  let connected = false;
  let agent: number | undefined;
  async function silence(): Promise<void> {
    if (connected) node.disconnect(worklet);
    worklet.disconnect();
    // A context that is closed has no processor that could answer; one that is only slow may still be writing.
    const ended = processorSays(
      worklet.port,
      "ended",
      context.state === "closed" ? CLOSED_TIMEOUT : END_TIMEOUT,
    );
    worklet.port.postMessage("end");
    const answer = await ended.catch(() => undefined);
    // By now it runs no more: disconnected, told to end, or its context closed.
    if (!answer && core && agent !== undefined) core.reclaim(agent);
  }
  try {
    const failed = new Promise<never>((_, reject) => {
      worklet.onprocessorerror = () =>
        reject(
          new MicrophoneError("microphone-failed", "the audio worklet failed to start; reload the page"),
        );
    });
    const started = processorSays(worklet.port, "started");
    worklet.port.postMessage(link.start, link.transfer);
    ({ agent } = await Promise.race([started, failed]));
  } catch (error) {
    // One that starts late is told, too.
    worklet.port.postMessage("end");
    worklet.disconnect();
    link.close();
    throw error;
  }
  const graph: ProcessorGraph = {
    link,
    connect() {
      connected = true;
      node.connect(worklet);
      // Pulled by the destination, and silent: engines may leave out what leads nowhere.
      worklet.connect(context.destination);
    },
    pause: (paused) => worklet.port.postMessage(paused ? "pause" : "resume"),
    silence: () => (silenced ??= silence()),
    async end() {
      await graph.silence();
      worklet.port.close();
      link.close();
    },
  };
  return graph;
}
