import type { RuntimeFiles } from "../adapters/runtime-files.ts";
import { assertOptions } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import { createCore } from "../core/create-core.ts";
import { InferenceError, InvalidArgumentError } from "../core/errors.ts";
import { revivedError } from "../core/posted-error.ts";
import { sharedMemoryWorks } from "../core/runtime-probes.ts";
import { installedRuntimeFiles } from "../inference/web-session.ts";
import type { DownloadProgress } from "../models/download-progress.ts";
import { poolStatistics } from "../pools/pool-statistics.ts";
import type { Progress } from "../transcription/options.ts";
import type { Segment, Transcription } from "../transcription/transcription.ts";
import type {
  ListenRequest,
  PostedCallOptions,
  PostedModelOptions,
  PostedSound,
  SpeechReply,
  SpeechRequest,
  WorkerFigures,
} from "./messages.ts";
import { wholeModel, wholeUrl } from "./whole-urls.ts";
import { assertPage, openScript, type ScriptUrl } from "./worker-script.ts";

/** How to start a speech worker. */
export interface SpeechWorkerOptions extends PostedModelOptions {
  /**
   * URL of the package's `speech-worker.js`, or a worker that runs it. By default the package's own text in a blob, for which a
   * Content-Security-Policy has to allow `worker-src blob:`.
   */
  worker?: string | URL | Worker;
  /** Whether the core lies on memory that threads share; by default where the page is cross-origin isolated. */
  shared?: boolean;
  /** Told how far a download has come. */
  onDownload?: (progress: DownloadProgress) => void;
  /** Called once the model's files are there, before its weights load. */
  onLoading?: () => void;
  /** Ends the loading; the worker with it. */
  signal?: AbortSignal;
}

/** How to transcribe one sound in the worker. */
export interface SpeechCallOptions extends PostedCallOptions {
  onProgress?: (progress: Progress) => void;
  /** Stops the work within a decoding step. */
  signal?: AbortSignal;
}

/** Sound for a worker: a file, its bytes, its URL, or decoded. Bytes and samples are copied over. */
export type WorkerSound = PostedSound | AudioBuffer;

/** Figures of a speech worker: of every pool in its core, and of its work. */
export type SpeechWorkerStatistics = WorkerFigures;

/** What hears of a call. @internal */
export interface CallEvents {
  reply(reply: Extract<SpeechReply, { id: number }>): void;
  lost(error: Error): void;
}

/** A model in a worker of its own. Create it with {@link createSpeechWorker}. */
export interface SpeechWorker {
  /** Name of the model, and the languages that it knows. */
  readonly model: string;
  readonly languages: readonly string[];
  /** The core on shared memory, whose pools page and worker see alike; undefined where memory is not shared. */
  readonly core: Core | undefined;
  /**
   * Turns sound into text; see `createTranscriber`.
   *
   * @throws WavepoolError by its `code`; the signal's reason when it is aborted.
   */
  transcribe(sound: WorkerSound, options?: SpeechCallOptions): Promise<Transcription>;
  /** The same, giving each segment as it is done; leaving the loop stops the work. */
  stream(sound: WorkerSound, options?: SpeechCallOptions): AsyncGenerator<Segment, Transcription, void>;
  /** Pools of the worker's core, and what ran the model. */
  stats(): Promise<SpeechWorkerStatistics>;
  /** Ends calls and worker. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  /** Why it can do nothing any more: it failed or was disposed of. */
  readonly lost: Error | undefined;
  /** For microphones. @internal */
  readonly link: SpeechLink;
}

/** What a microphone has of a speech worker. @internal */
export interface SpeechLink {
  open(events: CallEvents): number;
  close(id: number): void;
  post(request: SpeechRequest, transfer?: Transferable[]): void;
  listen(request: Omit<ListenRequest, "type">): void;
}

/** Bytes of a core that also listens: rings, two minutes of sound and an utterance come to those of a transcriber. */
const MEMORY = 96 * 2 ** 20;
/** Milliseconds that a worker has to end in good order, and that browsers let a busy one run on behind its end. */
const DISPOSE_TIMEOUT = 5000;
const TERMINATE = 2500;

/** Reads a decoded sound out of what the page has it in. */
function postable(sound: WorkerSound): PostedSound {
  if (typeof sound === "string") return wholeUrl(sound);
  if (typeof AudioBuffer === "undefined" || !(sound instanceof AudioBuffer)) return sound as PostedSound;
  const channels = Array.from({ length: sound.numberOfChannels }, (_, i) => sound.getChannelData(i));
  return { sampleRate: Math.round(sound.sampleRate), channels };
}

/**
 * Starts a worker, loads a model into it and waits until it is ready.
 *
 * @throws UnsupportedRuntimeError outside of pages; ModelNotFoundError and the like by their `code`, as `createTranscriber`; the
 * signal's reason. The worker is ended then.
 */
export async function createSpeechWorker(options: SpeechWorkerOptions = {}): Promise<SpeechWorker> {
  assertOptions(options, "createSpeechWorker");
  assertPage("createSpeechWorker");
  const { worker: given, shared = sharedMemoryWorks(), onDownload, onLoading, signal, ...model } = options;
  signal?.throwIfAborted();
  if (shared && !sharedMemoryWorks()) {
    throw new InvalidArgumentError(
      "shared is true, but this page is not cross-origin isolated; serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp",
    );
  }
  // The worker's script may be a blob, beside which there are no files.
  const runtimeFiles = model.runtimeFiles ?? installedRuntimeFiles();
  const core = shared
    ? await createCore({ memoryBytes: model.memoryBytes ?? MEMORY, threads: true })
    : undefined;
  const worker = given instanceof Worker ? given : await startWorker(given);
  const calls = new Map<number, CallEvents>();
  let lastId = 0;
  let lost: Error | undefined;
  let disposing: Promise<void> | undefined;
  let disposed = () => {};
  let abort = () => {};
  /** The worker in the core, while it is there. */
  let agent: number | undefined;
  let reclaiming: Promise<void> | undefined;

  /** Ends what a worker held that did not leave by itself, once it is sure to have ended. */
  function reclaim(): Promise<void> {
    reclaiming ??= new Promise((resolve) => {
      setTimeout(() => {
        if (agent !== undefined) core?.reclaim(agent);
        agent = undefined;
        resolve();
      }, TERMINATE);
    });
    return reclaiming;
  }

  const ready = new Promise<{ model: string; languages: readonly string[] }>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<SpeechReply>) => {
      if (data.type === "ready") resolve(data);
      else if (data.type === "failed") lose(revivedError(data.error));
      else if (data.type === "download") onDownload?.(data.progress);
      else if (data.type === "loading") onLoading?.();
      else if (data.type === "attached") agent = data.agent;
      else if (data.type === "disposed") {
        agent = undefined;
        disposed();
      } else calls.get(data.id)?.reply(data);
    };
    worker.onerror = (event) => {
      event.preventDefault?.();
      const what =
        event.message || "its script did not load; look at its URL and the page's Content-Security-Policy";
      lose(new InferenceError(`the speech worker failed: ${what}`));
    };
    worker.onmessageerror = () => lose(new InferenceError("the speech worker sent what cannot be read"));
    function lose(error: Error): void {
      if (lost) return;
      lost = error;
      worker.terminate();
      if (agent !== undefined) void reclaim();
      reject(error);
      for (const { lost: tell } of [...calls.values()]) tell(error);
      disposed();
    }
    abort = () => lose(signal!.reason);
    signal?.addEventListener("abort", abort, { once: true });
  });
  worker.postMessage({
    type: "load",
    ...(core && { core: core.share() }),
    options: {
      ...model,
      ...(model.model !== undefined && { model: wholeModel(model.model) }),
      ...(runtimeFiles !== undefined && { runtimeFiles: wholeFiles(runtimeFiles) }),
      ...(core === undefined && { memoryBytes: model.memoryBytes ?? MEMORY }),
    },
  } satisfies SpeechRequest);
  const loaded = await ready.finally(() => signal?.removeEventListener("abort", abort));

  const link: SpeechLink = {
    open(events) {
      if (lost) throw lost;
      if (disposing) throw new InvalidArgumentError("the speech worker was disposed of; create another");
      calls.set(++lastId, events);
      return lastId;
    },
    close: (id) => void calls.delete(id),
    post: (request, transfer = []) => {
      if (!lost) worker.postMessage(request, transfer);
    },
    listen: ({ port, ...request }) =>
      link.post({ type: "listen", ...request, ...(port && { port }) }, port ? [port] : []),
  };

  async function* stream(
    sound: WorkerSound,
    { onProgress, signal: stop, ...rest }: SpeechCallOptions = {},
  ): AsyncGenerator<Segment, Transcription, void> {
    stop?.throwIfAborted();
    const arrived: Extract<SpeechReply, { id: number }>[] = [];
    let failure: { error: unknown } | undefined;
    let wake = () => {};
    const fail = (error: unknown) => {
      failure ??= { error };
      wake();
    };
    const id = link.open({
      reply(reply) {
        if (reply.type === "progress") return onProgress?.(reply.progress);
        arrived.push(reply);
        wake();
      },
      lost: fail,
    });
    const abort = () => fail(stop!.reason);
    stop?.addEventListener("abort", abort, { once: true });
    let over = false;
    try {
      link.post({ type: "transcribe", id, sound: postable(sound), options: rest });
      while (true) {
        if (failure) throw failure.error;
        const reply = arrived.shift();
        if (reply === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else if (reply.type === "segment") yield reply.segment;
        else if (reply.type === "done" || reply.type === "error") {
          over = true;
          if (reply.type === "error") throw revivedError(reply.error);
          return reply.result;
        }
      }
    } finally {
      stop?.removeEventListener("abort", abort);
      link.close(id);
      if (!over) link.post({ type: "abort", id });
    }
  }

  async function dispose(): Promise<void> {
    if (!lost) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        disposed = resolve;
        timer = setTimeout(resolve, DISPOSE_TIMEOUT);
        worker.postMessage({ type: "dispose" } satisfies SpeechRequest);
      });
      clearTimeout(timer);
      worker.terminate();
      if (agent !== undefined) void reclaim();
      lost = new InvalidArgumentError("the speech worker was disposed of; create another");
      for (const { lost: tell } of [...calls.values()]) tell(lost);
    }
    await reclaiming;
    // Microphones are told, and give back what they have of the core; each is off the list when it has.
    const ends = performance.now() + DISPOSE_TIMEOUT;
    while (calls.size > 0 && performance.now() < ends) await new Promise((go) => setTimeout(go, 10));
    core?.leave();
  }

  const speech: SpeechWorker = {
    model: loaded.model,
    languages: loaded.languages,
    core,
    link,
    get lost() {
      return lost;
    },
    stream,
    async transcribe(sound, callOptions) {
      const segments = stream(sound, callOptions);
      let step = await segments.next();
      while (!step.done) step = await segments.next();
      return step.value;
    },
    async stats() {
      const figures = await new Promise<SpeechWorkerStatistics>((resolve, reject) => {
        const id = link.open({
          reply(reply) {
            link.close(id);
            if (reply.type === "stats") {
              const { type: _type, id: _id, ...figures } = reply;
              resolve(figures);
            } else if (reply.type === "error") reject(revivedError(reply.error));
          },
          lost: reject,
        });
        link.post({ type: "stats", id });
      });
      // Where memory is shared, the page's own pools are among them.
      return core ? { ...figures, pools: poolStatistics(core) } : figures;
    },
    dispose: () => (disposing ??= dispose()),
    [Symbol.asyncDispose]: () => speech.dispose(),
  };
  return speech;
}

/** onnxruntime-web's files as the page sees them. */
function wholeFiles(files: string | RuntimeFiles): string | RuntimeFiles {
  if (typeof files === "string") return wholeUrl(files);
  const { mjs, wasm, device } = files;
  const whole = { mjs: wholeUrl(mjs), wasm: wholeUrl(wasm) };
  return device ? { ...whole, device: { mjs: wholeUrl(device.mjs), wasm: wholeUrl(device.wasm) } } : whole;
}

async function startWorker(url: ScriptUrl): Promise<Worker> {
  const script = await openScript(url, async () => (await import("./speech-worker-text.generated.ts")).TEXT);
  try {
    return new Worker(script.url, { type: "module", name: "wavepool speech" });
  } catch (cause) {
    throw new InvalidArgumentError(
      `the speech worker's script ${script.url} cannot be started: ${(cause as Error).message}; give a URL of this site as worker`,
      { cause },
    );
  } finally {
    // The fetch of the blob has begun with the constructor, but WebKit resolves it later.
    setTimeout(script.close, 10_000);
  }
}
