import { assertOptions, describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import { InvalidArgumentError, LeaseError, PoolClosedError } from "../core/errors.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { createPartPool } from "./create-buffer-pool.ts";
import { dispose, type Lease } from "./lease.ts";
import { assertName } from "./memory-name.ts";
import type { PoolStatistics } from "./pool-statistics.ts";

/** Tiers of a {@link TieredPool}, smallest first. */
export type TierName = "small" | "medium" | "large";

const TIERS: readonly TierName[] = ["small", "medium", "large"];

/** One tier. */
export interface TierOptions {
  /** Bytes of a buffer. */
  bytes?: number;
  /** Buffers at most. */
  max?: number;
  /** Buffers in service from the start; 0 by default, so that a tier takes memory only once it is used. */
  initial?: number;
}

const DEFAULTS: Record<TierName, Required<TierOptions>> = {
  small: { bytes: 4 * 1024, max: 1000, initial: 0 },
  medium: { bytes: 64 * 1024, max: 500, initial: 0 },
  large: { bytes: 1024 * 1024, max: 100, initial: 0 },
};

/** How to create a tiered pool. */
export interface TieredPoolOptions extends Partial<Record<TierName, TierOptions>> {
  /** Name; the tiers are pools of their own, called name.small, name.medium and name.large. */
  name: string;
  /** Whether buffers are filled with zeros when they come back. Default false. */
  zeroOnRelease?: boolean;
  /** What is counted, as in a buffer pool. Default `"counts"`. */
  statistics?: "off" | "counts" | "times";
}

/** What a tiered pool has done so far. */
export interface TieredStatistics {
  name: string;
  /** Each tier with `used` and `available` buffers; available ones include those not yet in service. */
  tiers: Record<TierName, PoolStatistics & { used: number; available: number }>;
  /** Acquires that a larger tier than the fitting one served. */
  fallbacks: number;
  /** Buffers moved up a tier because they grew. */
  moves: number;
  /** Buffers allocated outside the pool: in all, held now, and their bytes in all. */
  direct: { count: number; held: number; bytes: number };
  /** Releases of a buffer that was released before, and other uses of it. */
  doubleReleases: number;
  staleUses: number;
}

/** A buffer of a tiered pool, of the size that was asked for. */
export class TieredLease {
  readonly #pool: TieredPool;
  #lease: Lease<"u8"> | undefined;
  /** All of the buffer, where it lies outside the pool. */
  #direct: Uint8Array | undefined;
  #view: Uint8Array | undefined;
  #tier: TierName | "direct";

  /** @internal Leases come from {@link TieredPool.acquire}. */
  constructor(pool: TieredPool, tier: TierName | "direct", lease: Lease<"u8"> | undefined, view: Uint8Array) {
    this.#pool = pool;
    this.#tier = tier;
    this.#lease = lease;
    this.#direct = lease === undefined ? view : undefined;
    this.#view = view;
  }

  /**
   * The bytes asked for.
   *
   * @throws LeaseError after release.
   */
  get view(): Uint8Array {
    if (this.#view !== undefined && (this.#lease?.alive ?? true)) return this.#view;
    this.#pool.countMisuse("staleUses");
    throw new LeaseError(
      `pool "${this.#pool.name}": buffer used after its release; keep it until you are done`,
    );
  }

  /** Where the buffer lies: a tier, or outside the pool. */
  get tier(): TierName | "direct" {
    return this.#tier;
  }

  /** Bytes that the buffer can be resized to in place. */
  get capacity(): number {
    return this.#whole().length;
  }

  #whole(): Uint8Array {
    void this.view; // throws after release
    return this.#lease?.view ?? this.#direct!;
  }

  /** Whether the buffer has been given back. */
  get released(): boolean {
    return this.#view === undefined;
  }

  /**
   * Changes the size. What fits stays in place; a larger size moves the contents to a buffer of a higher
   * tier (or outside the pool) and gives the old one back. Bytes added are whatever the buffer held before.
   *
   * @returns the new view; earlier views of this lease must not be used any more.
   * @throws InvalidArgumentError when `bytes` is no integer from 1 upwards; the buffer stays as it was.
   * @throws LeaseError after release.
   */
  resize(bytes: number): Uint8Array {
    const { view } = this;
    this.#pool.assertBytes(bytes);
    if (bytes <= this.capacity) {
      this.#view = this.#whole().subarray(0, bytes);
      return this.#view;
    }
    const larger = this.#pool.acquire(bytes);
    larger.view.set(view);
    this.#pool.countMove();
    this.#giveBack();
    this.#lease = larger.#lease;
    this.#direct = larger.#direct;
    this.#tier = larger.#tier;
    this.#view = larger.view;
    return this.#view;
  }

  /**
   * Gives the buffer back.
   *
   * @throws LeaseError when it was given back before.
   */
  release(): void {
    if (this.#view === undefined) {
      this.#pool.countMisuse("doubleReleases");
      throw new LeaseError(`pool "${this.#pool.name}": buffer released twice; release each lease once`);
    }
    this.#giveBack();
    this.#view = undefined;
  }

  /** @internal Whether this is a lease of `pool`. */
  isOf(pool: TieredPool): boolean {
    return this.#pool === pool;
  }

  #giveBack(): void {
    if (this.#lease === undefined) this.#pool.forgetDirect();
    else this.#lease.release();
    this.#lease = undefined;
    this.#direct = undefined;
  }

  /** Gives the buffer back at the end of a `using` block, if that has not happened yet. */
  [dispose](): void {
    if (this.#view !== undefined) this.release();
  }
}

/** Buffers of any size from three pools of sizes. Create it with {@link createTieredPool}. */
export class TieredPool {
  /** Name. */
  readonly name: string;
  readonly #tiers: { tier: TierName; pool: BufferPool<"u8"> }[];
  readonly #limit: number;
  readonly #counts = {
    fallbacks: 0,
    moves: 0,
    direct: 0,
    directHeld: 0,
    directBytes: 0,
    doubleReleases: 0,
    staleUses: 0,
  };
  #closed = false;

  /** @internal */
  constructor(name: string, tiers: { tier: TierName; pool: BufferPool<"u8"> }[], limit: number) {
    this.name = name;
    this.#tiers = tiers;
    this.#limit = limit;
  }

  /**
   * Leases `bytes` bytes: from the smallest tier that fits, else from the next, else allocated outside the
   * pool, which is counted.
   *
   * @throws InvalidArgumentError when `bytes` is no integer from 1 to the core's size.
   * @throws PoolClosedError after `shutdown()`.
   */
  acquire(bytes: number): TieredLease {
    this.assertBytes(bytes);
    if (this.#closed) throw new PoolClosedError(`pool "${this.name}" was shut down; create another`);
    let fitting = 0;
    for (const { tier, pool } of this.#tiers) {
      if (pool.bytes < bytes) continue;
      const lease = pool.tryAcquire();
      fitting++;
      if (lease === undefined) continue;
      if (fitting > 1) this.#counts.fallbacks++;
      pool.countUnused(pool.bytes - bytes);
      return new TieredLease(
        this,
        tier,
        lease,
        bytes === pool.bytes ? lease.view : lease.view.subarray(0, bytes),
      );
    }
    const view = new Uint8Array(bytes);
    this.#counts.direct++;
    this.#counts.directHeld++;
    this.#counts.directBytes += bytes;
    return new TieredLease(this, "direct", undefined, view);
  }

  /**
   * Gives a buffer back, as `lease.release()` does.
   *
   * @throws LeaseError when it is no lease of this pool, or was given back before.
   */
  release(lease: TieredLease): void {
    if (!(lease instanceof TieredLease) || !lease.isOf(this)) {
      throw new LeaseError(
        `pool "${this.name}": ${lease instanceof TieredLease ? "a lease of another pool" : describe(lease)} is not this pool's; release each lease where it was acquired`,
      );
    }
    lease.release();
  }

  /** Counts so far. */
  stats(): TieredStatistics {
    const { direct, directHeld, directBytes, ...counts } = this.#counts;
    const tiers = this.#tiers.map(({ tier, pool }) => {
      const stats = pool.stats();
      return [tier, { ...stats, used: stats.inUse, available: stats.max - stats.inUse }];
    });
    return {
      name: this.name,
      tiers: Object.fromEntries(tiers) as TieredStatistics["tiers"],
      ...counts,
      direct: { count: direct, held: directHeld, bytes: directBytes },
    };
  }

  /** The pools of the tiers, smallest first. */
  get pools(): readonly BufferPool<"u8">[] {
    return this.#tiers.map(({ pool }) => pool);
  }

  /** Gives unused memory back to the core; returns the bytes recovered. */
  trim(): number {
    return this.pools.reduce((sum, pool) => sum + pool.trim(), 0);
  }

  /** Closes all tiers. Returns the number of buffers still held, which stay valid until their release. */
  shutdown(): number {
    if (this.#closed) return 0;
    this.#closed = true;
    return this.pools.reduce((sum, pool) => sum + pool.shutdown(), this.#counts.directHeld);
  }

  /** @internal */
  assertBytes(bytes: number): void {
    if (Number.isSafeInteger(bytes) && bytes >= 1 && bytes <= this.#limit) return;
    throw new InvalidArgumentError(
      `pool "${this.name}": ${describe(bytes)} bytes; give an integer from 1 to ${this.#limit}`,
    );
  }

  /** @internal */
  countMisuse(kind: "doubleReleases" | "staleUses"): void {
    this.#counts[kind]++;
  }

  /** @internal */
  countMove(): void {
    this.#counts.moves++;
  }

  /** @internal */
  forgetDirect(): void {
    this.#counts.directHeld--;
  }
}

/**
 * Creates a tiered pool: small buffers up to 4 KiB (at most 1000), medium up to 64 KiB (500) and large up to
 * 1 MiB (100), unless told otherwise. Tiers take memory as they are used.
 *
 * @throws InvalidArgumentError when an option is out of range or the tiers do not rise; nothing is taken then.
 * @throws CoreMemoryError when the core has no room; nothing is taken then.
 */
export function createTieredPool(core: Core, options: TieredPoolOptions): TieredPool {
  assertOptions(options, "createTieredPool");
  const { name, zeroOnRelease = false, statistics = "counts" } = options;
  assertName(name, "pool");
  const tiers = TIERS.map((tier) => ({ tier, ...DEFAULTS[tier], ...options[tier] }));
  tiers.reduce((smaller, larger) => {
    if (larger.bytes > smaller.bytes) return larger;
    throw new InvalidArgumentError(
      `pool "${name}": tier ${larger.tier} has ${describe(larger.bytes)} bytes, tier ${smaller.tier} ${smaller.bytes}; give each tier more than the one before`,
    );
  });
  const created: { tier: TierName; pool: BufferPool<"u8"> }[] = [];
  try {
    for (const [i, { tier, bytes, max, initial }] of tiers.entries()) {
      const part = {
        name: `${name}.${tier}`,
        dtype: "u8" as const,
        bytes,
        max,
        initial,
        zeroOnRelease,
        statistics,
      };
      created.push({ tier, pool: createPartPool(core, part, { tier: i + 1 }) });
    }
  } catch (cause) {
    for (const { pool } of created) pool.shutdown();
    throw cause;
  }
  return new TieredPool(name, created, core.memoryBytes);
}
