import { InvalidArgumentError, MicrophoneError } from "../core/errors.ts";
import { revivedError } from "../core/posted-error.ts";
import { settleable } from "../core/settleable.ts";
import type { Transcription } from "../transcription/transcription.ts";
import { createInbox } from "./inbox.ts";
import { confidenceOf } from "./joined-transcription.ts";
import type { GateOptions, PostedCallOptions, SpeechReply } from "./messages.ts";
import type { Heard, Microphone, MicrophoneState } from "./microphone.ts";
import type { ProcessorGraph } from "./microphone-graph.ts";
import type { OpenInput } from "./sound-input.ts";
import { createSpectrogramView } from "./spectrogram-view.ts";
import type { SpeechWorker } from "./speech-worker.ts";
import { wholeUrl } from "./whole-urls.ts";

/** What listening needs beside source, worker and processor. */
export interface ListenParts {
  callOptions: PostedCallOptions;
  gate: GateOptions;
  partials: boolean;
  whenHidden: "pause" | "listen";
  signal: AbortSignal | undefined;
  /** Ends the graph, and whatever else was opened for the microphone. */
  giveBack(): Promise<void>;
}

/**
 * Has the worker listen to what the processor writes, and tells what it hears.
 *
 * @throws what the worker says when it cannot begin; the caller gives back then.
 */
export async function listen(
  input: OpenInput,
  speech: SpeechWorker,
  graph: ProcessorGraph,
  { callOptions, gate, partials, whenHidden, signal, giveBack }: ListenParts,
): Promise<Microphone> {
  const context = "context" in input ? input.context : undefined;
  const { link } = graph;
  const target = new EventTarget();
  const heard = createInbox<Heard>();
  const sampleRate = Math.round(("context" in input ? input.context : input.buffer).sampleRate);
  let state: MicrophoneState = "starting";
  let error: Error | undefined;
  let spectrogram: ReturnType<typeof createSpectrogramView> | undefined;
  let counts = { quanta: 0, dropped: 0 };
  let stopping: Promise<Transcription> | undefined;
  let closing: Promise<void> | undefined;
  const listening = settleable<void>();
  const result = settleable<Transcription>();
  /** The worker touches nothing of this call any more. */
  const over = settleable<void>();

  function become(next: MicrophoneState): void {
    if (state === next || state === "stopped" || state === "failed") return;
    state = next;
    target.dispatchEvent(new Event("statechange"));
  }

  function tell(one: Heard): void {
    heard.put(one);
    target.dispatchEvent(new CustomEvent(one.type, { detail: one }));
  }

  function fail(cause: unknown): void {
    if (closing) return;
    error = cause instanceof Error ? cause : new Error(String(cause));
    become("failed");
    result.reject(error);
    listening.reject(error);
    heard.fail(error);
    // What does not close has its reason in the error already.
    close().catch(() => undefined);
  }

  function reply(message: Extract<SpeechReply, { id: number }>): void {
    if (message.type === "segment") {
      const { segment } = message;
      const { text, start, end } = segment;
      tell({ type: "final", text, start, end, confidence: confidenceOf([segment]), segment });
    } else if (message.type === "partial") tell({ type: "partial", ...message.partial });
    else if (message.type === "listening") {
      spectrogram = createSpectrogramView(speech.core, message.spectrogram);
      listening.resolve();
    } else if (message.type === "frames") {
      counts = { quanta: message.quanta, dropped: message.dropped };
      spectrogram?.update(message.written, message.values);
    } else if (message.type === "done") {
      over.resolve();
      result.resolve(message.result);
    } else if (message.type === "error") {
      over.resolve();
      fail(revivedError(message.error));
    }
  }

  const id = speech.link.open({
    reply,
    lost(cause) {
      over.resolve();
      fail(cause);
    },
  });

  /** Whether the caller wants a pause. */
  let resting = false;
  /** Whether the processor was told of one. */
  let paused = false;
  const hidden = () => whenHidden === "pause" && document.visibilityState === "hidden";

  /** Brings the state up to what context, page and caller say. */
  function follow(): void {
    if (stopping || closing) return;
    const live = context && !isOffline(context) ? context.state : "running";
    if (live === "closed") {
      fail(new MicrophoneError("microphone-lost", "the AudioContext was closed; open the microphone again"));
      return;
    }
    const now = resting || hidden();
    if (now !== paused) graph.pause(now);
    paused = now;
    become(paused || live !== "running" ? "paused" : "listening");
  }

  async function stop(): Promise<Transcription> {
    if (closing) return result.promise;
    become("finishing");
    await graph.finished;
    await graph.silence();
    if (!closing) counts = link.counts() ?? counts;
    speech.link.post({ type: "finish", id });
    try {
      return await result.promise;
    } finally {
      await close();
    }
  }

  async function end(): Promise<void> {
    signal?.removeEventListener("abort", abort);
    context?.removeEventListener("statechange", follow);
    document.removeEventListener("visibilitychange", follow);
    await graph.silence();
    counts = link.counts() ?? counts;
    // Not heard by a call that is done.
    speech.link.post({ type: "abort", id });
    result.reject(signal?.aborted ? signal.reason : new InvalidArgumentError("the microphone was closed"));
    await over.promise;
    try {
      // A worker that is disposed of, such as the microphone's own with the rest, waits for the call to be off its list.
      await graph.end().finally(() => speech.link.close(id));
      await giveBack();
    } finally {
      become("stopped");
      heard.end();
    }
  }
  function finish(): Promise<Transcription> {
    stopping ??= stop();
    return stopping;
  }
  const lose = () =>
    fail(
      new MicrophoneError(
        "microphone-lost",
        "the microphone was disconnected or blocked; connect it, and open it again",
      ),
    );
  function close(): Promise<void> {
    closing ??= end();
    return closing;
  }
  const abort = () => void close().catch(() => undefined);

  try {
    speech.link.listen({
      id,
      sampleRate,
      options: callOptions,
      gate: wholeGate(gate),
      partials,
      patient: "buffer" in input,
      ...link.worker,
    });
    await listening.promise;
    signal?.throwIfAborted();
  } catch (cause) {
    // A call that failed has closed; the caller gives back what is left, which is nothing then.
    await close();
    throw cause;
  }
  graph.connect();
  signal?.addEventListener("abort", abort, { once: true });
  context?.addEventListener("statechange", follow);
  document.addEventListener("visibilitychange", follow);
  if ("context" in input) input.onEnded(lose);
  follow();
  void graph.finished?.then(finish).catch(() => undefined);

  return {
    get state() {
      return state;
    },
    get error() {
      return error;
    },
    transport: link.transport,
    sampleRate,
    spectrogram: spectrogram!,
    addEventListener: target.addEventListener.bind(target) as Microphone["addEventListener"],
    removeEventListener: target.removeEventListener.bind(target) as Microphone["removeEventListener"],
    [Symbol.asyncIterator]: () => heard[Symbol.asyncIterator](),
    async stats() {
      if (!closing) counts = link.counts() ?? counts;
      const fill = closing ? undefined : link.fill();
      return { ...counts, fill, ...(await speech.stats()) };
    },
    pause() {
      resting = true;
      follow();
    },
    async resume() {
      resting = false;
      follow();
      if (context && !isOffline(context) && !closing) await (context as AudioContext).resume();
    },
    stop: finish,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The gate with its weights' URL as the page sees it. */
function wholeGate(gate: GateOptions): GateOptions {
  const { detector } = gate;
  return typeof detector === "object" ? { ...gate, detector: { silero: wholeUrl(detector.silero) } } : gate;
}

/** Offline contexts are suspended until they render, and closed behind that: neither is news. */
function isOffline(context: BaseAudioContext): context is OfflineAudioContext {
  return typeof OfflineAudioContext !== "undefined" && context instanceof OfflineAudioContext;
}
