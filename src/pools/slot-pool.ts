import { assertOptions, describe } from "../core/arguments.ts";
import type { Pointer } from "../core/core-exports.ts";
import { type Core, orOutOfMemory } from "../core/create-core.ts";
import { InvalidArgumentError, LeaseError, PoolExhaustedError } from "../core/errors.ts";
import { type Dtype, type DtypeArrays, elementBytes, isDtype, viewOf } from "./dtype.ts";

/** Slots that one pool can hold: 12 bits of the handle, see assembly/pools/slot-pool.ts. */
const MAX_SLOTS = 4096;
/** Places in the core's directory of pools, see assembly/memory/header.ts. */
const MAX_POOLS = 64;
const INDEX_MASK = MAX_SLOTS - 1;
const RELEASED = 0;

/** Places of the counters in the core, see assembly/pools/slot-pool.ts. */
const COUNTER = {
  acquires: 0,
  releases: 1,
  exhausted: 2,
  doubleReleases: 3,
  foreignReleases: 4,
  inUse: 5,
  peakInUse: 6,
} as const;

/** Safari has no Symbol.dispose yet; compilers that lower `using` look for this registered symbol instead. */
const dispose: typeof Symbol.dispose =
  Symbol.dispose ?? (Symbol.for("Symbol.dispose") as typeof Symbol.dispose);

const poolsByCore = new WeakMap<Core, Map<string, SlotPool>>();

/** What buffers a pool is to hold. */
export interface SlotPoolOptions<D extends Dtype> {
  /** Name, unique within the core. */
  name: string;
  /** Element type of the buffers. */
  dtype: D;
  /** Elements in each buffer. */
  length: number;
  /** Number of buffers, 1 to 4096; all are taken from the core at creation. */
  slots: number;
}

/** What a pool has done so far. Counts are exact. */
export interface PoolStatistics {
  /** Name of the pool. */
  name: string;
  /** Buffers in all. */
  slots: number;
  /** Buffers leased now. */
  inUse: number;
  /** The most buffers ever leased at once. */
  peakInUse: number;
  /** Buffers free now. */
  available: number;
  /** Bytes of one buffer. */
  slotBytes: number;
  /** Bytes of all buffers. */
  bytes: number;
  /** Leases given out. */
  acquires: number;
  /** Leases given back. */
  releases: number;
  /** Acquires refused because every slot was leased. */
  exhausted: number;
  /** Releases of a buffer that was released before. */
  doubleReleases: number;
  /** Releases of a handle that this pool never gave out. */
  foreignReleases: number;
}

/**
 * A pooled buffer on loan. `view` is valid until `release()`; reading it later throws.
 *
 * This is the one object that acquiring allocates: three fields, no closures. Its methods sit on the
 * prototype, the handle is a small integer and the view is the slot's own, made once. A lease of its
 * own for each tenancy, rather than one reused per slot, is what tells a stale lease from a live one.
 */
export class Lease<D extends Dtype = Dtype> {
  readonly #pool: SlotPool<D>;
  readonly #handle: number;
  #view: DtypeArrays[D] | undefined;

  /** @internal Leases come from {@link SlotPool.acquire}. */
  constructor(pool: SlotPool<D>, handle: number, view: DtypeArrays[D]) {
    this.#pool = pool;
    this.#handle = handle;
    this.#view = view;
  }

  /**
   * The whole buffer as a typed array over the core's memory. Its contents are what the last tenant left.
   *
   * @throws LeaseError after release.
   */
  get view(): DtypeArrays[D] {
    if (this.#view === undefined) {
      throw new LeaseError(
        `pool "${this.#pool.name}": buffer used after its release; keep the lease until you are done`,
      );
    }
    return this.#view;
  }

  /** Whether the buffer has gone back to its pool. */
  get released(): boolean {
    return this.#view === undefined;
  }

  /**
   * Returns the buffer to its pool.
   *
   * @throws LeaseError when it was released before; the pool counts that and stays as it was.
   */
  release(): void {
    // The core would tell a stale handle too, but only until its generation comes round again.
    if (this.#view === undefined) this.#pool.refuseSecondRelease();
    this.#view = undefined;
    this.#pool.takeBack(this.#handle);
  }

  /** Releases the buffer at the end of a `using` block; does nothing if it is released already. */
  [dispose](): void {
    if (this.#view !== undefined) this.release();
  }
}

/** A pool of equal buffers in the core's memory. Create it with {@link createSlotPool}. */
export class SlotPool<D extends Dtype = Dtype> {
  /** Name, unique within the core. */
  readonly name: string;
  /** Element type of the buffers. */
  readonly dtype: D;
  /** Elements in each buffer. */
  readonly length: number;
  readonly #core: Core;
  readonly #pool: Pointer;
  readonly #views: DtypeArrays[D][];

  /** @internal */
  constructor(core: Core, pool: Pointer, options: SlotPoolOptions<D>) {
    this.name = options.name;
    this.dtype = options.dtype;
    this.length = options.length;
    this.#core = core;
    this.#pool = pool;
    this.#views = [];
    for (let i = 0; i < options.slots; i++) {
      const payload = core.exports.poolSlotPayload(pool, i) >>> 0;
      this.#views.push(viewOf(options.dtype, core.buffer, payload, options.length));
    }
  }

  /**
   * Leases a buffer.
   *
   * @throws PoolExhaustedError when every buffer is leased.
   */
  acquire(): Lease<D> {
    const lease = this.tryAcquire();
    if (lease) return lease;
    throw new PoolExhaustedError(
      `pool "${this.name}": all ${this.#views.length} buffers are leased; release one or create the pool with more slots`,
    );
  }

  /** Leases a buffer, or returns undefined when every buffer is leased. */
  tryAcquire(): Lease<D> | undefined {
    const handle = this.#core.exports.poolAcquire(this.#pool);
    if (handle < 0) return undefined;
    return new Lease(this, handle, this.#views[handle & INDEX_MASK]!);
  }

  /** @internal Called by {@link Lease.release}. */
  takeBack(handle: number): void {
    if (Number.isInteger(handle) && this.#core.exports.poolRelease(this.#pool, handle) === RELEASED) return;
    throw new LeaseError(`pool "${this.name}": handle ${handle} is not leased; release each lease once`);
  }

  /** @internal Counts and reports a lease released twice. */
  refuseSecondRelease(): never {
    this.#core.exports.poolCountDoubleRelease(this.#pool);
    throw new LeaseError(`pool "${this.name}": buffer released twice; release each lease once`);
  }

  /** Counts since creation, as a plain object. */
  stats(): PoolStatistics {
    const { exports } = this.#core;
    const read = (key: number) => exports.poolCounter(this.#pool, key);
    const slots = exports.poolCapacity(this.#pool);
    const slotBytes = this.length * elementBytes(this.dtype);
    return {
      name: this.name,
      slots,
      inUse: read(COUNTER.inUse),
      peakInUse: read(COUNTER.peakInUse),
      available: exports.poolAvailable(this.#pool),
      slotBytes,
      bytes: slots * slotBytes,
      acquires: read(COUNTER.acquires),
      releases: read(COUNTER.releases),
      exhausted: read(COUNTER.exhausted),
      doubleReleases: read(COUNTER.doubleReleases),
      foreignReleases: read(COUNTER.foreignReleases),
    };
  }
}

/**
 * Creates a pool of `slots` buffers of `length` elements in the core's memory.
 *
 * @throws InvalidArgumentError when an option is out of range or the name is taken in this core.
 * @throws CoreMemoryError when the core has no room; nothing is taken then.
 */
export function createSlotPool<D extends Dtype>(core: Core, options: SlotPoolOptions<D>): SlotPool<D> {
  assertOptions(options, "createSlotPool");
  const { name, dtype, length, slots } = options; // read once: a getter must not change its mind
  if (typeof name !== "string" || name === "") {
    throw new InvalidArgumentError(`pool name is ${describe(name)}; give a non-empty string`);
  }
  const known = poolsByCore.get(core) ?? new Map<string, SlotPool>();
  if (known.has(name)) {
    throw new InvalidArgumentError(`pool "${name}" exists already in this core; choose another name`);
  }
  if (!isDtype(dtype)) {
    throw new InvalidArgumentError(
      `pool "${name}": dtype is ${describe(dtype)}; give "f32", "i32", "i64" or "u8"`,
    );
  }
  if (!Number.isSafeInteger(length) || length < 1 || length * elementBytes(dtype) > core.memoryBytes) {
    throw new InvalidArgumentError(
      `pool "${name}": length is ${describe(length)}; give an integer from 1 to what fits the core's ${core.memoryBytes} bytes`,
    );
  }
  if (!Number.isSafeInteger(slots) || slots < 1 || slots > MAX_SLOTS) {
    throw new InvalidArgumentError(
      `pool "${name}": slots is ${describe(slots)}; give an integer from 1 to ${MAX_SLOTS}`,
    );
  }
  if (known.size >= MAX_POOLS) {
    throw new InvalidArgumentError(
      `pool "${name}": the core has ${MAX_POOLS} pools already; create another core`,
    );
  }
  const slotBytes = length * elementBytes(dtype);
  const address = core.exports.poolCreate(slotBytes, slots);
  const place = orOutOfMemory(core, address, slotBytes * slots, `pool "${name}"`);
  const pool = new SlotPool<D>(core, place, { name, dtype, length, slots });
  known.set(name, pool as unknown as SlotPool);
  poolsByCore.set(core, known);
  return pool;
}

/** Statistics of every pool of a core, in order of creation. */
export function poolStatistics(core: Core): PoolStatistics[] {
  return [...(poolsByCore.get(core)?.values() ?? [])].map((pool) => pool.stats());
}
