import { describe } from "../core/arguments.ts";
import { type Core, poolAddresses } from "../core/core.ts";
import type { CoreExports, Pointer } from "../core/core-exports.ts";
import { LeaseError } from "../core/errors.ts";
import { AdaptiveSizing } from "./adaptive-sizing.ts";
import { clock } from "./clock.ts";
import type { Dtype, DtypeArrays } from "./dtype.ts";
import type { LeakTracker } from "./leak-detection.ts";
import { Lease } from "./lease.ts";
import { grantedBytes, type PoolDescription } from "./pool-description.ts";
import {
  closedError,
  exhaustedError,
  foreignLeaseError,
  handleError,
  slotCountError,
} from "./pool-errors.ts";
import { COUNTER, type PoolStatistics, readStatistics } from "./pool-statistics.ts";
import type { PoolState, PoolUse } from "./pool-use.ts";
import { type SlotMemory, slotIndex, slotMemory } from "./slot-memory.ts";
import { type WaitOptions, WaitQueue } from "./wait-queue.ts";

/** Handles are smaller, see assembly/pools/layout.ts. */
const MAX_HANDLE = 2 ** 30;
/** Statistics level at which acquire and hold times are kept. */
const TIMES = 2;

// Results of the core's functions, see assembly/pools/slot-pool.ts.
const CLOSED = -2;
const DONE = 0;
const FOREIGN = 2;
const TOO_MANY = 3;

/**
 * A pool of equal buffers in the core's memory. Create it with `createBufferPool`, or find one that another
 * agent created with `openBufferPool`.
 */
export class BufferPool<D extends Dtype = Dtype> {
  /** Name, unique within the core. */
  readonly name: string;
  /** Element type of the buffers. */
  readonly dtype: D;
  /** Shape of the buffers, in elements. */
  readonly shape: readonly number[];
  /** Elements of one buffer. */
  readonly length: number;
  /** Bytes of one buffer. */
  readonly bytes: number;
  /** Slots that trimming leaves. */
  readonly initial: number;
  /** Slots that the pool can grow to. */
  readonly max: number;
  /** Whether buffers are filled with zeros when they come back. */
  readonly zeroOnRelease: boolean;
  /** Whether buffers keep their addresses for good, as those of a block pool do. */
  readonly pinned: boolean;
  readonly #core: Core;
  readonly #exports: CoreExports;
  readonly #address: Pointer;
  readonly #shard: Pointer;
  readonly #times: boolean;
  readonly #slots: SlotMemory<D>;
  readonly #adaptive: AdaptiveSizing<D> | undefined;
  readonly #leaks: LeakTracker | undefined;
  readonly #queueLimit: number;
  #queue: WaitQueue<Lease<D>> | undefined;
  readonly #state: PoolState;

  /** @internal */
  constructor(core: Core, address: Pointer, shard: Pointer, description: PoolDescription<D>, use: PoolUse) {
    this.name = description.name;
    this.dtype = description.dtype;
    this.shape = description.shape;
    this.length = description.shape.reduce((product, dimension) => product * dimension, 1);
    this.bytes = description.bytes;
    this.initial = description.initial;
    this.max = description.max;
    this.zeroOnRelease = description.zeroOnRelease;
    this.pinned = description.pinned;
    this.#core = core;
    this.#exports = core.exports;
    this.#address = address;
    this.#shard = shard;
    this.#times = description.level === TIMES;
    this.#slots = slotMemory(core, address, this.dtype, this.length);
    this.#adaptive = use.adaptive ? new AdaptiveSizing(this) : undefined;
    this.#leaks = use.leaks;
    this.#queueLimit = use.queueLimit;
    this.#state = use.state;
    use.state.uses.push(this as unknown as BufferPool);
  }

  /**
   * Leases a buffer, or throws at once. It does not queue: waiters of `acquireAsync` are served by the
   * releases, not by this.
   *
   * @throws PoolExhaustedError when every buffer is leased, or the core has no room for a further one.
   * @throws PoolClosedError after `shutdown()`.
   */
  acquire(): Lease<D> {
    const lease = this.tryAcquire();
    if (lease !== undefined) return lease;
    throw exhaustedError(
      this,
      this.#exports.poolInUse(this.#address),
      this.#exports.poolInService(this.#address),
    );
  }

  /**
   * Leases a buffer, or returns undefined when every buffer is leased.
   *
   * @throws PoolClosedError after `shutdown()`.
   */
  tryAcquire(): Lease<D> | undefined {
    if (this.#state.closed) throw closedError(this.name);
    const handle = this.#exports.poolAcquire(this.#shard, this.now());
    if (handle > 0) return this.begun(new Lease(this, handle, this.viewAt(handle)), handle);
    if (handle === CLOSED) throw closedError(this.name);
    return undefined;
  }

  /**
   * Leases a buffer, waiting for one in order of arrival. Waiters of one agent are served in their order;
   * between agents the turn goes round. `acquire` and `tryAcquire` do not queue, and may be faster. To leak
   * detection, a lease that was waited for begins where the release came from that served it.
   *
   * @throws PoolTimeoutError when `timeout` milliseconds pass.
   * @throws PoolExhaustedError when the queue is full.
   * @throws PoolClosedError after, or on, `shutdown()`.
   * The promise rejects with the signal's reason when it aborts.
   */
  async acquireAsync(options: WaitOptions = {}): Promise<Lease<D>> {
    if (this.#state.closed) throw closedError(this.name);
    this.#queue ??= new WaitQueue<Lease<D>>({
      pool: this.name,
      limit: this.#queueLimit,
      // Looked at first: an acquire that fails counts as exhausted, which waiting is not.
      tryServe: () => (this.#exports.poolReady(this.#address) ? this.tryAcquire() : undefined),
      countWait: (milliseconds) => {
        this.#exports.poolCount(this.#shard, COUNTER.waits, 1);
        this.#exports.poolCountWait(this.#shard, milliseconds);
      },
      // A slot is left, but no memory for it: that may come from anywhere, and nobody tells.
      freeBytes: () =>
        this.#exports.poolInService(this.#address) < this.max ? this.#core.freeBytes() : undefined,
      countTimeout: () => this.#exports.poolCount(this.#shard, COUNTER.timeouts, 1),
      words: this.#core.threads
        ? new Int32Array(this.#core.buffer, this.#exports.poolWaiters(this.#address) >>> 0, 2)
        : undefined,
    });
    return this.#queue.wait(options);
  }

  /**
   * Takes a buffer back from callers that hand in whatever they hold. A lease of this pool is released;
   * null and undefined are ignored, anything else is discarded: a typed array (also the lease's own view, or
   * a part of it), a buffer of another size, another pool's lease. Each case is counted.
   *
   * @returns whether a lease was released.
   * @throws LeaseError for a lease that was released before.
   */
  put(buffer: unknown): boolean {
    if (this.#state.closed && !(buffer instanceof Lease)) throw closedError(this.name);
    if (buffer instanceof Lease && buffer.isOf(this as unknown as BufferPool)) {
      buffer.release();
      return true;
    }
    this.#count(buffer === null || buffer === undefined ? COUNTER.ignored : COUNTER.discarded);
    return false;
  }

  /**
   * Gives back a lease of this pool, as `lease.release()` does.
   *
   * @throws LeaseError when it belongs to another pool or was given back before; both are counted.
   */
  release(lease: Lease<D>): void {
    if (!(lease instanceof Lease) || !lease.isOf(this as unknown as BufferPool)) {
      this.#count(COUNTER.foreignReleases);
      throw foreignLeaseError(
        this.name,
        lease instanceof Lease ? "a lease of another pool" : describe(lease),
      );
    }
    lease.release();
  }

  /**
   * Makes a lease of a handle that another agent gave away with `lease.handOver()`. Adopt it once: it stands
   * for one reference. Works after `shutdown()` too, so that what is in transit then can be released.
   *
   * @throws LeaseError when the handle is none of this pool's, or its lease has ended; counted as foreign
   * release or stale use.
   */
  adopt(handle: number): Lease<D> {
    if (this.#state.freed) throw closedError(this.name);
    // Wasm would take NaN for 0, and the low 32 bits of anything larger.
    const plausible = Number.isInteger(handle) && handle > 0 && handle < MAX_HANDLE;
    const result = this.#exports.poolAdopt(this.#shard, plausible ? handle : 0);
    if (result !== DONE) throw handleError(this.name, handle, result === FOREIGN);
    const lease = new Lease(this, handle, this.viewAt(handle));
    this.#leaks?.track(lease, handle);
    return lease;
  }

  /** Counts since creation, over all agents, as a plain object. */
  stats(): PoolStatistics {
    if (this.#state.freed || (this.#state.closed && !poolAddresses(this.#core).includes(this.#address))) {
      throw closedError(this.name);
    }
    return readStatistics(this.#core, this.#address);
  }

  /**
   * Brings up to `count` further buffers into service ahead of demand.
   *
   * @returns how many; fewer at `max` or when the core has no room.
   */
  grow(count: number): number {
    if (this.#state.closed) throw closedError(this.name);
    return this.#exports.poolGrow(this.#shard, this.#slotCount(count, "grow by"));
  }

  /**
   * Takes free buffers out of service, the least recently used first, down to `keep` (`initial` by default),
   * and gives their memory back to the core.
   *
   * @param options `count`: at most so many; `unusedSince`: only those not used since that
   * {@link BufferPool.moment}.
   * @returns the bytes recovered.
   */
  trim(options: { keep?: number; count?: number; unusedSince?: number } = {}): number {
    if (this.#state.closed) throw closedError(this.name);
    const keep = this.#slotCount(options.keep ?? this.initial, "trim to");
    const count = this.#slotCount(options.count ?? this.max, "trim");
    const { unusedSince } = options;
    const trimmed =
      unusedSince === undefined
        ? this.#exports.poolTrim(this.#shard, count, keep)
        : this.#exports.poolTrimIdle(this.#shard, count, keep, unusedSince);
    return trimmed * grantedBytes(this.bytes);
  }

  /** A mark in the pool's own time, for `trim({ unusedSince })`. */
  moment(): number {
    return this.#exports.poolMoment(this.#address) >>> 0;
  }

  /** Frees every free buffer, the initial ones too. Leased ones stay valid until their release. */
  clear(): number {
    return this.trim({ keep: 0 });
  }

  /**
   * Closes the pool for every agent: nothing can be acquired, waiters are refused, memory goes back to the
   * core. Leases still held stay valid; their buffers are freed with their release.
   *
   * @returns the number of leases still held. Further calls do nothing and return 0.
   */
  shutdown(): number {
    if (this.#state.closed) return 0;
    const held = this.#exports.poolClose(this.#shard);
    this.#exports.poolLeave(this.#shard);
    this.#state.closed = true;
    for (const use of this.#state.uses) use.end();
    this.#freeIfUnused();
    return held;
  }

  /** Whether the pool's memory has gone back to the core. */
  get freed(): boolean {
    return this.#state.freed;
  }

  /** @internal Whether another object stands for the same pool. */
  sameAs(other: BufferPool<Dtype>): boolean {
    return this.#state === other.#state;
  }

  /** @internal Ends what goes on by itself, when the pool is shut down or the agent leaves. */
  end(): void {
    this.#adaptive?.stop();
    this.#queue?.close(closedError(this.name));
  }

  /** Whether the pool was shut down by this agent. */
  get closed(): boolean {
    return this.#state.closed;
  }

  /** @internal The leases of all agents come from the core; see leak-detection.ts. */
  get address(): Pointer {
    return this.#address;
  }

  /** @internal Called by {@link Lease.release}. */
  takeBack(handle: number, lease: Lease<D>): void {
    if (this.#state.freed) throw handleError(this.name, handle, false); // ended elsewhere, and the pool with it
    const result = this.#exports.poolRelease(this.#shard, handle, this.now());
    if (this.#leaks !== undefined) this.#leaks.forget(lease);
    if (result !== DONE) throw handleError(this.name, handle, result === FOREIGN);
    if (this.#queue !== undefined) this.#queue.serve();
    if (this.#state.closed) this.#freeIfUnused();
  }

  /** @internal Called by {@link Lease.retain}. */
  retain(handle: number, view: DtypeArrays[D]): Lease<D> {
    if (this.#state.freed) throw handleError(this.name, handle, false);
    const result = this.#exports.poolRetain(this.#shard, handle);
    if (result === TOO_MANY) {
      throw new LeaseError(`pool "${this.name}": this agent has retained the buffer 255 times; release some`);
    }
    if (result !== DONE) throw handleError(this.name, handle, result === FOREIGN);
    const lease = new Lease(this, handle, view);
    this.#leaks?.track(lease, handle);
    return lease;
  }

  /** @internal Whether a lease lasts, read off the slot's word: cheap enough for every use of a view. */
  isAlive(handle: number): boolean {
    return !this.#state.freed && this.#slots.isAlive(handle);
  }

  /** @internal Called by {@link Lease.handOver}. */
  handOver(handle: number, lease: Lease<D>): void {
    if (!this.#state.freed) this.#exports.poolHandOver(this.#shard, handle);
    this.#leaks?.forget(lease);
  }

  /** @internal Counts a release that the host itself knows to be the second one. */
  secondRelease(): LeaseError {
    this.#count(COUNTER.doubleReleases);
    return new LeaseError(`pool "${this.name}": buffer released twice; release each lease once`);
  }

  /** @internal Counts a use after release. */
  staleUse(how: string): LeaseError {
    this.#count(COUNTER.staleUses);
    return new LeaseError(
      `pool "${this.name}": buffer ${how} after its release; keep the lease until you are done`,
    );
  }

  /** @internal Counts a lease that was garbage-collected without a release. */
  countLost(): void {
    this.#count(COUNTER.lost);
  }

  /** @internal Counts bytes that the last acquire was given beyond what was asked for. */
  countUnused(bytes: number): void {
    this.#exports.poolCount(this.#shard, COUNTER.unusedBytes, bytes);
  }

  /** @internal The time that the core is told, where this pool keeps times. */
  now(): number {
    return this.#times ? clock() : 0;
  }

  /** @internal The whole buffer that a handle names. */
  viewAt(handle: number): DtypeArrays[D] {
    return this.#slots.viewAt(slotIndex(handle));
  }

  /** @internal Notes a lease of what the core has just acquired. */
  begun<L extends Lease<D>>(lease: L, handle: number): L {
    if (this.#leaks !== undefined) this.#leaks.track(lease, handle);
    if (this.#adaptive !== undefined)
      this.#adaptive.afterAcquire(this.#exports.shardCounter(this.#shard, COUNTER.misses));
    return lease;
  }

  /** @internal This agent's counters, for pools made of this one. */
  get shard(): Pointer {
    return this.#shard;
  }

  #count(counter: number): void {
    // After its shutdown the pool's memory may be another's at any time.
    if (!this.#state.closed) this.#exports.poolCount(this.#shard, counter, 1);
  }

  #freeIfUnused(): void {
    if (this.#state.freed) return;
    this.#state.freed = this.#exports.poolFree(this.#address) !== 0;
  }

  #slotCount(value: number, what: string): number {
    if (Number.isInteger(value) && value >= 0 && value <= this.max) return value;
    throw slotCountError(this.name, what, value, this.max);
  }
}
