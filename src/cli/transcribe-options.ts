import type { PcmAudio } from "../audio/pcm.ts";
import type { PoolStatistics } from "../pools/pool-statistics.ts";
import { createTranscriber, type Transcription } from "../transcription/transcriber.ts";
import type { Segment, Task } from "../transcription/transcription.ts";

/** How far a transcription has come, as the progress display takes it. */
export interface TranscribeProgress {
  stage: string;
  /** Seconds of the clip that are done. */
  seconds: number;
  /** Seconds of the clip in all, where that is known. */
  duration: number | undefined;
  /** Tokens decoded so far in this window. */
  tokens: number;
  secondsLeft?: number | undefined;
}

/** What the command line asks of one transcription. */
export interface TranscribeRequest {
  language?: string;
  task?: Task;
  timestamps?: "none" | "segment" | "word";
  beamSize?: number;
  bestOf?: number;
  temperature?: number | readonly number[];
  compressionRatioThreshold?: number | null;
  logprobThreshold?: number | null;
  noSpeechThreshold?: number | null;
  prompt?: string;
  conditionOnPreviousText?: boolean;
  voiceActivity?: boolean;
  context?: "auto" | "full";
  onProgress?: (progress: TranscribeProgress) => void;
  onSegment?: (segment: Segment) => void;
  signal?: AbortSignal;
}

/** What the command line asks of a transcriber. */
export interface TranscriberRequest {
  model: string;
  language?: string;
  dtype?: string;
  offline?: boolean;
  providers?: readonly string[];
  threads?: number;
  onLoading?: () => void;
}

/** A transcription with all that the formats need. */
export type Transcribed = Transcription & {
  task: Task;
  segments: readonly Segment[];
  languageProbability?: number;
  providers?: unknown;
};

/** A transcriber as the command line uses it. */
export interface CommandTranscriber {
  transcribe(audio: PcmAudio, request: TranscribeRequest): Promise<Transcribed>;
  stats(): PoolStatistics[];
  dispose(): Promise<void>;
}

/**
 * Loads a transcriber. This is the one place that bridges the command line and a transcriber that does not know
 * all of these options yet: they are passed on as they are, and a result without segments gets one for its
 * whole text. Once `transcriber.ts` has the types, the casts and {@link withSegments} go.
 */
export async function openTranscriber(request: TranscriberRequest): Promise<CommandTranscriber> {
  const transcriber = await (createTranscriber as unknown as LooseCreate)(request);
  return {
    async transcribe(audio, options) {
      return withSegments(await transcriber.transcribe(audio, options), options.task ?? "transcribe");
    },
    stats: () => transcriber.stats(),
    dispose: () => transcriber.dispose(),
  };
}

type LooseResult = Transcription & Partial<Pick<Transcribed, "task" | "segments">>;
type LooseCreate = (request: TranscriberRequest) => Promise<{
  transcribe(audio: PcmAudio, request: TranscribeRequest): Promise<LooseResult>;
  stats(): PoolStatistics[];
  dispose(): Promise<void>;
}>;

function withSegments(result: LooseResult, asked: Task): Transcribed {
  const { task = asked, text, duration } = result;
  const whole: Segment = {
    id: 0,
    seek: 0,
    start: 0,
    end: duration,
    text,
    tokens: [],
    temperature: 0,
    avgLogprob: Number.NaN, // unknown, null in JSON
    compressionRatio: Number.NaN,
    noSpeechProb: Number.NaN,
  };
  return { ...result, task, segments: result.segments ?? (text === "" ? [] : [whole]) };
}
