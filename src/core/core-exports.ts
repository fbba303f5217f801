/** Address in the core's memory, in bytes. */
export type Pointer = number;

/** Raw functions of the core binary; see assembly/ for what each does. Not public. */
export interface CoreExports {
  initialize(size: number): number;
  attach(): number;
  arenaAllocate(bytes: number): Pointer;
  arenaFree(): number;
  poolCreate(payloadBytes: number, capacity: number): Pointer;
  poolAcquire(pool: Pointer): number;
  poolRelease(pool: Pointer, handle: number): number;
  poolCountDoubleRelease(pool: Pointer): void;
  poolSlotPayload(pool: Pointer, index: number): Pointer;
  poolAvailable(pool: Pointer): number;
  poolCapacity(pool: Pointer): number;
  poolCounter(pool: Pointer, key: number): number;
  dft400TableBytes(): number;
  dft400Create(): Pointer;
  melBankBytes(mels: number): number;
  melBankCreate(mels: number): Pointer;
  logMelWorkspaceBytes(): number;
  logMelActiveFrames(count: number, frames: number): number;
  logMel(
    dft: Pointer,
    bank: Pointer,
    workspace: Pointer,
    samples: Pointer,
    count: number,
    total: number,
    out: Pointer,
    mels: number,
    frames: number,
  ): number;
  countNonFinite(samples: Pointer, count: number): number;
  firstNonFinite(samples: Pointer, count: number): number;
}
