/**
 * The wavepool core: every buffer and every kernel of the package in one linear memory.
 *
 * The memory is imported, its size is fixed at creation and it never grows: growth would detach
 * every view that a host holds, and the size is a promise to the user.
 *
 *     0x0000_0000 ┌──────────────────────────────────────────────┐
 *                 │ header, one page of 4 KiB                    │  memory/header.ts
 *                 │   magic, version, size, arena cursor         │
 *                 │   directory of pools, directory of tables    │
 *     0x0000_1000 ├──────────────────────────────────────────────┤  asconfig.json memoryBase
 *                 │ static data of the module (constant)         │
 *     __heap_base ├──────────────────────────────────────────────┤  rounded up to 64
 *                 │ arena, grows upwards, never shrinks          │  memory/arena.ts
 *                 │   kernel tables (built once, then read only) │  kernels/*.ts
 *                 │   kernel workspaces (one per agent)          │
 *                 │   pools: header, then slots                  │  pools/slot-pool.ts
 *                 │     ┌ slot header 64 B ┬ payload, 64-aligned ┐
 *            size └─────┴──────────────────┴─────────────────────┘
 *
 * All mutable state lives in that memory, none in Wasm globals, and no code calls the AssemblyScript
 * allocator: a later agent can attach to the memory without rewriting anything.
 */

export { dft400Create, dft400TableBytes } from "./kernels/dft400";
export { countNonFinite, firstNonFinite } from "./kernels/finite";
export { logMel, logMelActiveFrames, logMelWorkspaceBytes } from "./kernels/log-mel";
export { melBankBytes, melBankCreate } from "./kernels/mel-bank";
export { arenaAllocate, arenaFree } from "./memory/arena";
export { attach, initialize } from "./memory/header";
export {
  poolAcquire,
  poolAvailable,
  poolCapacity,
  poolCountDoubleRelease,
  poolCounter,
  poolCreate,
  poolRelease,
  poolSlotPayload,
} from "./pools/slot-pool";
