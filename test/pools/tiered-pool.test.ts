import { beforeEach, describe, expect, it } from "vitest";
import {
  type Core,
  createCore,
  createTieredPool,
  InvalidArgumentError,
  LeaseError,
  PoolClosedError,
  poolStatistics,
} from "../../src/index.ts";
import { BUILDS } from "../reference/builds.ts";

const TIERS = {
  name: "t",
  small: { bytes: 100, max: 2 },
  medium: { bytes: 1000, max: 1 },
  large: { bytes: 10_000, max: 1 },
};

describe.each(BUILDS)("a tiered pool, $build", ({ threads }) => {
  let core: Core;

  beforeEach(async () => {
    core = await createCore({ memoryBytes: 2 ** 20, threads });
  });

  it("picks the tier by size, then the next, then memory outside the pool", () => {
    const pool = createTieredPool(core, TIERS);
    const sizes = [1, 100, 100, 101, 50, 10_000];
    const leases = sizes.map((bytes) => pool.acquire(bytes));
    expect(leases.map(({ tier }) => tier)).toEqual(["small", "small", "medium", "large", "direct", "direct"]);
    expect(leases.map(({ view }) => view.length)).toEqual(sizes);
    expect(leases[4]!.view.buffer).not.toBe(core.buffer);
    expect(pool.stats()).toMatchObject({
      fallbacks: 2,
      direct: { count: 2, held: 2, bytes: 10_050 },
      tiers: {
        small: { used: 2, available: 0 },
        medium: { used: 1, available: 0 },
        large: { used: 1, available: 0 },
      },
    });
    for (const lease of leases) lease.release();
    expect(pool.stats()).toMatchObject({
      direct: { count: 2, held: 0 },
      tiers: { small: { used: 0, available: 2 } },
    });
    expect(poolStatistics(core).map(({ name }) => name)).toEqual(["t.small", "t.medium", "t.large"]);
  });

  it("has the sizes of the design unless told otherwise, and takes memory only when used", () => {
    const before = core.freeBytes();
    const pool = createTieredPool(core, { name: "default" });
    const { tiers } = pool.stats();
    expect([tiers.small, tiers.medium, tiers.large].map(({ slotBytes, max }) => [slotBytes, max])).toEqual([
      [4096, 1000],
      [65_536, 500],
      [1_048_576, 100],
    ]);
    expect(before - core.freeBytes()).toBeLessThan(210_000); // slot headers
    pool.acquire(4096).release();
    pool.acquire(1_000_000).release(); // the core has no room left for a large buffer
    expect(pool.stats()).toMatchObject({ direct: { count: 1 }, tiers: { large: { outOfMemory: 1 } } });
  });

  it("counts what was granted beyond the request", () => {
    const pool = createTieredPool(core, TIERS);
    pool.acquire(60).release();
    expect(pool.stats().tiers.small).toMatchObject({
      bytesRequested: 60,
      bytesGranted: 128,
      waste: 1 - 60 / 128,
    });
  });

  it("resizes in place, up a tier and out of the pool, with the contents", () => {
    const pool = createTieredPool(core, TIERS);
    using lease = pool.acquire(10);
    lease.view.set([1, 2, 3]);
    const { view } = lease;
    expect(lease.resize(100).byteOffset).toBe(view.byteOffset);
    expect(pool.stats().moves).toBe(0);
    for (const [bytes, tier] of [
      [101, "medium"],
      [9999, "large"],
      [20_000, "direct"],
    ] as const) {
      expect([...lease.resize(bytes).subarray(0, 3)]).toEqual([1, 2, 3]);
      expect(lease.tier).toBe(tier);
      expect(lease.view.length).toBe(bytes);
    }
    expect(pool.stats()).toMatchObject({ moves: 3, direct: { held: 1 } });
    lease.resize(5);
    expect(lease.view.length).toBe(5);
    for (const { used } of Object.values(pool.stats().tiers)) expect(used).toBe(0);
  });

  it("refuses bad sizes and stays as it was", () => {
    const pool = createTieredPool(core, TIERS);
    using lease = pool.acquire(10);
    for (const bytes of [0, -1, 1.5, Number.NaN, 2 ** 20 + 1, "5"] as number[]) {
      expect(() => pool.acquire(bytes)).toThrow(InvalidArgumentError);
      expect(() => pool.acquire(bytes)).toThrow(/pool "t": .* give an integer from 1 to 1048576/);
      expect(() => lease.resize(bytes)).toThrow(InvalidArgumentError);
    }
    expect(lease.view.length).toBe(10);
    expect(pool.stats()).toMatchObject({ tiers: { small: { used: 1, acquires: 1 } }, direct: { count: 0 } });
  });

  it("detects use and release after release", () => {
    const pool = createTieredPool(core, TIERS);
    for (const lease of [pool.acquire(10), pool.acquire(20_000)]) {
      lease.release();
      expect(lease.released).toBe(true);
      expect(() => lease.view).toThrow(LeaseError);
      expect(() => lease.release()).toThrow(/pool "t": buffer released twice/);
      expect(() => lease.resize(5)).toThrow(LeaseError);
      expect(() => lease.capacity).toThrow(LeaseError);
    }
    expect(pool.stats()).toMatchObject({ direct: { held: 0 }, doubleReleases: 2, staleUses: 6 });
  });

  it("refuses another pool's lease by name", () => {
    const pool = createTieredPool(core, TIERS);
    const other = createTieredPool(core, { name: "other" });
    using lease = other.acquire(10);
    expect(() => pool.release(lease)).toThrow(/pool "t": a lease of another pool is not this pool's/);
    expect(() => pool.release(undefined as never)).toThrow(LeaseError);
    expect(lease.released).toBe(false);
  });

  it("trims and shuts down, reporting what is held", () => {
    const before = core.freeBytes();
    const pool = createTieredPool(core, TIERS);
    const lease = pool.acquire(10);
    pool.acquire(5000).release();
    expect(pool.trim()).toBe(Math.ceil(10_000 / 64) * 64);
    expect(pool.shutdown()).toBe(1);
    expect(pool.shutdown()).toBe(0);
    expect(() => pool.acquire(1)).toThrow(PoolClosedError);
    lease.release();
    expect(core.freeBytes()).toBe(before);
  });

  it("refuses tiers that do not rise, and takes nothing when one is wrong", () => {
    const before = core.freeBytes();
    expect(() => createTieredPool(core, { ...TIERS, medium: { bytes: 100 } })).toThrow(
      /tier medium has 100 bytes, tier small 100; give each tier more/,
    );
    expect(() => createTieredPool(core, { ...TIERS, large: { bytes: 10_000, max: 0 } })).toThrow(
      /pool "t.large": max is 0/,
    );
    expect(core.freeBytes()).toBe(before);
    expect(poolStatistics(core)).toEqual([]);
  });
});
