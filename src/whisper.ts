/**
 * Speech to text: Whisper on onnxruntime, where its models come from, voice activity, and the formats of its results.
 *
 * @example
 * import { createTranscriber, formatTranscription } from "wavepool/whisper";
 *
 * const transcriber = await createTranscriber({ model: "base" });
 * console.log(formatTranscription(await transcriber.transcribe("speech.flac"), "srt"));
 * await transcriber.dispose();
 *
 * @module
 */
export type { RuntimeFiles } from "./adapters/runtime-files.ts";
export type { ByteSource } from "./audio/byte-reader.ts";
export type { PcmAudio } from "./audio/pcm.ts";
export type { SoundReader } from "./audio/sound-reader.ts";
export { createSoundRing, type SoundRing, type SoundRingOptions } from "./audio/sound-ring.ts";
export { openSound, type RawPcm, type SoundOptions, type SoundSource } from "./audio/sound-source.ts";
export type { Core } from "./core/core.ts";
export { type CoreOptions, createCore } from "./core/create-core.ts";
export {
  AudioFormatError,
  CoreMemoryError,
  DownloadError,
  FileError,
  InferenceError,
  InvalidArgumentError,
  ModelFormatError,
  ModelNotFoundError,
  UnknownLanguageError,
  UnsupportedRuntimeError,
  UnsupportedTaskError,
  WavepoolError,
} from "./core/errors.ts";
export { DEFAULT_PROVIDERS, type PassedOver, PROVIDERS, type ProviderReport } from "./inference/providers.ts";
export type { ProviderName } from "./inference/session.ts";
export { installedRuntimeFiles } from "./inference/web-session.ts";
export type { DownloadProgress } from "./models/download-progress.ts";
export { LANGUAGE_NAMES } from "./models/languages.ts";
export { type DtypeOption, MODEL_DTYPES, type ModelDtype } from "./models/model-dtype.ts";
export {
  DEFAULT_MODEL,
  type FindModelOptions,
  findModel,
  MODEL_NAMES,
  type ModelFiles,
} from "./models/model-files.ts";
export type {
  FormatOptions,
  FormattableResult,
  FormatWriter,
  TimestampGranularity,
  TranscriptionSummary,
} from "./output/format-writer.ts";
export {
  createFormatWriter,
  formatTranscription,
  OUTPUT_FORMATS,
  type OutputFormat,
} from "./output/formats.ts";
export type { PoolStatistics } from "./pools/pool-statistics.ts";
export type {
  Context,
  ContextRule,
  Progress,
  Timestamps,
  TranscribeOptions,
} from "./transcription/options.ts";
export type { StageTimes } from "./transcription/stage-times.ts";
export { createTranscriber, type Transcriber, type TranscriberOptions } from "./transcription/transcriber.ts";
export type { Segment, Task, Transcription, Word } from "./transcription/transcription.ts";
export { planWindow, type WindowOptions, type WindowPlan } from "./voice/plan-windows.ts";
export {
  findVoiceDetector,
  loadVoiceDetector,
  type VoiceDetector,
  type VoiceDetectorOptions,
} from "./voice/silero.ts";
export {
  createSpeechRegions,
  type PushOptions,
  type SpeechRegions,
  type SpeechSoFar,
} from "./voice/speech-regions.ts";
export type { SpeechOptions, SpeechRegion } from "./voice/speech-segmenter.ts";
