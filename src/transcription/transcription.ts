import type { ProviderReport } from "../inference/providers.ts";
import type { WhisperTask } from "../models/whisper-tokenizer.ts";
import type { StageTimes } from "./stage-times.ts";

/** A word and when it was said. */
export interface Word {
  /** As written in the text, with the space before it and the punctuation that clings to it. */
  readonly word: string;
  /** Seconds from the start of the sound. */
  readonly start: number;
  readonly end: number;
  /** Mean probability of its tokens, 0 to 1. */
  readonly probability: number;
}

/** A stretch of speech between two timestamps, as openai/whisper's `transcribe` gives it. */
export interface Segment {
  /** Number in the result, from 0. */
  readonly id: number;
  /** Frame (10 ms) of the sound at which the window with this segment begins. */
  readonly seek: number;
  /** Seconds from the start of the sound. */
  readonly start: number;
  readonly end: number;
  /** Begins with a space where the model wrote one. */
  readonly text: string;
  /** Token ids, timestamps among them. */
  readonly tokens: readonly number[];
  /** Temperature that it was decoded at: 0 unless the decoder had to fall back. */
  readonly temperature: number;
  /** Mean log probability of the window's tokens. */
  readonly avgLogprob: number;
  /** Length of the window's text over that of its zlib compression: above 2.4 it repeats itself. */
  readonly compressionRatio: number;
  /** Probability that the window holds no speech, 0 to 1. */
  readonly noSpeechProb: number;
  /** With `timestamps: "word"`. */
  readonly words?: readonly Word[];
}

/** What the decoder is asked to write. */
export type Task = WhisperTask;

/** What was said. */
export interface Transcription {
  /** The texts of all segments, trimmed. */
  readonly text: string;
  readonly task: Task;
  /** Code of the language that the decoder was told, or detected; "en" when nothing was heard to detect one from. */
  readonly language: string;
  /** Probability of a detected language, 0 to 1. */
  readonly languageProbability?: number;
  readonly segments: readonly Segment[];
  /** Seconds of sound. */
  readonly duration: number;
  /** Name or directory of the model. */
  readonly model: string;
  /** What ran it, and what was passed over. */
  readonly providers: ProviderReport;
  /** Windows of up to 30 s that were looked at. */
  readonly windows: number;
  /** Whether the text of a window did not end by itself: it may be cut. */
  readonly truncated: boolean;
  readonly times: StageTimes;
}
