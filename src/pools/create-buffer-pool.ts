import { assertOptions, describe } from "../core/arguments.ts";
import { type Core, DIRECTORY_PLACES, joinPool, orOutOfMemory, poolAddresses } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { BufferPool } from "./buffer-pool.ts";
import { DTYPES, type Dtype, elementBytes, isDtype } from "./dtype.ts";
import {
  type LeakDetection,
  type LeakReport,
  LeakTracker,
  registerTracker,
  warnOfLeak,
} from "./leak-detection.ts";
import { assertName, writeName } from "./memory-name.ts";
import { poolFlags, readDescription } from "./pool-description.ts";
import type { PoolState, PoolUse } from "./pool-use.ts";

/** Slots that one pool can hold: 12 bits of the handle, see assembly/pools/layout.ts. */
const MAX_SLOTS = 4096;
const MAX_RANK = 4;
const DEFAULT_INITIAL = 5;
const DEFAULT_MAX = 20;
const DEFAULT_QUEUE_LIMIT = 1000;

/** What one agent wants of a pool, whoever created it. */
export interface PoolUseOptions {
  /**
   * Whether to grow by one buffer ahead of demand when more than 10 % of the last 100 acquires had to bring
   * one into service, and to take out of service what lies idle for 30 s. Default false. Needs statistics.
   */
  adaptive?: boolean;
  /** Waiters that `acquireAsync` queues at most; 1000 by default. */
  queueLimit?: number;
  /** How many leases are followed, to find those that are lost without a release: none by default. */
  leakDetection?: LeakDetection;
  /** Told of lost leases, once a stack; by default a warning on the console. */
  onLeak?: (report: LeakReport) => void;
}

/** What buffers a pool is to hold. */
export interface BufferPoolOptions<D extends Dtype> extends PoolUseOptions {
  /** Name, unique within the core, 1 to 32 characters. */
  name: string;
  /** Element type of the buffers. */
  dtype: D;
  /** Shape of a buffer in elements, one to four dimensions, or its length. Left out where `bytes` is given. */
  shape?: number | readonly number[];
  /** Bytes of a buffer; beside `shape` only as a check. */
  bytes?: number;
  /** Buffers in service from the start, and those that trimming leaves: 5 by default, or `max` if that is less. */
  initial?: number;
  /** Buffers at most, 1 to 4096: 20 by default, or `initial` if that is more. */
  max?: number;
  /** Whether buffers are filled with zeros when they come back. Default false. */
  zeroOnRelease?: boolean;
  /**
   * What is counted: `"off"` only misuse and exhaustion, `"counts"` (default) everything but times, `"times"`
   * hold times too, which takes two looks at the clock, some 40 ns each.
   */
  statistics?: "off" | "counts" | "times";
}

const LEVELS = ["off", "counts", "times"];

interface CheckedOptions {
  name: string;
  dtype: Dtype;
  shape: number[];
  bytes: number;
  initial: number;
  max: number;
  zeroOnRelease: boolean;
  level: number;
}

/**
 * Checks the options of a pool without creating it.
 *
 * @param limit bytes that the core has in all.
 * @throws InvalidArgumentError naming pool, value and limit.
 */
export function checkPoolOptions(options: BufferPoolOptions<Dtype>, limit: number): CheckedOptions {
  assertOptions(options, "createBufferPool");
  const { name, dtype, zeroOnRelease = false, statistics = "counts", adaptive = false } = options;
  assertName(name, "pool");
  const refuse = (what: string, value: unknown, remedy: string) =>
    new InvalidArgumentError(`pool "${name}": ${what} is ${describe(value)}; give ${remedy}`);
  if (!isDtype(dtype)) throw refuse("dtype", dtype, DTYPES.map((known) => `"${known}"`).join(", "));
  if (typeof zeroOnRelease !== "boolean") throw refuse("zeroOnRelease", zeroOnRelease, "true or false");
  if (!LEVELS.includes(statistics)) throw refuse("statistics", statistics, '"off", "counts" or "times"');
  if (adaptive && statistics === "off") {
    throw refuse("statistics", statistics, '"counts" or "times" beside adaptive, which goes by the misses');
  }
  const slotCount = (what: string, value: number, lowest: number) => {
    if (Number.isSafeInteger(value) && value >= lowest && value <= MAX_SLOTS) return value;
    throw refuse(what, value, `an integer from ${lowest} to ${MAX_SLOTS}`);
  };
  const max = slotCount("max", options.max ?? Math.max(DEFAULT_MAX, options.initial ?? 0), 1);
  const initial = slotCount("initial", options.initial ?? Math.min(DEFAULT_INITIAL, max), 0);
  if (initial > max) throw refuse("initial", initial, `no more than max, which is ${max}`);
  return {
    name,
    dtype,
    ...checkSize(options, limit),
    initial,
    max,
    zeroOnRelease,
    level: LEVELS.indexOf(statistics),
  };
}

function checkSize(
  { name, dtype, shape, bytes }: BufferPoolOptions<Dtype>,
  limit: number,
): { shape: number[]; bytes: number } {
  const size = elementBytes(dtype);
  const inRange = (value: number, unit: number) =>
    Number.isSafeInteger(value) && value >= 1 && value * unit <= limit;
  if (shape === undefined && bytes === undefined) {
    throw new InvalidArgumentError(`pool "${name}": no size; give shape or bytes`);
  }
  if (bytes !== undefined && (!inRange(bytes, 1) || bytes % size !== 0)) {
    throw new InvalidArgumentError(
      `pool "${name}": bytes is ${describe(bytes)}; give a multiple of ${size} (one ${dtype}) from ${size} to ${limit}, the core's size`,
    );
  }
  if (shape === undefined) return { shape: [bytes! / size], bytes: bytes! };
  const dimensions: readonly number[] = typeof shape === "number" ? [shape] : shape;
  if (!Array.isArray(dimensions) || dimensions.length < 1 || dimensions.length > MAX_RANK) {
    throw new InvalidArgumentError(
      `pool "${name}": shape is ${describe(shape)}; give 1 to ${MAX_RANK} dimensions`,
    );
  }
  const listed = Array.from(dimensions); // a hole becomes undefined
  const wrong = listed.findIndex((dimension) => !inRange(dimension, 1));
  const total = wrong >= 0 ? 0 : listed.reduce((product, dimension) => product * dimension, size);
  if (wrong >= 0 || total > limit) {
    const what = wrong < 0 ? `${total} bytes in all` : `a dimension of ${describe(listed[wrong])}`;
    throw new InvalidArgumentError(
      `pool "${name}": shape [${listed.map(describe).join(", ")}] has ${what}; give integers from 1 upwards, in all at most ${limit} bytes, the core's size`,
    );
  }
  if (bytes !== undefined && bytes !== total) {
    throw new InvalidArgumentError(
      `pool "${name}": shape [${dimensions.join(", ")}] of ${dtype} takes ${total} bytes, bytes says ${bytes}; give one of the two`,
    );
  }
  return { shape: [...dimensions], bytes: total };
}

/**
 * Creates a pool of equal buffers in the core's memory, `initial` of them in service at once; acquires bring
 * further ones into service up to `max`, out of the core's free memory.
 *
 * @throws InvalidArgumentError when an option is out of range or the name is taken in this core.
 * @throws CoreMemoryError when the core has no room; nothing is taken then.
 */
export function createBufferPool<D extends Dtype>(core: Core, options: BufferPoolOptions<D>): BufferPool<D> {
  return createPartPool(core, options, {});
}

/** What only the pools made of pools ask for. */
interface PoolPlace {
  /** Number of the tier in a tiered pool. */
  tier?: number;
  /** Whether buffers keep their addresses for good, so that no trimming takes them. */
  pinned?: boolean;
}

/** As {@link createBufferPool}, as a part of a tiered or block pool. */
export function createPartPool<D extends Dtype>(
  core: Core,
  options: BufferPoolOptions<D>,
  { tier = 0, pinned = false }: PoolPlace,
): BufferPool<D> {
  const { name, dtype, shape, bytes, initial, max, zeroOnRelease, level } = checkPoolOptions(
    options,
    core.memoryBytes,
  );
  const use = checkUse(name, options);
  const { exports } = core;
  const flags = poolFlags(zeroOnRelease, level, pinned);
  const needed = exports.poolBytes(bytes, max, initial, flags, 1);
  const address = exports.poolCreate(bytes, initial, max, flags, tier, core.agent);
  const pool = orOutOfMemory(core, address, needed, `pool "${name}"`);
  writeName(core, exports.poolName(pool), name);
  const [d0 = 0, d1 = 0, d2 = 0, d3 = 0] = shape;
  exports.poolDescribe(pool, name.length, DTYPES.indexOf(dtype), shape.length, d0, d1, d2, d3);
  const published = exports.poolPublish(pool);
  if (published === 1) return usePool(core, pool, use);
  throw new InvalidArgumentError(
    published === 0
      ? `pool "${name}": the core has ${DIRECTORY_PLACES} pools already; shut one down or create another core`
      : `pool "${name}" exists already in this core; choose another name`,
  );
}

/**
 * Finds a pool that another agent created in this memory.
 *
 * @throws InvalidArgumentError when there is none of that name; the message lists those that there are.
 * @throws CoreMemoryError when the core has no room for this agent's counters.
 */
export function openBufferPool(core: Core, name: string, options: PoolUseOptions = {}): BufferPool {
  assertName(name, "pool");
  assertOptions(options, "openBufferPool");
  const use = checkUse(name, options);
  const pools = poolAddresses(core).filter((pool) => !core.exports.poolClosed(pool));
  const names = pools.map((pool) => readDescription(core, pool).name);
  const pool = pools[names.indexOf(name)];
  if (pool === undefined) throw unknownPool(name, names);
  return usePool(core, pool, use);
}

/** The error for a pool name that is not there. */
export function unknownPool(name: unknown, names: readonly string[]): InvalidArgumentError {
  const known = names.length === 0 ? "there are none" : `there are ${names.map((n) => `"${n}"`).join(", ")}`;
  return new InvalidArgumentError(`no pool ${describe(name)}; ${known}`);
}

interface CheckedUse {
  adaptive: boolean;
  queueLimit: number;
  leakDetection: LeakDetection;
  onLeak: (report: LeakReport) => void;
}

function checkUse(name: string, options: PoolUseOptions): CheckedUse {
  const {
    adaptive = false,
    queueLimit = DEFAULT_QUEUE_LIMIT,
    leakDetection = "off",
    onLeak = warnOfLeak,
  } = options;
  const refuse = (what: string, value: unknown, remedy: string) =>
    new InvalidArgumentError(`pool "${name}": ${what} is ${describe(value)}; give ${remedy}`);
  if (typeof adaptive !== "boolean") throw refuse("adaptive", adaptive, "true or false");
  if (!Number.isSafeInteger(queueLimit) || queueLimit < 0) {
    throw refuse("queueLimit", queueLimit, "an integer, 0 or more");
  }
  if (!["off", "sampled", "full"].includes(leakDetection)) {
    throw refuse("leakDetection", leakDetection, '"off", "sampled" or "full"');
  }
  if (typeof onLeak !== "function") throw refuse("onLeak", onLeak, "a function");
  return { adaptive, queueLimit, leakDetection, onLeak };
}

function usePool<D extends Dtype>(core: Core, address: Pointer, checked: CheckedUse): BufferPool<D> {
  const shard = joinPool(core, address);
  const description = readDescription(core, address);
  const { adaptive, queueLimit, leakDetection, onLeak } = checked;
  const leaks =
    leakDetection === "off"
      ? undefined
      : new LeakTracker(description.name, leakDetection, onLeak, () => pool.countLost());
  const state = stateOf(core, address);
  registerTracker(core, address, leaks, state.uses.length === 0);
  const use: PoolUse = { adaptive: adaptive && description.level > 0, queueLimit, leaks, state };
  const pool = new BufferPool<D>(
    core,
    address,
    shard,
    { ...description, dtype: description.dtype as D },
    use,
  );
  return pool;
}

/** State of the pools that this agent uses, by address. */
const states = new WeakMap<Core, Map<Pointer, PoolState>>();

/** An agent that has left its memory is to touch nothing in it. */
function endAll(left: Iterable<PoolState>): void {
  for (const state of left) {
    for (const use of state.closed ? [] : state.uses) use.end();
    state.closed = true;
    state.freed = true;
  }
}

function stateOf(core: Core, address: Pointer): PoolState {
  const known = states.get(core) ?? new Map<Pointer, PoolState>();
  if (!states.has(core)) core.onLeave(() => endAll(known.values()));
  states.set(core, known);
  const state = known.get(address);
  if (state !== undefined && !state.closed) return state;
  const fresh: PoolState = { closed: false, freed: false, uses: [] };
  known.set(address, fresh);
  return fresh;
}
