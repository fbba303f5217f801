import type { Core } from "../core/core.ts";
import type { Lease } from "../pools/lease.ts";
import { statePool } from "../pools/shared-pool.ts";
import type { ResampleBank } from "./resample-bank.ts";

/** New samples that a buffer takes at least. */
const MIN_ROOM = 1024;

/**
 * Leases the buffer that a stream's samples go through: those that later outputs still need, and new ones
 * behind them.
 *
 * @throws CoreMemoryError, PoolExhaustedError when the core has no room for another stream.
 */
export function acquireState(core: Core, { taps, up, down, quantum }: ResampleBank): Lease<"f32"> {
  return statePool(core, "resampler", taps + Math.ceil(down / up) + Math.max(quantum, MIN_ROOM)).acquire();
}
