import { beforeEach, describe, expect, it } from "vitest";
import {
  type BufferPool,
  type Core,
  createBufferPool,
  createCore,
  Lease,
  LeaseError,
  openBufferPool,
  PoolClosedError,
  PoolExhaustedError,
  poolStatistics,
} from "../../src/index.ts";
import { BUILDS } from "../reference/builds.ts";

describe.each(BUILDS)("a buffer pool, $build", ({ threads }) => {
  let core: Core;

  beforeEach(async () => {
    core = await createCore({ memoryBytes: 8 * 2 ** 20, threads });
  });

  const tight = (more: object = {}): BufferPool<"u8"> =>
    createBufferPool(core, { name: "tight", dtype: "u8", shape: 100, max: 1, ...more });

  it("hands out aligned views over the core's memory, each its own", () => {
    const pool = createBufferPool(core, { name: "p", dtype: "f32", shape: 100, max: 3 });
    const leases = [pool.acquire(), pool.acquire(), pool.acquire()];
    for (const { view } of leases) {
      expect(view.buffer).toBe(core.buffer);
      expect(view.byteOffset % 64).toBe(0);
      expect(view.length).toBe(100);
    }
    expect(new Set(leases.map(({ view }) => view.byteOffset)).size).toBe(3);
    for (const lease of leases) lease.release();
  });

  it("makes each slot's view once", () => {
    const pool = tight();
    const { view } = using(pool.acquire());
    expect(using(pool.acquire()).view).toBe(view);
  });

  it.each([
    ["f32", Float32Array, 6],
    ["i16", Int16Array, 6],
    ["i32", Int32Array, 6],
    ["i64", BigInt64Array, 6],
    ["u8", Uint8Array, 6],
    ["f16", Uint16Array, 6],
    ["complex64", Float32Array, 12],
  ] as const)("views %s as %o", (dtype, array, entries) => {
    const pool = createBufferPool(core, { name: dtype, dtype, shape: [2, 3], max: 1 });
    using lease = pool.acquire();
    expect(lease.view).toBeInstanceOf(array);
    expect(lease.view.length).toBe(entries);
    expect(lease.shape).toEqual([2, 3]);
    expect(pool.bytes).toBe(lease.view.byteLength);
  });

  it("throws when exhausted, and tryAcquire returns undefined", () => {
    const pool = tight();
    using _lease = pool.acquire();
    expect(() => pool.acquire()).toThrow(PoolExhaustedError);
    expect(() => pool.acquire()).toThrow(/pool "tight": all 1 buffers are leased/);
    expect(pool.tryAcquire()).toBeUndefined();
    expect(pool.stats()).toMatchObject({ acquires: 1, exhausted: 3, inUse: 1, available: 0 });
  });

  it("detects a double release and stays as it was", () => {
    const pool = tight({ max: 2 });
    const lease = pool.acquire();
    lease.release();
    const other = pool.acquire(); // the same slot, another tenancy
    expect(() => lease.release()).toThrow(LeaseError);
    expect(pool.stats()).toMatchObject({ inUse: 1, releases: 1, doubleReleases: 1 });
    other.release();
    expect(pool.stats()).toMatchObject({ inUse: 0, releases: 2, available: 2 });
  });

  it("detects a second release however often the slot was leased since", () => {
    const pool = tight();
    const stale = pool.acquire();
    stale.release();
    // After 2^18 - 1 further tenancies (generation 0 is left out) the slot's generation is the stale lease's again.
    for (let i = 0; i < 2 ** 18 - 2; i++) pool.acquire().release();
    const live = pool.acquire();
    expect(() => stale.release()).toThrow(/pool "tight": buffer released twice/);
    expect(pool.stats()).toMatchObject({ inUse: 1, doubleReleases: 1 });
    live.release();
  });

  it("refuses a view, a reference and a handle after release, and counts each", () => {
    const pool = tight();
    const lease = pool.acquire();
    lease.release();
    expect(lease.released).toBe(true);
    expect(lease.alive).toBe(false);
    expect(() => lease.view).toThrow(/pool "tight": buffer used after its release/);
    expect(() => lease.retain()).toThrow(/buffer retained after its release/);
    expect(() => lease.handOver()).toThrow(/buffer handed over after its release/);
    expect(pool.stats().staleUses).toBe(3);
  });

  it("releases at the end of a using block, also when it throws", () => {
    const pool = tight();
    expect(() => {
      using _lease = pool.acquire();
      throw new Error("stop");
    }).toThrow("stop");
    {
      using lease = pool.acquire();
      lease.release(); // by hand, and not again at the end
    }
    expect(pool.stats()).toMatchObject({ inUse: 0, doubleReleases: 0 });
  });

  it("returns the buffer with the last of several references", () => {
    const pool = tight();
    const first = pool.acquire();
    first.view[0] = 7;
    const second = first.retain();
    const third = second.retain();
    first.release();
    third.release();
    expect(second.view[0]).toBe(7);
    expect(pool.stats()).toMatchObject({ inUse: 1, retains: 2, acquires: 1, releases: 0 });
    second.release();
    expect(() => second.release()).toThrow(LeaseError);
    expect(pool.stats()).toMatchObject({ inUse: 0, releases: 1, doubleReleases: 1 });
  });

  it("bounds the references of one agent", () => {
    const pool = tight();
    const lease = pool.acquire();
    const references = Array.from({ length: 255 }, () => lease.retain());
    expect(() => lease.retain()).toThrow(/retained the buffer 255 times/);
    for (const reference of references) reference.release();
    lease.release();
    expect(pool.stats()).toMatchObject({ inUse: 0, retains: 255, doubleReleases: 0 });
  });

  it("grows from initial to max on demand, and counts hits and misses", () => {
    const pool = tight({ initial: 1, max: 3 });
    expect(pool.stats()).toMatchObject({ total: 1, available: 1, initial: 1, max: 3, bytes: 128 });
    const leases = [pool.acquire(), pool.acquire(), pool.acquire()];
    expect(pool.tryAcquire()).toBeUndefined();
    expect(pool.stats()).toMatchObject({
      total: 3,
      hits: 1,
      misses: 2,
      grown: 2,
      exhausted: 1,
      peakInUse: 3,
    });
    for (const lease of leases) lease.release();
    pool.acquire().release();
    expect(pool.stats()).toMatchObject({ total: 3, hits: 2, misses: 2, hitRate: 0.5, turnover: 4 / 3 });
  });

  it("starts empty with initial 0", () => {
    const pool = tight({ initial: 0, max: 2 });
    expect(pool.stats().total).toBe(0);
    pool.acquire().release();
    expect(pool.stats()).toMatchObject({ total: 1, misses: 1 });
  });

  it("trims the least recently used above initial, and gives their memory back", () => {
    const pool = tight({ initial: 1, max: 4, bytes: 1_000_000, shape: undefined });
    const before = core.freeBytes();
    const leases = Array.from({ length: 4 }, () => pool.acquire());
    const offsets = leases.map(({ view }) => view.byteOffset);
    for (const i of [2, 0, 3, 1]) leases[i]!.release();
    const one = Math.ceil(1_000_000 / 64) * 64;
    expect(pool.trim({ count: 1 })).toBe(one); // slot 2 was released first
    using a = pool.acquire();
    using b = pool.acquire();
    using c = pool.acquire();
    expect([a, b, c].map(({ view }) => view.byteOffset)).toEqual([offsets[1], offsets[3], offsets[0]]);
    for (const lease of [a, b, c]) lease.release();
    expect(pool.trim()).toBe(2 * one);
    expect(pool.stats()).toMatchObject({ total: 1, trimmed: 3, grown: 3 });
    expect(core.freeBytes()).toBe(before);
    expect(pool.trim()).toBe(0);
  });

  it("trims only what lay idle since a moment", () => {
    const pool = tight({ initial: 0, max: 3 });
    const leases = [pool.acquire(), pool.acquire(), pool.acquire()];
    leases[0]!.release();
    const moment = pool.moment();
    leases[1]!.release();
    leases[2]!.release();
    expect(pool.trim({ unusedSince: moment })).toBe(128);
    expect(pool.stats()).toMatchObject({ total: 2, trimmed: 1 });
  });

  it("grows ahead of demand", () => {
    const pool = tight({ initial: 1, max: 3 });
    expect(pool.grow(3)).toBe(2);
    const leases = [pool.acquire(), pool.acquire(), pool.acquire()];
    expect(pool.stats()).toMatchObject({ hits: 3, misses: 0, grown: 2 });
    for (const lease of leases) lease.release();
  });

  it("gives zeroed buffers on request, also after growth and trimming", () => {
    const pool = tight({ initial: 0, max: 2, zeroOnRelease: true });
    for (let round = 0; round < 4; round++) {
      const leases = [pool.acquire(), pool.acquire()];
      for (const { view } of leases) expect(view.every((byte) => byte === 0)).toBe(true);
      for (const { view } of leases) view.fill(0xee);
      for (const lease of leases) lease.release();
      if (round % 2) pool.trim();
    }
    const plain = createBufferPool(core, { name: "as it was", dtype: "u8", shape: 1, max: 1 });
    using(plain.acquire()).view[0] = 9;
    expect(using(plain.acquire()).view[0]).toBe(9);
  });

  it("says whether slots or memory ran out, and finds a free buffer below one without memory", () => {
    const pool = createBufferPool(core, { name: "big", dtype: "u8", shape: 3_000_000, initial: 1, max: 4 });
    const leases = [pool.acquire(), pool.acquire()];
    expect(() => pool.acquire()).toThrow(
      /2 buffers are leased and 2 of at most 4 in service, but the core has no room for another 3000000 bytes/,
    );
    expect(pool.stats()).toMatchObject({ exhausted: 1, outOfMemory: 1, inUse: 2, total: 2 });
    for (const lease of leases) lease.release();
    const again = [pool.acquire(), pool.acquire()];
    expect(pool.stats()).toMatchObject({ hits: 3, misses: 1 });
    for (const lease of again) lease.release();
  });

  it("joins what small buffers gave back for a large one", () => {
    const small = createBufferPool(core, { name: "small", dtype: "u8", shape: 100_000, initial: 0, max: 80 });
    for (const lease of Array.from({ length: 80 }, () => small.acquire())) lease.release();
    small.trim();
    const large = createBufferPool(core, {
      name: "large",
      dtype: "u8",
      shape: 7_000_000,
      initial: 1,
      max: 1,
    });
    large.acquire().release();
  });

  it("refuses, by name, to release what was ended elsewhere, also when the pool is gone", () => {
    const pool = tight();
    const lease = pool.acquire();
    pool.adopt(4096).release(); // generation 1, index 0: the same reference
    pool.shutdown();
    expect(() => lease.release()).toThrow(LeaseError);
    expect(() => lease.retain()).toThrow(LeaseError);
    expect(() => lease.view).toThrow(LeaseError);
  });

  it("stands for one pool however often it is opened", () => {
    const pool = tight({ max: 2 });
    const again = openBufferPool(core, "tight") as BufferPool<"u8">;
    again.release(pool.acquire());
    expect(again.put(pool.acquire())).toBe(true);
    const before = core.freeBytes();
    expect(again.shutdown()).toBe(0);
    expect(pool.closed).toBe(true);
    expect(core.freeBytes()).toBeGreaterThan(before);
  });

  it("gives subviews that cannot be returned in the lease's place", () => {
    const pool = tight();
    using lease = pool.acquire();
    const part = lease.subview(10, 20);
    expect(part.byteOffset).toBe(lease.view.byteOffset + 10);
    expect(part.length).toBe(10);
    expect(pool.put(part)).toBe(false);
    expect(pool.put(lease.view)).toBe(false);
    expect(pool.stats()).toMatchObject({ inUse: 1, discarded: 2 });
    for (const [begin, end] of [
      [-1, 2],
      [0, 101],
      [5, 4],
      [0.5, 2],
      [Number.NaN, 2],
    ]) {
      expect(() => lease.subview(begin!, end)).toThrow(/pool "tight": subview from/);
    }
  });

  it("ignores null, discards strangers and takes its own leases in put", () => {
    const pool = tight({ max: 2 });
    const other = createBufferPool(core, { name: "other", dtype: "u8", shape: 100, max: 1 });
    using foreign = other.acquire();
    expect(pool.put(null)).toBe(false);
    expect(pool.put(undefined)).toBe(false);
    expect(pool.put(new Uint8Array(99))).toBe(false);
    expect(pool.put(foreign)).toBe(false);
    expect(foreign.released).toBe(false);
    expect(pool.put(pool.acquire())).toBe(true);
    expect(pool.stats()).toMatchObject({ ignored: 2, discarded: 2, inUse: 0, releases: 1 });
  });

  it("refuses another pool's lease by name, and counts it", () => {
    const pool = tight();
    const other = createBufferPool(core, { name: "other", dtype: "u8", shape: 100, max: 1 });
    using foreign = other.acquire();
    expect(() => pool.release(foreign)).toThrow(/pool "tight": a lease of another pool/);
    expect(() => pool.release(null as never)).toThrow(/pool "tight": null is not this pool's/);
    expect(pool.stats()).toMatchObject({ foreignReleases: 2, inUse: 0 });
    pool.release(pool.acquire());
    expect(pool.stats()).toMatchObject({ releases: 1, inUse: 0 });
  });

  it("hands a reference over by its number", () => {
    const pool = tight();
    const lease = pool.acquire();
    lease.view[3] = 5;
    const handle = lease.handOver();
    expect(lease.released).toBe(true);
    using adopted = pool.adopt(handle);
    expect(adopted.view[3]).toBe(5);
    adopted.release();
    expect(() => pool.adopt(handle)).toThrow(LeaseError);
    for (const wrong of [0, -1, 1.5, Number.NaN, 2 ** 31])
      expect(() => pool.adopt(wrong)).toThrow(LeaseError);
    expect(pool.stats()).toMatchObject({ inUse: 0, releases: 1, staleUses: 1 });
  });

  it("counts bytes requested against bytes granted", () => {
    const pool = tight({ bytes: 100 });
    pool.acquire().release();
    pool.acquire().release();
    expect(pool.stats()).toMatchObject({ bytesRequested: 200, bytesGranted: 256, waste: 1 - 200 / 256 });
  });

  it("counts nothing but misuse when statistics are off", () => {
    const pool = tight({ statistics: "off" });
    const lease = pool.acquire();
    expect(pool.tryAcquire()).toBeUndefined();
    lease.release();
    expect(() => lease.release()).toThrow(LeaseError);
    expect(pool.stats()).toMatchObject({
      statistics: "off",
      acquires: 0,
      releases: 0,
      inUse: 0,
      exhausted: 1,
      doubleReleases: 1,
    });
  });

  it("keeps hold times on request", async () => {
    const pool = tight({ statistics: "times" });
    const lease = pool.acquire();
    await new Promise((resolve) => setTimeout(resolve, 20));
    lease.release();
    pool.acquire().release();
    const { holdTime } = pool.stats();
    expect(holdTime.total).toBeGreaterThan(15);
    expect(holdTime.p50).toBeLessThan(15);
    expect(holdTime.p99).toBeGreaterThan(15);
    expect(holdTime.p99).toBeLessThan(Math.max(40, 1.2 * holdTime.total));
  });

  it("is found by its name", () => {
    const pool = createBufferPool(core, { name: "läse", dtype: "complex64", shape: [3, 4], max: 2 });
    const same = openBufferPool(core, "läse");
    expect(same).toMatchObject({
      name: "läse",
      dtype: "complex64",
      shape: [3, 4],
      bytes: 96,
      max: 2,
      initial: 2,
    });
    const handle = pool.acquire().handOver();
    same.adopt(handle).release();
    expect(pool.stats()).toMatchObject({ inUse: 0, releases: 1 });
    expect(() => openBufferPool(core, "nope")).toThrow(/no pool "nope"; there are "läse"/);
  });

  it("keeps leases valid through clear until their release", () => {
    const pool = tight({ initial: 2, max: 2 });
    const lease = pool.acquire();
    lease.view.fill(3);
    expect(pool.clear()).toBe(128);
    expect(pool.stats()).toMatchObject({ total: 1, inUse: 1 });
    expect(lease.view.every((byte) => byte === 3)).toBe(true);
    lease.release();
    expect(pool.stats()).toMatchObject({ total: 1, inUse: 0, available: 1 });
  });

  it("reports leases at shutdown, keeps them valid and then gives everything back", () => {
    const before = core.freeBytes();
    const pool = tight({ max: 3 });
    const lease = pool.acquire();
    lease.view[0] = 1;
    expect(pool.shutdown()).toBe(1);
    expect(pool.shutdown()).toBe(0);
    expect(pool.closed).toBe(true);
    expect(() => pool.acquire()).toThrow(PoolClosedError);
    expect(() => pool.acquire()).toThrow(/pool "tight" was shut down/);
    expect(() => pool.tryAcquire()).toThrow(PoolClosedError);
    expect(() => pool.trim()).toThrow(PoolClosedError);
    expect(() => pool.grow(1)).toThrow(PoolClosedError);
    expect(() => pool.put(null)).toThrow(PoolClosedError);
    expect(lease.view[0]).toBe(1);
    pool.adopt(lease.handOver()).release(); // what was in transit can still be given back
    expect(() => pool.adopt(4096)).toThrow(PoolClosedError);
    expect(() => lease.release()).toThrow(LeaseError);
    expect(() => pool.stats()).toThrow(PoolClosedError);
    expect(core.freeBytes()).toBe(before);
    expect(poolStatistics(core)).toEqual([]);
    tight().shutdown(); // the name is free again
    expect(core.freeBytes()).toBe(before);
  });
});

/** Releases a lease and gives it back for looking at what it was. */
function using<L extends Lease>(lease: L): { view: L["view"] } {
  expect(lease).toBeInstanceOf(Lease);
  const { view } = lease;
  lease.release();
  return { view };
}
