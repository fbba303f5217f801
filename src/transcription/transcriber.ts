import type { RuntimeFiles } from "../adapters/runtime-files.ts";
import type { SoundSource } from "../audio/sound-source.ts";
import { assertOptions, describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import { type CoreOptions, createCore } from "../core/create-core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { providerOrder } from "../inference/providers.ts";
import type { ProviderName } from "../inference/session.ts";
import { setRuntimeFiles } from "../inference/web-session.ts";
import type { DownloadProgress } from "../models/download-progress.ts";
import type { DtypeOption } from "../models/model-dtype.ts";
import { DEFAULT_MODEL, findModel, type ModelFiles } from "../models/model-files.ts";
import { type PoolStatistics, poolStatistics } from "../pools/pool-statistics.ts";
import type { TranscribeOptions } from "./options.ts";
import { loadPipeline, releasePipeline } from "./pipeline.ts";
import { AUTO, transcribeSound } from "./transcribe-sound.ts";
import type { Segment, Transcription } from "./transcription.ts";

const MAX_THREADS = 64;

/** How to make a transcriber; `memoryBytes` is the size of its core. */
export interface TranscriberOptions extends Omit<CoreOptions, "threads"> {
  /**
   * "tiny", "base", "small" and others by name, a repository of the hub ("owner/name"), or a directory (in browsers a URL),
   * in Hugging Face's ONNX layout. Default "base".
   */
  model?: string;
  /** Type of the weights, or of each graph's. Default "auto": the first of q8, fp32, q4, fp16, q4f16 that there is. */
  dtype?: DtypeOption;
  /** Never download. Default: whether the environment variable WAVEPOOL_OFFLINE is set. */
  offline?: boolean;
  /** Told how far a download has come. */
  onDownload?: (progress: DownloadProgress) => void;
  /** Ends a download, and the loading before the weights. */
  signal?: AbortSignal;
  /** Language of calls that name none: a code such as "de", a name, or "auto" (default) to detect it. */
  language?: string;
  /**
   * Where onnxruntime-web's own .wasm and .mjs files lie: a URL that ends in a slash, or the files one by one. By default
   * they are those of the installed package, which in browsers takes a bundler that knows files by
   * `new URL(…, import.meta.url)`, as Vite and webpack do (docs/bundlers.md). Holds for the whole realm.
   */
  runtimeFiles?: string | RuntimeFiles;
  /** Execution providers to try, in order; by default the best that this runtime has. */
  providers?: readonly ProviderName[] | "auto";
  /**
   * Threads that run the model; by default as many as there are cores, 8 at most. onnxruntime-web's are fixed by the first
   * session of a realm.
   */
  threads?: number;
  /**
   * Whether the sessions run once before the first call, and the encoder's silence tail is made: as long as one window, after
   * which short clips take a fraction of one. Default true.
   */
  warm?: boolean;
  /**
   * Whether the decoder's embedding is unpacked at load: a step takes half the time, for 0.3 GB more memory with base. Default
   * true.
   */
  fast?: boolean;
  /**
   * Whether the encoder runs in a thread of its own, so that it works on the next window, or on another call's, while this thread
   * decodes; needs memory that threads share. Not in browsers. Default false.
   */
  encoderThread?: boolean;
  /** Core that holds the buffers; by default one of its own, of `memoryBytes`. */
  core?: Core;
  /** Called once the model's files are found and read, before its weights load, which takes seconds. */
  onLoading?: () => void;
}

/** A loaded Whisper model with its pools. Create it with {@link createTranscriber}. */
export interface Transcriber {
  /** The model's files and where they were found. */
  readonly model: ModelFiles;
  /** The core that holds the transcriber's buffers. */
  readonly core: Core;
  /** Language codes that the model knows. */
  readonly languages: readonly string[];
  /**
   * Turns sound into text. Calls that overlap take turns, window by window.
   *
   * @param audio a sound file as bytes, Blob, stream or `{ path }`, decoded sound of 1 to 384 kHz and 1 to 8 channels, or
   * blocks of mono samples; it must stay as it is until the call is done
   * @throws InvalidArgumentError when it is neither, an option is out of range or the transcriber was disposed of.
   * @throws AudioFormatError when the bytes are no sound that wavepool knows.
   * @throws NonFiniteSamplesError when a sample is NaN or infinite.
   * @throws UnknownLanguageError when the model does not know the language.
   * @throws InferenceError when the provider fails; the signal's reason when it is aborted.
   */
  transcribe(audio: SoundSource, options?: TranscribeOptions): Promise<Transcription>;
  /**
   * The same, giving each segment as soon as its window is done. The generator's return value is the whole; ending the
   * loop early stops the work and gives everything back.
   */
  stream(audio: SoundSource, options?: TranscribeOptions): AsyncGenerator<Segment, Transcription, void>;
  /** Statistics of every pool, in order of creation. */
  stats(): PoolStatistics[];
  /** Releases the model once the calls at work are done; later calls reject. */
  dispose(): Promise<void>;
}

/**
 * Finds and loads a Whisper model and prepares the buffers it needs in one core.
 *
 * @throws ModelNotFoundError when the model or one of its files is missing.
 * @throws ModelFormatError when a file of it is broken.
 * @throws UnknownLanguageError when the model does not know `language`; the weights are not loaded then.
 * @throws CoreMemoryError when `memoryBytes` is too small for the buffers.
 * @throws UnsupportedRuntimeError when the runtime lacks Wasm SIMD or cannot start onnxruntime-web.
 * @throws InvalidArgumentError, FileError for options out of range and files that cannot be read.
 */
export async function createTranscriber(options: TranscriberOptions = {}): Promise<Transcriber> {
  assertOptions(options, "createTranscriber");
  const { threads, core: givenCore, dtype, offline, onDownload, signal, ...coreOptions } = options;
  const { encoderThread = false } = options;
  checkThreads(threads);
  if (typeof encoderThread !== "boolean") {
    throw new InvalidArgumentError(`encoderThread is ${describe(encoderThread)}; give true or false`);
  }
  providerOrder(options.providers);
  const model = await findModel(options.model ?? DEFAULT_MODEL, {
    dtype,
    offline,
    signal,
    onProgress: onDownload,
  });
  // Without another thread: an ordinary ArrayBuffer and no atomics.
  const core = givenCore ?? (await createCore({ ...coreOptions, threads: encoderThread }));
  if (options.runtimeFiles !== undefined) setRuntimeFiles(options.runtimeFiles);
  const ownLanguage = options.language ?? AUTO;
  const pipeline = await loadPipeline(core, model, {
    check: (tokenizer) => void (ownLanguage === AUTO || tokenizer.languageCode(ownLanguage)),
    onLoading: options.onLoading,
    providers: options.providers,
    threads,
    warm: options.warm ?? true,
    fast: options.fast ?? true,
    encoderThread,
  });
  const calls = new Set<Promise<unknown>>();
  let disposing: Promise<void> | undefined;

  function stream(
    audio: SoundSource,
    options: TranscribeOptions = {},
  ): AsyncGenerator<Segment, Transcription, void> {
    assertOptions(options, "transcribe");
    if (disposing) throw new InvalidArgumentError("the transcriber was disposed of; create another one");
    return counted(
      calls,
      transcribeSound(pipeline, audio, { ...options, language: options.language ?? ownLanguage }),
    );
  }

  return {
    model,
    core,
    languages: pipeline.tokenizer.languages,
    stream,
    async transcribe(audio, options) {
      const segments = stream(audio, options);
      while (true) {
        const { done, value } = await segments.next();
        if (done) return value;
      }
    },
    stats: () => poolStatistics(core),
    dispose() {
      disposing ??= Promise.allSettled(calls).then(async () => {
        await releasePipeline(pipeline);
      });
      return disposing;
    },
  };
}

function checkThreads(threads: number | undefined): void {
  if (threads === undefined || (Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS)) return;
  throw new InvalidArgumentError(
    `threads is ${describe(threads)}; give a whole number from 1 to ${MAX_THREADS}`,
  );
}

/** Keeps a promise among the calls at work from the generator's first step to its end. */
async function* counted<T, R>(
  calls: Set<Promise<unknown>>,
  work: AsyncGenerator<T, R, void>,
): AsyncGenerator<T, R, void> {
  let end!: () => void;
  const call = new Promise<void>((resolve) => {
    end = resolve;
  });
  calls.add(call);
  try {
    return yield* work;
  } finally {
    calls.delete(call);
    end();
  }
}
