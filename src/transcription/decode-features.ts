import { decodeWindow, type WindowDecoding } from "../decoding/decode-window.ts";
import { WINDOW_FRAMES } from "../inference/encoder.ts";
import { giveWay } from "../inference/give-way.ts";
import { ProviderLostError } from "../inference/provider-lost.ts";
import type { Tensor } from "../inference/tensor.ts";
import { contextFrames, isDoubtful } from "./context.ts";
import type { CheckedOptions, Context } from "./options.ts";
import type { Pipeline } from "./pipeline.ts";
import type { StageClock } from "./stage-times.ts";
import { windowFeatures } from "./window-features.ts";

/** A window of sound and the buffers that it is encoded from. */
export interface WindowSamples {
  /** Samples of the window in a pooled view. */
  samples: Float32Array;
  count: number;
  /** Pooled view [mels × 3000]. */
  mel: Float32Array;
}

/** What one window of sound is decoded with. */
export interface WindowTask extends WindowSamples {
  /** What {@link encodeWindow} gives of its first frames, where it was begun before. The task's to release. */
  ahead: Promise<Tensor | undefined> | undefined;
  /** Code of the language; detected when undefined. */
  language: string | undefined;
  /** Tokens of the text before. */
  prompt: readonly number[];
  options: CheckedOptions;
  clock: StageClock;
  /** Told when a stage begins, and of each token. */
  report: (stage: "mel" | "encoder" | "decoder", tokens?: number) => void;
}

/** What was heard in a window. */
export interface HeardWindow extends WindowDecoding {
  /** Frames that were encoded at last, and the encoder's output, the caller's to release. */
  frames: number;
  hiddenState: Tensor;
}

/** Frames that the encoder is given of a window at first. */
export function firstFrames(
  pipeline: Pipeline,
  { count }: Pick<WindowSamples, "count">,
  { context }: CheckedOptions,
): number {
  const { encoder, frontEnd, config } = pipeline;
  const seconds = count / frontEnd.description.sampleRate;
  const { flexible, lengths } = encoder;
  return contextFrames(seconds, context, flexible, tailFor(pipeline, context) !== undefined, config, lengths);
}

function tailFor({ tail }: Pipeline, context: Context) {
  return typeof context === "object" && context.tail === false ? undefined : tail;
}

/**
 * Mel and encoder for the first frames of a window, with the silence tail behind fewer than 30 s. An encoder that runs beside
 * the decoder takes one window at a time, in order; another is run within the decoder's turn.
 *
 * @param report told when a stage begins
 * @returns the encoder's output, the caller's to release; undefined when nothing but a steady sound is heard, or less than a
 * word can last.
 * @throws InferenceError, NonFiniteSamplesError; the signal's reason when it is aborted.
 */
export async function encodeWindow(
  pipeline: Pipeline,
  { samples, count, mel }: WindowSamples,
  frames: number,
  options: CheckedOptions,
  clock: StageClock,
  report: (stage: "mel" | "encoder") => void,
): Promise<Tensor | undefined> {
  const { frontEnd, encoder } = pipeline;
  report("mel");
  const features = await clock.measure("mel", () => windowFeatures(frontEnd, samples, count, mel, frames));
  if (features.steady) return undefined;
  report("encoder");
  await giveWay(options.signal);
  const tail = tailFor(pipeline, options.context);
  const endTurn = encoder.beside ? await pipeline.turns.encoder.take(options.signal) : undefined;
  try {
    return await clock.measure("encoder", async () => {
      const encoded = await encoder.encode(features.view);
      return tail && frames < WINDOW_FRAMES ? tail.append(encoded) : encoded;
    });
  } finally {
    endTurn?.();
  }
}

/**
 * Mel, encoder and decoder for one window. When the encoder was given less than 30 s and what was heard is doubtful, both are
 * run again with all of it before any higher temperature is tried.
 *
 * @returns undefined when nothing but a steady sound is heard, or less than a word can last.
 * @throws InferenceError, NonFiniteSamplesError; the signal's reason when it is aborted.
 */
export async function decodeFeatures(pipeline: Pipeline, task: WindowTask): Promise<HeardWindow | undefined> {
  const { options, clock } = task;
  const seconds = task.count / pipeline.frontEnd.description.sampleRate;
  const short = firstFrames(pipeline, task, options);
  let { ahead } = task;
  for (const frames of short < WINDOW_FRAMES ? [short, WINDOW_FRAMES] : [WINDOW_FRAMES]) {
    const heard = await redoneWhenLost(async () => {
      const begun = ahead;
      ahead = undefined;
      const hiddenState = begun
        ? await clock.measure("encoder", () => begun)
        : await encodeWindow(pipeline, task, frames, options, clock, task.report);
      if (!hiddenState) return undefined;
      try {
        task.report("decoder");
        const decoding = await clock.measure("decoder", () =>
          decode(pipeline, task, hiddenState, seconds, frames < WINDOW_FRAMES),
        );
        return { ...decoding, frames, hiddenState };
      } catch (error) {
        hiddenState.release();
        throw error;
      }
    });
    if (!heard || frames === WINDOW_FRAMES || !isDoubtful(heard, seconds)) return heard;
    heard.hiddenState.release();
  }
  throw new Error("unreachable: the full window is always taken");
}

/** Runs the work once more when a provider went away with what it had made; the session is on another by then. */
async function redoneWhenLost<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProviderLostError)) throw error;
    return work();
  }
}

async function decode(
  { decoder, config, tokenizer }: Pipeline,
  task: WindowTask,
  hiddenState: Tensor,
  seconds: number,
  short: boolean,
): Promise<WindowDecoding> {
  const { options, prompt } = task;
  const temperatures = options.temperature === undefined ? undefined : [options.temperature].flat();
  // A shortened window is held to the usual thresholds, even where the caller takes any text.
  const threshold = (given: number | null | undefined) => (short && given === null ? undefined : given);
  return decodeWindow(decoder, config, tokenizer, hiddenState, {
    language: task.language,
    task: options.task,
    timestamps: options.timestamps !== "none",
    prompt,
    temperatures: short ? [temperatures?.[0] ?? 0] : temperatures,
    beamSize: options.beamSize,
    patience: options.patience,
    lengthPenalty: options.lengthPenalty,
    bestOf: options.bestOf,
    suppressTokens: options.suppressTokens,
    compressionRatioThreshold: threshold(options.compressionRatioThreshold),
    logprobThreshold: threshold(options.logprobThreshold),
    noSpeechThreshold: options.noSpeechThreshold,
    seconds,
    seed: options.seed,
    signal: options.signal,
    onToken: (count) => task.report("decoder", count),
  });
}
