/**
 * wavepool: pooled buffers, SIMD log-mel and Whisper in one fixed memory.
 *
 * @example
 * const transcriber = await createTranscriber({ model: "base" });
 * const { text } = await transcriber.transcribe(await readFile("speech.wav"));
 *
 * @module
 */

export type { ByteSource } from "./audio/byte-reader.ts";
export { decodeAudio } from "./audio/decode.ts";
export { duration, type PcmAudio } from "./audio/pcm.ts";
export { type ToMonoOptions, toMono } from "./audio/pcm-conversion.ts";
export { type MonoReader, monoReader } from "./audio/resample.ts";
export type { ResamplerQuality } from "./audio/resample-bank.ts";
export { createResampler, type Resampler, type ResamplerOptions } from "./audio/resampler.ts";
export type { SoundReader } from "./audio/sound-reader.ts";
export { createSoundRing, type SoundRing, type SoundRingOptions } from "./audio/sound-ring.ts";
export { openSound, type RawPcm, type SoundOptions, type SoundSource } from "./audio/sound-source.ts";
export type { NonFinitePolicy } from "./audio/staging.ts";
export { readWav } from "./audio/wav.ts";
export { attachCore } from "./core/attach-core.ts";
export type { Core, CoreHandle, Reclaimed } from "./core/core.ts";
export { type CoreOptions, createCore } from "./core/create-core.ts";
export {
  AudioFormatError,
  CoreMemoryError,
  CrewError,
  DownloadError,
  FileError,
  InferenceError,
  InvalidArgumentError,
  LeaseError,
  ModelFormatError,
  ModelNotFoundError,
  NonFiniteSamplesError,
  PoolClosedError,
  PoolExhaustedError,
  PoolTimeoutError,
  UnknownLanguageError,
  UnsupportedExtractorError,
  UnsupportedRuntimeError,
  UnsupportedTaskError,
  WavepoolError,
} from "./core/errors.ts";
export { type Cmvn, parseCmvn } from "./features/cmvn.ts";
export { type Crew, type CrewOptions, createCrew } from "./features/crew.ts";
export type {
  EnergyFeature,
  FeatureNormalization,
  FrameEdges,
  FrameShape,
  FrameStacking,
  FrontEndDescription,
  LogScale,
  MelBank,
  WindowName,
} from "./features/description.ts";
export type { FeatureStream, FeatureStreamOptions } from "./features/feature-stream.ts";
export { createFft, type Fft, type FftOptions } from "./features/fft.ts";
export { createFrontEnd, type FrontEnd, type FrontEndOptions } from "./features/front-end.ts";
export { PRESETS, type PresetName } from "./features/presets.ts";
export { DEFAULT_PROVIDERS, type PassedOver, PROVIDERS, type ProviderReport } from "./inference/providers.ts";
export type { ProviderName } from "./inference/session.ts";
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
export {
  AnalysisBuffer,
  type AnalysisStatistics,
  type AnalysisWindow,
  type SampleType,
} from "./pools/analysis-buffer.ts";
export {
  type AudioBlock,
  AudioBlockPool,
  type AudioBlockPoolOptions,
  type AudioChannels,
  createAudioBlockPool,
  openAudioBlockPool,
} from "./pools/audio-block-pool.ts";
export { BufferPool } from "./pools/buffer-pool.ts";
export {
  type AnalysisBufferOptions,
  createAnalysisBuffer,
  openAnalysisBuffer,
} from "./pools/create-analysis-buffer.ts";
export {
  type BufferPoolOptions,
  createBufferPool,
  openBufferPool,
  type PoolUseOptions,
} from "./pools/create-buffer-pool.ts";
export type { Dtype, DtypeArrays } from "./pools/dtype.ts";
export { type Health, type PoolHealth, poolHealth } from "./pools/health.ts";
export type { Percentiles } from "./pools/histogram.ts";
export {
  checkLeaks,
  describeLeak,
  type LeakCheckOptions,
  type LeakDetection,
  type LeakReport,
  type LeakWatchOptions,
  watchLeaks,
} from "./pools/leak-detection.ts";
export { Lease } from "./pools/lease.ts";
export { type PoolSettings, type PoolsConfig, type PresetSize, poolPreset } from "./pools/pool-config.ts";
export {
  createPoolManager,
  defaultPoolManager,
  PoolManager,
  type PoolManagerOptions,
} from "./pools/pool-manager.ts";
export { type AgentStatistics, type PoolStatistics, poolStatistics } from "./pools/pool-statistics.ts";
export {
  createPressureMonitor,
  type PressureEvent,
  PressureMonitor,
  type PressureMonitorOptions,
  type PressureSource,
  type PressureStatistics,
} from "./pools/pressure-monitor.ts";
export {
  createTieredPool,
  TieredLease,
  type TieredPool,
  type TieredPoolOptions,
  type TieredStatistics,
  type TierName,
  type TierOptions,
} from "./pools/tiered-pool.ts";
export type { WaitOptions } from "./pools/wait-queue.ts";
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
