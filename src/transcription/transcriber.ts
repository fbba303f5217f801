import { decodeAudio } from "../audio/decode.ts";
import { assertPcm, assertSamples, duration, type PcmAudio } from "../audio/pcm.ts";
import { type MonoReader, monoReader } from "../audio/resample.ts";
import { assertOptions } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import { type CoreOptions, createCore } from "../core/create-core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { decodeWindow } from "../decoding/decode-window.ts";
import { createFrontEnd, type FrontEnd } from "../features/front-end.ts";
import { type Decoder, loadDecoder } from "../inference/decoder.ts";
import { type Encoder, loadEncoder } from "../inference/encoder.ts";
import { giveWay } from "../inference/give-way.ts";
import { setRuntimeFiles } from "../inference/web-session.ts";
import { DEFAULT_MODEL, findModel, type ModelFiles } from "../models/model-files.ts";
import { readWhisperConfig, type WhisperConfig } from "../models/whisper-config.ts";
import { loadTokenizer, type WhisperTokenizer } from "../models/whisper-tokenizer.ts";
import type { BufferPool } from "../pools/buffer-pool.ts";
import { createBufferPool } from "../pools/create-buffer-pool.ts";
import { type PoolStatistics, poolStatistics } from "../pools/pool-statistics.ts";
import { quietestCut } from "./windows.ts";

const DEFAULT_LANGUAGE = "en";
/** Value of every mel of a window of zeros: (log10(1e-10) + 4) / 4. */
const SILENCE = -1.5;
/** Buffers in the audio and mel pools: one clip at work, one that is being prepared. */
const CLIPS = 2;

/** How to make a transcriber; `memoryBytes` is the size of its core. */
export interface TranscriberOptions extends CoreOptions {
  /** "tiny", "base", or a directory (in browsers a URL) in Hugging Face's ONNX layout. Default "base". */
  model?: string;
  /** Language of calls that name none, as a code such as "en" or "de". Default "en". */
  language?: string;
  /**
   * Where onnxruntime-web's own .wasm and .mjs files lie: a URL that ends in a slash. By default it looks
   * beside the bundle in browsers and in the installed package elsewhere. Holds for the whole realm.
   */
  runtimeFiles?: string;
  /** Called once the model's files are found and read, before its weights load, which takes seconds. */
  onLoading?: () => void;
}

/** How to transcribe one clip. */
export interface TranscribeOptions {
  /** Language spoken, as a code such as "en" or "de"; the transcriber's own by default. */
  language?: string;
  /** Called as the work goes on. */
  onProgress?: (progress: Progress) => void;
  /**
   * Stops the work before the next decoding step, or takes the call out of the queue at once; `transcribe`
   * then rejects with the signal's reason.
   */
  signal?: AbortSignal;
}

/** How far a transcription has come. */
export interface Progress {
  stage: "audio" | "mel" | "encoder" | "decoder";
  /** Seconds of the clip that are done. */
  seconds: number;
  /** Seconds of the clip in all. */
  duration: number;
  /** Tokens decoded so far in this window. */
  tokens: number;
}

/** Time spent in each stage, in milliseconds. */
export interface StageTimes {
  /** Decoding the file, mixing down and resampling. */
  audio: number;
  /** Log-mel spectrogram. */
  mel: number;
  /** Encoder. */
  encoder: number;
  /** Decoder and tokenizer. */
  decoder: number;
  /** From the first to the last of them, waiting for other calls left out. */
  total: number;
}

/** What was said. */
export interface Transcription {
  text: string;
  /** Language code that the decoder was told. */
  language: string;
  /** Name or directory of the model. */
  model: string;
  /** Seconds of sound. */
  duration: number;
  /** Windows of up to 30 s that the clip was cut into. */
  windows: number;
  /** Whether a window ended at the decoder's length limit: its text may be cut or repeat itself. */
  truncated: boolean;
  times: StageTimes;
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
   * Turns sound into text. Calls that overlap run one after another.
   *
   * @param audio the bytes of a sound file, or decoded sound of 1 to 384 kHz and 1 to 8 channels; it must
   * stay as it is until the call is done
   * @throws InvalidArgumentError when it is neither, or the transcriber was disposed of.
   * @throws AudioFormatError when the bytes are no sound that wavepool knows.
   * @throws NonFiniteSamplesError when a sample is NaN or infinite.
   * @throws UnknownLanguageError when the model does not know the language.
   * @throws InferenceError when onnxruntime-web fails; the signal's reason when it is aborted.
   */
  transcribe(audio: Uint8Array | ArrayBuffer | PcmAudio, options?: TranscribeOptions): Promise<Transcription>;
  /** Statistics of every pool, in order of creation. */
  stats(): PoolStatistics[];
  /** Releases the model once the calls at work are done; later calls reject. */
  dispose(): Promise<void>;
}

interface Pipeline {
  core: Core;
  config: WhisperConfig;
  audio: BufferPool<"f32">;
  mel: BufferPool<"f32">;
  logMel: FrontEnd;
  tokenizer: WhisperTokenizer;
  encoder: Encoder;
  decoder: Decoder;
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
  const model = await findModel(options.model ?? DEFAULT_MODEL);
  // One agent: an ordinary ArrayBuffer, and no atomics, unless the caller asks for threads.
  const core = await createCore({ threads: false, ...options });
  if (options.runtimeFiles !== undefined) setRuntimeFiles(options.runtimeFiles);
  const defaultLanguage = options.language ?? DEFAULT_LANGUAGE;
  const pipeline = await loadPipeline(core, model, defaultLanguage, options.onLoading);
  let queue: Promise<unknown> = Promise.resolve();
  let disposing: Promise<void> | undefined;

  return {
    model,
    core,
    languages: pipeline.tokenizer.languages,
    async transcribe(audio, options = {}) {
      if (disposing) throw new InvalidArgumentError("the transcriber was disposed of; create another one");
      assertOptions(options, "transcribe");
      const sound = audio instanceof ArrayBuffer ? new Uint8Array(audio) : audio;
      if (!(sound instanceof Uint8Array)) {
        assertPcm(sound);
        assertSamples(sound);
      }
      const language = options.language ?? defaultLanguage;
      pipeline.tokenizer.languageCode(language);
      options.signal?.throwIfAborted();
      let begun = false;
      const result = queue.then(() => {
        begun = true;
        return transcribe(pipeline, model.name, sound, { ...options, language });
      });
      // A failed call must not stop the calls behind it; its own caller gets the error.
      queue = result.catch(() => undefined);
      return abortableUntil(() => begun, result, options.signal);
    },
    stats: () => poolStatistics(core),
    dispose() {
      disposing ??= queue.then(async () => {
        await Promise.all([pipeline.encoder.release(), pipeline.decoder.release()]);
      });
      return disposing;
    },
  };
}

/**
 * Rejects at once when the signal is aborted while the call still waits for others. One that has begun
 * rejects by itself when it has stopped, with its leases given back.
 */
async function abortableUntil<T>(
  begun: () => boolean,
  result: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (!signal) return result;
  let abort!: () => void;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      if (!begun()) reject(signal.reason);
    };
  });
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function loadPipeline(
  core: Core,
  model: ModelFiles,
  language: string,
  onLoading: (() => void) | undefined,
): Promise<Pipeline> {
  const config = await readWhisperConfig(model);
  const tokenizer = await loadTokenizer(model, config);
  tokenizer.languageCode(language); // a wrong code is told before the weights load
  const logMel = createFrontEnd(core, { preset: config.preset });
  const { maxSamples } = logMel;
  const audio = createBufferPool(core, { name: "audio", dtype: "f32", shape: maxSamples, max: CLIPS });
  const mel = createBufferPool(core, {
    name: "mel",
    dtype: "f32",
    shape: config.mels * logMel.frames(maxSamples),
    max: CLIPS,
  });
  onLoading?.();
  const encoder = await loadEncoder(model.encoder, config);
  try {
    const decoder = await loadDecoder(core, model.decoder, config);
    return { core, config, audio, mel, logMel, tokenizer, encoder, decoder };
  } catch (error) {
    await encoder.release();
    throw error;
  }
}

async function transcribe(
  pipeline: Pipeline,
  model: string,
  input: Uint8Array | PcmAudio,
  options: TranscribeOptions & { language: string },
): Promise<Transcription> {
  const { language, onProgress, signal } = options;
  signal?.throwIfAborted(); // aborted while it waited: the file need not be decoded
  const times: StageTimes = { audio: 0, mel: 0, encoder: 0, decoder: 0, total: 0 };
  const began = performance.now();
  let mark = began;
  const lap = (stage: "audio" | "mel" | "encoder" | "decoder") => {
    const now = performance.now();
    times[stage] += now - mark;
    mark = now;
  };

  const pcm = input instanceof Uint8Array ? await decodeAudio(input) : input;
  const { sampleRate } = pipeline.logMel.description;
  const reader = monoReader(pipeline.core, pcm, sampleRate);
  const texts: string[] = [];
  let windows = 0;
  let start = 0;
  let truncated = false;
  while (start < reader.length) {
    await giveWay(signal);
    const progress: Progress = {
      stage: "audio",
      seconds: start / sampleRate,
      duration: duration(pcm),
      tokens: 0,
    };
    const report = (stage: Progress["stage"], tokens = 0) => onProgress?.({ ...progress, stage, tokens });
    report("audio");
    using mel = pipeline.mel.acquire();
    const { count, silent } = fillFeatures(pipeline, reader, start, mel.view, lap, () => report("mel"));
    start += count;
    windows++;
    if (silent) continue; // nothing to hear, and Whisper would make words up
    report("encoder");
    await giveWay(signal);
    const hiddenState = await pipeline.encoder.encode(mel.view);
    lap("encoder");
    report("decoder");
    const { decoder, config, tokenizer } = pipeline;
    const decoding = await decodeWindow(decoder, config, tokenizer, hiddenState, {
      language,
      timestamps: false,
      temperatures: [0],
      seconds: count / sampleRate,
      signal,
      onToken: (count) => report("decoder", count),
    }).finally(() => hiddenState.release());
    texts.push(decoding.text);
    truncated ||= decoding.truncated;
    lap("decoder");
  }
  times.total = performance.now() - began;
  return {
    text: texts.filter((text) => text !== "").join(" "),
    language: pipeline.tokenizer.languageCode(language),
    model,
    duration: duration(pcm),
    windows,
    truncated,
    times,
  };
}

/** Reads the next window into a pooled audio buffer and its log-mel into `mel`: the samples used, and whether it is silent. */
function fillFeatures(
  { audio, logMel }: Pipeline,
  reader: MonoReader,
  start: number,
  mel: Float32Array,
  lap: (stage: "audio" | "mel") => void,
  beforeMel: () => void,
): { count: number; silent: boolean } {
  using samples = audio.acquire();
  const { view } = samples;
  const left = reader.length - start;
  reader.read(view, start, Math.min(left, view.length));
  const count = left > view.length ? quietestCut(view) : left;
  lap("audio");
  beforeMel();
  logMel.compute(view, mel, count);
  lap("mel");
  // Silence is -1.5 to the last bit in every mel; any sound raises at least the greatest of them.
  return { count, silent: mel.every((x) => x === SILENCE) };
}
