/** What the main thread and its workers say to each other. Buffers are views on shared memory, lent until the job ends. */
import type { CoreHandle } from "../../core/core.ts";
import { WavepoolError } from "../../core/errors.ts";
import type { PostedError } from "../../core/posted-error.ts";
import type { TranscribeOptions } from "../../transcription/options.ts";
import type { TranscriberOptions } from "../../transcription/transcriber.ts";
import type { Segment, Transcription } from "../../transcription/transcription.ts";

/** Options of a call that can be posted. */
export type JobOptions = Omit<
  TranscribeOptions,
  "signal" | "onProgress" | "onSegment" | "raw" | "sampleRate"
>;
/** Options of the transcriber that can be posted. */
export type ModelOptions = Omit<
  TranscriberOptions,
  "core" | "signal" | "onDownload" | "onLoading" | "memoryBytes" | "relaxed"
>;

export interface TextThreadData {
  core: CoreHandle;
  options: ModelOptions;
}

/** To the thread that runs the model. */
export type TextRequest =
  | { type: "transcribe"; id: number; options: JobOptions; ring: Float32Array[]; segments: boolean }
  | { type: "block"; id: number; index: number; count: number }
  | { type: "end"; id: number; error?: PostedError }
  | { type: "abort"; id: number }
  | { type: "close" };

/** From it. */
export type TextReply =
  | { type: "ready"; model: ServedModel }
  | { type: "failed"; error: PostedError }
  | { type: "free"; id: number; index: number }
  | { type: "segment"; id: number; segment: Segment }
  | { type: "done"; id: number; result: Transcription }
  | { type: "error"; id: number; error: PostedError }
  | { type: "closed" };

/** What is known of a loaded model. */
export interface ServedModel {
  name: string;
  languages: readonly string[];
}

export interface SoundThreadData {
  core: CoreHandle;
}

/** To a thread that decodes sound. */
export type SoundRequest =
  | {
      type: "decode";
      id: number;
      /** The upload, in pieces, and its bytes in all. */
      blocks: Uint8Array[];
      size: number;
      ring: Float32Array[];
      maxSeconds: number;
    }
  | { type: "free"; id: number; index: number }
  | { type: "stop"; id: number };

/** From it. `over` is the last of a job: nothing that was lent is touched behind it. */
export type SoundReply =
  | { type: "block"; id: number; index: number; count: number }
  | { type: "over"; id: number; error?: PostedError };

/** The thread of the model died under a job. */
export class ThreadLostError extends WavepoolError {
  constructor(message: string) {
    super("thread-lost", "failure", message);
  }
}
/** The sound is longer than the service takes. */
export class SoundTooLongError extends WavepoolError {
  constructor(message: string) {
    super("sound-too-long", "input", message);
  }
}
/** Decoding a sound took too long, or more memory than it may. */
export class SoundUnsafeError extends WavepoolError {
  constructor(message: string) {
    super("sound-unsafe", "input", message);
  }
}
/** Room for an upload, a turn or a buffer did not come free in time. */
export class BusyError extends WavepoolError {
  constructor(message: string) {
    super("busy", "failure", message);
  }
}
