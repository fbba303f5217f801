/**
 * The pools alone: buffers in one WebAssembly memory of fixed size. Nothing of models or inference comes with it.
 *
 * @example
 * import { createBufferPool, createCore } from "wavepool/pool";
 *
 * const core = await createCore();
 * const pool = createBufferPool(core, { name: "audio", dtype: "f32", shape: 480000, max: 4 });
 * const lease = pool.acquire();
 * lease.release();
 *
 * @module
 */
export { detectFeatures, type RuntimeFeatures } from "./adapters/runtime-features.ts";
export { attachCore } from "./core/attach-core.ts";
export type { Core, CoreHandle, Reclaimed } from "./core/core.ts";
export { type CoreOptions, createCore } from "./core/create-core.ts";
export {
  CoreMemoryError,
  InvalidArgumentError,
  LeaseError,
  PoolClosedError,
  PoolExhaustedError,
  PoolTimeoutError,
  UnsupportedRuntimeError,
  WavepoolError,
} from "./core/errors.ts";
export {
  AnalysisBuffer,
  type AnalysisStatistics,
  type SampleType,
} from "./pools/analysis-buffer.ts";
export type { AnalysisWindow } from "./pools/analysis-window.ts";
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
