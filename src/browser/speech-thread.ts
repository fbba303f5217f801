/** The program of a speech worker: it holds the model, so that nothing is computed on the page's thread. */
import { attachCore } from "../core/attach-core.ts";
import type { Core } from "../core/core.ts";
import { postedError } from "../core/posted-error.ts";
import type { ProviderReport } from "../inference/providers.ts";
import type { StageTimes } from "../transcription/stage-times.ts";
import { createTranscriber, type Transcriber } from "../transcription/transcriber.ts";
import type { Transcription } from "../transcription/transcription.ts";
import { type Listener, startListener } from "./listener.ts";
import type { ListenRequest, PostedModelOptions, SpeechReply, SpeechRequest } from "./messages.ts";
import { portInput, ringInput } from "./microphone-input.ts";

/** What a dedicated worker's global object has of what is used here. */
interface WorkerScope {
  postMessage(message: SpeechReply, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<SpeechRequest>) => void) | null;
}
const scope = globalThis as unknown as WorkerScope;
const post = (reply: SpeechReply, transfer: Transferable[] = []) => scope.postMessage(reply, transfer);

/** Calls at work, by number: what ends them, and when they have. */
const calls = new Map<number, { abort: AbortController; over: Promise<void> }>();
const listeners = new Map<number, Listener>();
/** Listeners that are to finish before they have begun. */
const finished = new Set<number>();
let loading: Promise<Transcriber> | undefined;
const stop = new AbortController();
let shared: Core | undefined;
let providers: ProviderReport | undefined;
let lostSeconds = 0;
const times: StageTimes = { audio: 0, mel: 0, encoder: 0, decoder: 0, total: 0 };

/** Notes what a result says of its making. */
function note(result: Transcription): void {
  providers = result.providers;
  for (const stage of Object.keys(times) as (keyof StageTimes)[]) times[stage] += result.times[stage];
}

async function load(request: Extract<SpeechRequest, { type: "load" }>): Promise<Transcriber> {
  const options: PostedModelOptions = request.options;
  if (request.core) {
    shared = attachCore(request.core);
    post({ type: "attached", agent: shared.agent });
  }
  const transcriber = await createTranscriber({
    ...options,
    ...(shared && { core: shared }),
    signal: stop.signal,
    onDownload: (progress) => post({ type: "download", progress }),
    onLoading: () => post({ type: "loading" }),
  });
  const { model, languages } = transcriber;
  post({ type: "ready", model: model.name, languages });
  return transcriber;
}

/** Runs a call, which tells what goes wrong; what it took is back when it ends, however. */
function call(id: number, work: (transcriber: Transcriber, signal: AbortSignal) => Promise<void>): void {
  const abort = new AbortController();
  async function run(): Promise<void> {
    try {
      await work(await loading!, abort.signal);
    } catch (error) {
      post({ type: "error", id, error: postedError(error) });
    } finally {
      calls.delete(id);
      finished.delete(id);
    }
  }
  calls.set(id, { abort, over: run() });
}

function transcribe({ id, sound, options }: Extract<SpeechRequest, { type: "transcribe" }>): void {
  call(id, async (transcriber, signal) => {
    const segments = transcriber.stream(sound, {
      ...options,
      signal,
      onProgress: (progress) => post({ type: "progress", id, progress }),
    });
    let step = await segments.next();
    while (!step.done) {
      post({ type: "segment", id, segment: step.value });
      step = await segments.next();
    }
    note(step.value);
    post({ type: "done", id, result: step.value });
  });
}

function listen({ id, sampleRate, ring, port, ...rest }: ListenRequest): void {
  call(id, async (transcriber, signal) => {
    const { core } = transcriber;
    const input = port ? portInput(port) : ringInput(core, ring!.name, ring!.words);
    const listener = await startListener(
      core,
      transcriber,
      input,
      { sampleRate, ...rest, signal },
      {
        segment: (segment) => post({ type: "segment", id, segment }),
        partial: (partial) => post({ type: "partial", id, partial }),
        ...(port && {
          frames: (written: number, values: Float32Array) => {
            const { quanta, dropped } = input.counts!;
            post({ type: "frames", id, written, values, quanta, dropped }, [values.buffer as ArrayBuffer]);
          },
        }),
      },
    );
    listeners.set(id, listener);
    if (finished.delete(id)) listener.finish();
    try {
      post({ type: "listening", id, spectrogram: listener.spectrogram });
      const result = await listener.done;
      note(result);
      post({ type: "done", id, result });
    } finally {
      lostSeconds += listener.lostSeconds;
      listeners.delete(id);
    }
  });
}

function finish(id: number): void {
  const listener = listeners.get(id);
  if (listener) listener.finish();
  else if (calls.has(id)) finished.add(id);
}

async function dispose(): Promise<void> {
  stop.abort(new Error("the speech worker was disposed of"));
  const ending = [...calls.values()];
  for (const { abort } of ending) abort.abort(stop.signal.reason);
  // Before the core is left: they have leases in it.
  await Promise.all(ending.map(({ over }) => over));
  try {
    await (await loading)?.dispose();
  } catch {
    // It did not load: the page was told then.
  }
  shared?.leave();
  post({ type: "disposed" });
}

scope.onmessage = ({ data }) => {
  if (data.type === "load") {
    loading = load(data);
    loading.catch((error) => post({ type: "failed", error: postedError(error) }));
  } else if (data.type === "transcribe") transcribe(data);
  else if (data.type === "listen") listen(data);
  else if (data.type === "finish") finish(data.id);
  else if (data.type === "abort") calls.get(data.id)?.abort.abort(new Error("the call was ended"));
  else if (data.type === "dispose") void dispose();
  else {
    const { id } = data;
    const lost = [...listeners.values()].reduce((sum, listener) => sum + listener.lostSeconds, lostSeconds);
    loading?.then(
      (transcriber) =>
        post({
          type: "stats",
          id,
          // The page reads those on shared memory itself.
          pools: shared ? [] : transcriber.stats(),
          ...(providers && { providers }),
          times,
          lostSeconds: lost,
        }),
      (error) => post({ type: "error", id, error: postedError(error) }),
    );
  }
};
