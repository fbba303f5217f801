/**
 * Features of sound for models that you run yourself: log-mel and its kin into pooled views, whole or as sound comes
 * in, and what brings sound there: decoders, resampler, transforms.
 *
 * @example
 * import { createBufferPool, createCore, createFrontEnd } from "wavepool/mel";
 *
 * const core = await createCore();
 * const mel = createBufferPool(core, { name: "mel", dtype: "f32", shape: [80, 3000], max: 2 });
 * const features = mel.acquire();
 * createFrontEnd(core, { preset: "whisper-80" }).compute(samples, features.view);
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
  FileError,
  InvalidArgumentError,
  LeaseError,
  NonFiniteSamplesError,
  PoolClosedError,
  PoolExhaustedError,
  UnsupportedRuntimeError,
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
export { BufferPool } from "./pools/buffer-pool.ts";
export { type BufferPoolOptions, createBufferPool, openBufferPool } from "./pools/create-buffer-pool.ts";
export { Lease } from "./pools/lease.ts";
