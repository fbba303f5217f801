import type { RawPcm } from "../audio/sound-source.ts";
import { describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { checkSearchOptions, inRange } from "../decoding/search-options.ts";
import type { StageTimes } from "./stage-times.ts";
import type { Segment, Task } from "./transcription.ts";

/** How precise times are wanted: none, of segments, or of words too. */
export type Timestamps = "none" | "segment" | "word";

/** How much an encoder is given of a clip that is shorter than 30 s. */
export interface ContextRule {
  /** Seconds at least. */
  readonly least: number;
  /** Seconds of silence after the clip at least. */
  readonly margin: number;
  /** Whether the decoder sees the silence tail behind them, where there is one. Default true. */
  readonly tail?: boolean;
}

export type Context = "auto" | "full" | ContextRule;

/** How far a transcription has come. */
export interface Progress {
  stage: keyof Omit<StageTimes, "total">;
  /** Seconds of the sound that are done. */
  seconds: number;
  /** Seconds of the sound in all, where the file says so. */
  duration: number | undefined;
  /** Tokens decoded so far in this window. */
  tokens: number;
  /** Seconds until the end at the speed so far; undefined until a window is done or where the duration is unknown. */
  secondsLeft?: number | undefined;
}

/** How to transcribe one sound. */
export interface TranscribeOptions {
  /** Language spoken, as a code ("de") or name ("german"), or "auto" to detect it in the first window; the transcriber's own by default. */
  language?: string;
  /** "translate" writes English, whatever is spoken. Default "transcribe". */
  task?: Task;
  /**
   * "segment" (default) has the decoder write timestamps, by which long sound is walked through; "word" adds words by
   * the decoder's attention; "none" is the fastest: text alone, long sound cut at pauses.
   */
  timestamps?: Timestamps;
  /** Beams that are followed at temperature 0; 1 (greedy) by default, as openai/whisper's `transcribe`. */
  beamSize?: number;
  /** Beam search goes on until `beamSize * patience` texts are finished. Default 1. */
  patience?: number;
  /** Exponent of Google NMT's length penalty, 0 to 1; by default the mean log probability ranks. */
  lengthPenalty?: number;
  /** Samples taken at temperatures above 0. Default 1. */
  bestOf?: number;
  /** Temperatures to try until a text passes the thresholds. Default 0, 0.2, … 1. */
  temperature?: number | readonly number[];
  /** A text that zlib compresses better than this repeats itself and is decoded anew; null for any. Default 2.4. */
  compressionRatioThreshold?: number | null;
  /** A text of a lower mean log probability is decoded anew; null for any. Default -1. */
  logprobThreshold?: number | null;
  /** A window is silent when this probability of no speech is exceeded and the text is unlikely; null for never. Default 0.6. */
  noSpeechThreshold?: number | null;
  /** Text that comes before: names, spelling, style. Its last tokens are used, as many as half the context takes. */
  prompt?: string;
  /** Whether each window sees the text of those before. Default false: a mistake does not spread then. */
  conditionOnPreviousText?: boolean;
  /** Token ids never to be written; by default those of the model's configuration. */
  suppressTokens?: readonly number[];
  /** Seed of the samples taken at temperatures above 0. Default 0. */
  seed?: number;
  /** Finds speech with Silero's detector first: silence is skipped, windows end at pauses. Default false. */
  voiceActivity?: boolean;
  /**
   * "full" encodes 30 s whatever the clip; "auto" (default) what the clip needs, where that is shown to be as good; a rule of
   * one's own for models of any size.
   */
  context?: Context;
  /** Bytes are plain samples, little-endian and interleaved, rather than a file. */
  raw?: RawPcm;
  /** Samples a second of blocks of mono Float32Arrays, as a microphone gives them. */
  sampleRate?: number;
  /** Called as the work goes on. */
  onProgress?: (progress: Progress) => void;
  /** Called with each segment once its window is done. */
  onSegment?: (segment: Segment) => void;
  /**
   * Stops the work before the next decoding step, or takes the call out of the queue at once; `transcribe`
   * then rejects with the signal's reason.
   */
  signal?: AbortSignal;
}

/** Options with their defaults filled in; what decoding takes as it is stays undefined. */
export interface CheckedOptions extends TranscribeOptions {
  task: Task;
  timestamps: Timestamps;
  conditionOnPreviousText: boolean;
  voiceActivity: boolean;
  context: Context;
  noSpeechThreshold: number | null;
  logprobThreshold: number | null;
}

const TASKS = ["transcribe", "translate"] as const;
const TIMESTAMPS = ["none", "segment", "word"] as const;
const CONTEXTS = ["auto", "full"] as const;

/**
 * Checks the options of a call and fills defaults in.
 *
 * @throws InvalidArgumentError naming the option, its value and what it takes.
 */
export function checkOptions(options: TranscribeOptions): CheckedOptions {
  const { timestamps = "segment", task = "transcribe", context = "auto" } = options;
  oneOf("timestamps", timestamps, TIMESTAMPS);
  oneOf("task", task, TASKS);
  if (typeof context === "object" && context !== null) {
    inRange("context.least", context.least, 0, 30);
    inRange("context.margin", context.margin, 0, 30);
  } else oneOf("context", context, CONTEXTS);
  if (Array.isArray(options.temperature) && options.temperature.length === 0) {
    throw new InvalidArgumentError("temperature is an empty list; give at least one, such as 0");
  }
  checkSearchOptions({ ...options, temperatures: [options.temperature ?? 0].flat() });
  if (options.prompt !== undefined && typeof options.prompt !== "string") {
    throw new InvalidArgumentError(`prompt is ${describe(options.prompt)}; give a text`);
  }
  for (const name of ["conditionOnPreviousText", "voiceActivity"] as const) {
    const value = options[name];
    if (value !== undefined && typeof value !== "boolean") {
      throw new InvalidArgumentError(`${name} is ${describe(value)}; give true or false`);
    }
  }
  for (const name of ["onProgress", "onSegment"] as const) {
    const value = options[name];
    if (value !== undefined && typeof value !== "function") {
      throw new InvalidArgumentError(`${name} is ${describe(value)}; give a function`);
    }
  }
  return {
    ...options,
    task,
    timestamps,
    context,
    conditionOnPreviousText: options.conditionOnPreviousText ?? false,
    voiceActivity: options.voiceActivity ?? false,
    noSpeechThreshold: options.noSpeechThreshold === undefined ? 0.6 : options.noSpeechThreshold,
    logprobThreshold: options.logprobThreshold === undefined ? -1 : options.logprobThreshold,
  };
}

function oneOf(name: string, value: string, values: readonly string[]): void {
  if (values.includes(value)) return;
  throw new InvalidArgumentError(
    `${name} is ${describe(value)}; give ${values.map((one) => JSON.stringify(one)).join(" or ")}`,
  );
}
