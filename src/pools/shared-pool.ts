import { type Core, poolAddresses } from "../core/core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { createBufferPool, openBufferPool } from "./create-buffer-pool.ts";
import { readDescription } from "./pool-description.ts";

const FLOAT_BYTES = 4;
/** The smallest buffer, 16 KiB: it stays in the first cache. */
const MIN_FLOATS = 4096;
const MAX_SLOTS = 1024;

const poolsByCore = new WeakMap<Core, Map<string, BufferPool<"f32">>>();

/**
 * The pool of float32 states of some purpose, at least `floats` long. Sizes are powers of two, so that a core needs few
 * of its 64 pools; all agents share them, and they are made when they are needed and stay.
 *
 * @throws CoreMemoryError when the core has no room for the pool.
 * @throws InvalidArgumentError when a pool of that name holds something else.
 */
export function statePool(core: Core, purpose: string, floats: number): BufferPool<"f32"> {
  let length = MIN_FLOATS;
  while (length < floats) length *= 2;
  const pools = poolsByCore.get(core) ?? new Map<string, BufferPool<"f32">>();
  poolsByCore.set(core, pools);
  const name = `${purpose} ${(length * FLOAT_BYTES) / 1024} KiB`;
  const known = pools.get(name);
  if (known && !known.closed && !core.exports.poolClosed(known.address)) return known;
  const pool = openOrCreate(core, name, length);
  pools.set(name, pool);
  return pool;
}

function openOrCreate(core: Core, name: string, floats: number): BufferPool<"f32"> {
  if (!exists(core, name)) {
    // Its slots are to take no more of a small core than the buffers themselves.
    const max = Math.min(MAX_SLOTS, Math.max(1, Math.floor(core.memoryBytes / (floats * FLOAT_BYTES))));
    try {
      return createBufferPool(core, { name, dtype: "f32", shape: floats, initial: 0, max });
    } catch (error) {
      if (!exists(core, name)) throw error; // otherwise another agent was faster
    }
  }
  const pool = openBufferPool(core, name) as unknown as BufferPool<"f32">;
  if (pool.dtype === "f32" && pool.length === floats) return pool;
  throw new InvalidArgumentError(
    `pool "${name}" holds ${pool.length} × ${pool.dtype}; it is needed for ${floats} × f32: choose another name for yours`,
  );
}

function exists(core: Core, name: string): boolean {
  return poolAddresses(core).some(
    (pool) => !core.exports.poolClosed(pool) && readDescription(core, pool).name === name,
  );
}
