/** What a page and its speech worker say to each other. Buffers lie in memory that both share, or are transferred. */
import type { PcmAudio } from "../audio/pcm.ts";
import type { CoreHandle } from "../core/core.ts";
import type { PostedError } from "../core/posted-error.ts";
import type { ProviderReport } from "../inference/providers.ts";
import type { DownloadProgress } from "../models/download-progress.ts";
import type { PoolStatistics } from "../pools/pool-statistics.ts";
import type { Progress, TranscribeOptions } from "../transcription/options.ts";
import type { StageTimes } from "../transcription/stage-times.ts";
import type { TranscriberOptions } from "../transcription/transcriber.ts";
import type { Segment, Transcription } from "../transcription/transcription.ts";
import type { SpeechOptions } from "../voice/speech-segmenter.ts";

/** Options of the transcriber that can be posted. */
export type PostedModelOptions = Omit<
  TranscriberOptions,
  "core" | "signal" | "onDownload" | "onLoading" | "relaxed" | "encoderThread"
>;

/** Options of a call that can be posted. */
export type PostedCallOptions = Omit<TranscribeOptions, "signal" | "onProgress" | "onSegment">;

/** Sound that can be posted: a file, its bytes, its URL, or decoded. */
export type PostedSound = Blob | ArrayBuffer | Uint8Array | string | PcmAudio;

/** How a worker listens to a source. */
export interface ListenRequest {
  type: "listen";
  id: number;
  /** Samples a second of the source. */
  sampleRate: number;
  /** Name of the ring on shared memory and address of its words, or the port that blocks come through. */
  ring?: { name: string; words: number };
  port?: MessagePort;
  options: PostedCallOptions;
  gate: GateOptions;
  partials: boolean;
  /** Whether the source waits while the model is behind. */
  patient: boolean;
}

/** What opens and closes the gate between sound and model. */
export interface GateOptions extends SpeechOptions {
  /** "level" (default) follows loudness over the noise; "silero" is a model: a URL of its weights. */
  detector?: "level" | { silero: string };
}

/** To the worker. */
export type SpeechRequest =
  | { type: "load"; core?: CoreHandle; options: PostedModelOptions }
  | { type: "transcribe"; id: number; sound: PostedSound; options: PostedCallOptions }
  | ListenRequest
  | { type: "finish"; id: number }
  | { type: "abort"; id: number }
  | { type: "stats"; id: number }
  | { type: "dispose" };

/** Something heard, on its way. */
export interface Partial {
  text: string;
  /** Seconds from the start of listening. */
  start: number;
  end: number;
  confidence: number;
}

/** Where the spectrogram of a source lies. */
export interface SpectrogramPlace {
  bins: number;
  frames: number;
  /** Addresses of frames and of the count of those written, in shared memory. */
  address?: number;
  writtenAddress?: number;
}

/** What a worker knows of itself. */
export interface WorkerFigures {
  pools: PoolStatistics[];
  /** What ran the model last. */
  providers?: ProviderReport;
  /** Milliseconds in each stage, over all that was transcribed. */
  times: StageTimes;
  /** Seconds of speech that the model was too slow for. */
  lostSeconds: number;
}

/** From it. */
export type SpeechReply =
  | { type: "attached"; agent: number }
  | { type: "ready"; model: string; languages: readonly string[] }
  | { type: "failed"; error: PostedError }
  | { type: "download"; progress: DownloadProgress }
  | { type: "loading" }
  | { type: "progress"; id: number; progress: Progress }
  | { type: "segment"; id: number; segment: Segment }
  | { type: "listening"; id: number; spectrogram: SpectrogramPlace }
  | { type: "partial"; id: number; partial: Partial }
  | { type: "frames"; id: number; written: number; values: Float32Array; dropped: number; quanta: number }
  | { type: "done"; id: number; result: Transcription }
  | { type: "error"; id: number; error: PostedError }
  | ({ type: "stats"; id: number } & WorkerFigures)
  | { type: "disposed" };
