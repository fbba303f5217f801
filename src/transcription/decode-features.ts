import { decodeWindow, type WindowDecoding } from "../decoding/decode-window.ts";
import { WINDOW_FRAMES } from "../inference/encoder.ts";
import { giveWay } from "../inference/give-way.ts";
import { ProviderLostError } from "../inference/provider-lost.ts";
import type { Tensor } from "../inference/tensor.ts";
import { contextFrames, isDoubtful } from "./context.ts";
import type { CheckedOptions } from "./options.ts";
import type { Pipeline } from "./pipeline.ts";
import type { StageClock } from "./stage-times.ts";
import { windowFeatures } from "./window-features.ts";

/** What one window of sound is decoded with. */
export interface WindowTask {
  /** Samples of the window in a pooled view. */
  samples: Float32Array;
  count: number;
  /** Pooled view [mels × 3000]. */
  mel: Float32Array;
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

/**
 * Mel, encoder and decoder for one window. When the encoder was given less than 30 s and what was heard is doubtful, both are
 * run again with all of it before any higher temperature is tried.
 *
 * @returns undefined when nothing but a steady sound is heard, or less than a word can last.
 * @throws InferenceError, NonFiniteSamplesError; the signal's reason when it is aborted.
 */
export async function decodeFeatures(pipeline: Pipeline, task: WindowTask): Promise<HeardWindow | undefined> {
  const { frontEnd, encoder, config } = pipeline;
  const { options, clock, count, samples, mel } = task;
  const seconds = count / frontEnd.description.sampleRate;
  const { context } = options;
  const tail = typeof context === "object" && context.tail === false ? undefined : pipeline.tail;
  const short = contextFrames(seconds, context, encoder.flexible, tail !== undefined, config);
  for (const frames of short < WINDOW_FRAMES ? [short, WINDOW_FRAMES] : [WINDOW_FRAMES]) {
    task.report("mel");
    const features = await clock.measure("mel", () => windowFeatures(frontEnd, samples, count, mel, frames));
    if (features.steady) return undefined;
    task.report("encoder");
    await giveWay(options.signal);
    const heard = await redoneWhenLost(async () => {
      const hiddenState = await clock.measure("encoder", async () => {
        const encoded = await encoder.encode(features.view);
        return tail && frames < WINDOW_FRAMES ? tail.append(encoded) : encoded;
      });
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
    if (frames === WINDOW_FRAMES || !isDoubtful(heard, seconds)) return heard;
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
