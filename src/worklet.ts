/**
 * What an audio worklet or a bare worker needs: attaching to a memory, the pools in it, and front ends with their
 * streams. It imports nothing that an AudioWorkletGlobalScope lacks.
 *
 * @module
 */
export { attachCore } from "./core/attach-core.ts";
export type { Core, CoreHandle, Reclaimed } from "./core/core.ts";
export type { FeatureStream } from "./features/feature-stream.ts";
export { createFrontEnd, type FrontEnd, type FrontEndOptions } from "./features/front-end.ts";
export { PRESETS, type PresetName } from "./features/presets.ts";
export { AnalysisBuffer, type AnalysisStatistics } from "./pools/analysis-buffer.ts";
export type { AnalysisWindow } from "./pools/analysis-window.ts";
export {
  type AudioBlock,
  AudioBlockPool,
  type AudioChannels,
  openAudioBlockPool,
} from "./pools/audio-block-pool.ts";
export { BufferPool } from "./pools/buffer-pool.ts";
export { openAnalysisBuffer } from "./pools/create-analysis-buffer.ts";
export { createBufferPool, openBufferPool } from "./pools/create-buffer-pool.ts";
export { Lease } from "./pools/lease.ts";
export { type PoolStatistics, poolStatistics } from "./pools/pool-statistics.ts";
