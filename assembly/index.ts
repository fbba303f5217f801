/**
 * The wavepool core: every buffer and every kernel of the package in one linear memory.
 *
 * The memory is imported, its size is fixed at creation and it never grows: growth would detach
 * every view that a host holds, and the size is a promise to the user.
 *
 *     0x0000_0000 ┌──────────────────────────────────────────────┐
 *                 │ header, one page of 4 KiB                    │  memory/header.ts
 *                 │   magic, version, size, arena cursor         │
 *                 │   directories of pools, rings and tables     │
 *                 │   agents, regions given back                 │
 *     0x0000_1000 ├──────────────────────────────────────────────┤  asconfig.json memoryBase
 *                 │ static data of the module (constant)         │
 *     __heap_base ├──────────────────────────────────────────────┤  rounded up to 64
 *                 │ arena of regions                             │  memory/arena.ts
 *                 │   plans and tables (read only once built)    │  features/plan.ts
 *                 │   kernel workspaces (one per agent)          │
 *                 │   pools: header with slot headers            │  pools/layout.ts
 *                 │   pools: buffers, shards of counters         │  pools/shard.ts
 *                 │   rings                                      │  rings/analysis-ring.ts
 *            size └──────────────────────────────────────────────┘
 *
 * All mutable state lives in that memory, none in Wasm globals, and no code calls the AssemblyScript
 * allocator: a later agent attaches to the memory without rewriting anything. Four binaries come from this
 * source: plain, for a memory of its own, and threads, for a memory shared by several agents; each also
 * with relaxed SIMD.
 */

export { crewBegin, crewBytes, crewDone, crewEnd, crewFinish, crewFrames, crewServe } from "./features/crew";
export { emptyFilter } from "./features/mel-bank";
export { greatest, shiftAndScale, standardize } from "./features/normalize";
export { planBytes, planCreate, planFilters, planNeeds, planRows, planWorkspaceBytes } from "./features/plan";
export { cosineTableBuild, cosineTableBytes, cosineTransform, stackFrames } from "./features/rearrange";
export { computeFrames, raiseToRange, silentFeature } from "./features/spectrogram";
export { streamBad, streamBytes, streamFlush, streamPush, streamRead, streamReset } from "./features/stream";
export { relaxedSimd } from "./kernels/arithmetic";
export { fftTableBuild, fftTableBytes, fourTransforms, realFftTableBuild, realFftTableBytes } from "./kernels/fft";
export { fourRealPowers, fourRealTransforms, realFftBufferBytes } from "./kernels/fft-real";
export { fftPlanBuild, fftPlanBytes, fftRun, fftScratchBytes } from "./kernels/fft-single";
export { countNonFinite, firstNonFinite, zeroNonFinite } from "./kernels/finite";
export { copySamples, floatToMono, int16ToMono } from "./kernels/pcm";
export { resample, resampleBankBuild, resampleBankBytes } from "./kernels/resample";
export { agentJoin, agentLeave, agentPresent } from "./memory/agents";
export { arenaAllocate, arenaFree, arenaRelease } from "./memory/arena";
export { attach, initialize } from "./memory/header";
export { poolAt, poolBytes, poolClose, poolClosed, poolCreate, poolFree, poolPublish } from "./pools/create";
export {
  poolDescribe,
  poolHeader,
  poolInUse,
  poolMax,
  poolName,
  poolPayloads,
  poolWaiters,
  slotHandle,
  slotHeldBy,
  slotOwner,
  slotReferences,
  slotSince,
  slotUses,
} from "./pools/inspect";
export { poolReclaim, poolRecover } from "./pools/reclaim";
export { poolGrow, poolInService, poolMoment, poolTrim, poolTrimIdle } from "./pools/resize";
export {
  poolBucket,
  poolCount,
  poolCounter,
  poolCountWait,
  poolJoin,
  poolLeave,
  poolPeak,
  poolShard,
  poolTime,
  shardAgent,
  shardCounter,
} from "./pools/shard";
export { poolAdopt, poolAlive, poolHandOver, poolRelease, poolRetain } from "./pools/references";
export { poolAcquire, poolReady } from "./pools/slot-pool";
export {
  ringAt,
  ringBytes,
  ringCommit,
  ringCounter,
  ringCreate,
  ringFree,
  ringHeader,
  ringName,
  ringPublish,
  ringRead,
  ringReserve,
  ringShape,
  ringTake,
} from "./rings/analysis-ring";
