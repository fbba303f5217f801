/**
 * wavepool: pooled buffers, SIMD log-mel and Whisper in one fixed memory.
 *
 * @example
 * const transcriber = await createTranscriber({ model: "base" });
 * const { text } = await transcriber.transcribe(await readFile("speech.wav"));
 *
 * @module
 */
export { decodeAudio } from "./audio/decode.ts";
export { duration, type PcmAudio } from "./audio/pcm.ts";
export { type MonoReader, monoReader } from "./audio/resample.ts";
export { readWav } from "./audio/wav.ts";
export { type Core, type CoreOptions, createCore } from "./core/create-core.ts";
export {
  AudioFormatError,
  CoreMemoryError,
  FileError,
  InferenceError,
  InvalidArgumentError,
  LeaseError,
  ModelFormatError,
  ModelNotFoundError,
  NonFiniteSamplesError,
  PoolExhaustedError,
  UnknownLanguageError,
  UnsupportedRuntimeError,
  WavepoolError,
} from "./core/errors.ts";
export { createLogMel, type LogMel, type LogMelOptions } from "./features/log-mel.ts";
export { type FeaturePreset, PRESETS, type PresetName } from "./features/presets.ts";
export { DEFAULT_MODEL, MODEL_NAMES, type ModelFiles } from "./inference/model-files.ts";
export type { Dtype, DtypeArrays } from "./pools/dtype.ts";
export {
  createSlotPool,
  type Lease,
  type PoolStatistics,
  poolStatistics,
  type SlotPool,
  type SlotPoolOptions,
} from "./pools/slot-pool.ts";
export {
  createTranscriber,
  type Progress,
  type StageTimes,
  type TranscribeOptions,
  type Transcriber,
  type TranscriberOptions,
  type Transcription,
} from "./transcription/transcriber.ts";
