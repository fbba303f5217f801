import { decodeAudio } from "../audio/decode.ts";
import { duration, type PcmAudio } from "../audio/pcm.ts";
import { type MonoReader, monoReader } from "../audio/resample.ts";
import { type Core, type CoreOptions, createCore } from "../core/create-core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { createLogMel, type LogMel } from "../features/log-mel.ts";
import { type Decoder, loadDecoder } from "../inference/decoder.ts";
import { type Encoder, loadEncoder } from "../inference/encoder.ts";
import { DEFAULT_MODEL, findModel, type ModelFiles } from "../inference/model-files.ts";
import { readWhisperConfig } from "../inference/whisper-config.ts";
import { loadTokenizer, type WhisperTokenizer } from "../inference/whisper-tokenizer.ts";
import { createSlotPool, type PoolStatistics, poolStatistics, type SlotPool } from "../pools/slot-pool.ts";
import { quietestCut } from "./windows.ts";

const DEFAULT_LANGUAGE = "en";
/** Buffers in the audio and mel pools: one clip at work, one that is being prepared. */
const CLIPS = 2;

export interface TranscriberOptions extends CoreOptions {
  /** "tiny", "base", or a directory (in browsers a URL) in Hugging Face's ONNX layout. Default "base". */
  model?: string;
  /** Language of calls that name none, as a code such as "en" or "de". Default "en". */
  language?: string;
}

export interface TranscribeOptions {
  /** Language spoken, as a code such as "en" or "de"; the transcriber's own by default. */
  language?: string;
  /** Called as the work goes on. */
  onProgress?: (progress: Progress) => void;
  /** Stops the work before the next decoding step; `transcribe` then rejects with the signal's reason. */
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
  audio: number;
  mel: number;
  encoder: number;
  decoder: number;
  total: number;
}

export interface Transcription {
  text: string;
  language: string;
  /** Name or directory of the model. */
  model: string;
  /** Seconds of sound. */
  duration: number;
  /** Windows of up to 30 s that the clip was cut into. */
  windows: number;
  times: StageTimes;
}

/** A loaded Whisper model with its pools. Create it with {@link createTranscriber}. */
export interface Transcriber {
  readonly model: ModelFiles;
  readonly core: Core;
  /** Language codes that the model knows. */
  readonly languages: readonly string[];
  /**
   * Turns sound into text. Calls that overlap run one after another.
   *
   * @param audio the bytes of a sound file, or decoded sound of any rate and channel count
   * @throws AudioFormatError when the bytes are no sound that wavepool knows.
   * @throws NonFiniteSamplesError when a sample is NaN or infinite.
   * @throws UnknownLanguageError when the model does not know the language.
   */
  transcribe(audio: Uint8Array | PcmAudio, options?: TranscribeOptions): Promise<Transcription>;
  /** Statistics of every pool, in order of creation. */
  stats(): PoolStatistics[];
  /** Releases the model; later calls reject. */
  dispose(): Promise<void>;
}

interface Pipeline {
  audio: SlotPool<"f32">;
  mel: SlotPool<"f32">;
  logMel: LogMel;
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
 */
export async function createTranscriber(options: TranscriberOptions = {}): Promise<Transcriber> {
  const model = await findModel(options.model ?? DEFAULT_MODEL);
  const core = await createCore(options);
  const language = options.language ?? DEFAULT_LANGUAGE;
  const pipeline = await loadPipeline(core, model, language);
  let queue: Promise<unknown> = Promise.resolve();
  let disposed = false;

  return {
    model,
    core,
    languages: pipeline.tokenizer.languages,
    async transcribe(audio, options = {}) {
      if (disposed) throw new InvalidArgumentError("the transcriber was disposed of; create another one");
      const result = queue.then(() => transcribe(pipeline, model.name, audio, { language, ...options }));
      // A failed call must not stop the calls behind it; its own caller gets the error.
      queue = result.catch(() => undefined);
      return result;
    },
    stats: () => poolStatistics(core),
    async dispose() {
      if (disposed) return;
      disposed = true;
      await queue;
      await Promise.all([pipeline.encoder.dispose(), pipeline.decoder.dispose()]);
    },
  };
}

async function loadPipeline(core: Core, model: ModelFiles, language: string): Promise<Pipeline> {
  const config = await readWhisperConfig(model);
  const tokenizer = await loadTokenizer(model);
  tokenizer.prompt(language); // a wrong code is told before the seconds that the weights take
  const logMel = createLogMel(core, { preset: config.preset });
  const { maxSamples, maxFrames } = logMel.preset;
  const audio = createSlotPool(core, { name: "audio", dtype: "f32", length: maxSamples, slots: CLIPS });
  const mel = createSlotPool(core, {
    name: "mel",
    dtype: "f32",
    length: config.mels * maxFrames,
    slots: CLIPS,
  });
  const encoder = await loadEncoder(model.encoder);
  try {
    const decoder = await loadDecoder(core, model.decoder, config, tokenizer);
    return { audio, mel, logMel, tokenizer, encoder, decoder };
  } catch (error) {
    await encoder.dispose();
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
  const prompt = pipeline.tokenizer.prompt(language);
  const times: StageTimes = { audio: 0, mel: 0, encoder: 0, decoder: 0, total: 0 };
  const began = performance.now();
  let mark = began;
  const lap = (stage: "audio" | "mel" | "encoder" | "decoder") => {
    const now = performance.now();
    times[stage] += now - mark;
    mark = now;
  };

  const pcm = input instanceof Uint8Array ? await decodeAudio(input) : input;
  const { sampleRate } = pipeline.logMel.preset;
  const reader = monoReader(pcm, sampleRate);
  const texts: string[] = [];
  let windows = 0;
  let start = 0;
  while (start < reader.length) {
    signal?.throwIfAborted();
    const progress: Progress = {
      stage: "audio",
      seconds: start / sampleRate,
      duration: duration(pcm),
      tokens: 0,
    };
    const report = (stage: Progress["stage"], tokens = 0) => onProgress?.({ ...progress, stage, tokens });
    report("audio");
    using mel = pipeline.mel.acquire();
    start += fillFeatures(pipeline, reader, start, mel.view, lap, () => report("mel"));
    windows++;
    report("encoder");
    const hiddenState = await pipeline.encoder.encode(mel.view, pipeline.logMel.preset.mels);
    lap("encoder");
    report("decoder");
    const tokens = await pipeline.decoder.decode(hiddenState, {
      prompt,
      signal,
      onToken: (count) => report("decoder", count),
    });
    lap("decoder");
    texts.push(pipeline.tokenizer.decode(tokens));
  }
  times.total = performance.now() - began;
  return {
    text: texts.filter((text) => text !== "").join(" "),
    language: language.toLowerCase(),
    model,
    duration: duration(pcm),
    windows,
    times,
  };
}

/** Reads the next window into a pooled audio buffer and its log-mel into `mel`. Returns the samples used. */
function fillFeatures(
  { audio, logMel }: Pipeline,
  reader: MonoReader,
  start: number,
  mel: Float32Array,
  lap: (stage: "audio" | "mel") => void,
  beforeMel: () => void,
): number {
  using samples = audio.acquire();
  const { view } = samples;
  const left = reader.length - start;
  reader.read(view, start, Math.min(left, view.length));
  const count = left > view.length ? quietestCut(view) : left;
  lap("audio");
  beforeMel();
  logMel.compute(view, mel, count);
  lap("mel");
  return count;
}
