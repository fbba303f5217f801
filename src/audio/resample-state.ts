import { type Core, poolAddresses } from "../core/core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { BufferPool } from "../pools/buffer-pool.ts";
import { createBufferPool, openBufferPool } from "../pools/create-buffer-pool.ts";
import type { Lease } from "../pools/lease.ts";
import { readDescription } from "../pools/pool-description.ts";
import type { ResampleBank } from "./resample-bank.ts";

const FLOAT_BYTES = 4;
/** The smallest buffer, 16 KiB: it stays in the first cache with the filter's row. */
const MIN_FLOATS = 4096;
/** New samples that a buffer takes at least. */
const MIN_ROOM = 1024;
const MAX_SLOTS = 1024;

const poolsByCore = new WeakMap<Core, Map<number, BufferPool<"f32">>>();

/**
 * Leases the buffer that a stream's samples go through: those that later outputs still need, and new ones
 * behind them. The pools, one for each power of two, are shared by all agents and made when they are needed.
 *
 * @throws CoreMemoryError, PoolExhaustedError when the core has no room for another stream.
 */
export function acquireState(core: Core, { taps, up, down, quantum }: ResampleBank): Lease<"f32"> {
  const least = taps + Math.ceil(down / up) + Math.max(quantum, MIN_ROOM);
  let floats = MIN_FLOATS;
  while (floats < least) floats *= 2;
  return statePool(core, floats).acquire();
}

function statePool(core: Core, floats: number): BufferPool<"f32"> {
  const pools = poolsByCore.get(core) ?? new Map<number, BufferPool<"f32">>();
  poolsByCore.set(core, pools);
  const known = pools.get(floats);
  if (known && !known.closed && !core.exports.poolClosed(known.address)) return known;
  const pool = openOrCreate(core, floats);
  pools.set(floats, pool);
  return pool;
}

function openOrCreate(core: Core, floats: number): BufferPool<"f32"> {
  const bytes = floats * FLOAT_BYTES;
  const name = `resampler ${bytes / 1024} KiB`;
  if (!exists(core, name)) {
    // Its slots are to take no more of a small core than the buffers themselves.
    const max = Math.min(MAX_SLOTS, Math.max(1, Math.floor(core.memoryBytes / bytes)));
    try {
      return createBufferPool(core, { name, dtype: "f32", shape: floats, initial: 0, max });
    } catch (error) {
      if (!exists(core, name)) throw error; // otherwise another agent was faster
    }
  }
  const pool = openBufferPool(core, name) as unknown as BufferPool<"f32">;
  if (pool.dtype === "f32" && pool.length === floats) return pool;
  throw new InvalidArgumentError(
    `pool "${name}" holds ${pool.length} × ${pool.dtype}; the resampler needs that name for ${floats} × f32: choose another for yours`,
  );
}

function exists(core: Core, name: string): boolean {
  return poolAddresses(core).some(
    (pool) => !core.exports.poolClosed(pool) && readDescription(core, pool).name === name,
  );
}
