import { beforeEach, describe, expect, it } from "vitest";
import {
  type Core,
  createCore,
  createSlotPool,
  InvalidArgumentError,
  type Lease,
  LeaseError,
  PoolExhaustedError,
  poolStatistics,
} from "../src/index.ts";
import { seededNoise } from "./reference/signals.ts";

let core: Core;

beforeEach(async () => {
  core = await createCore({ memoryBytes: 2 ** 20 });
});

describe("a slot pool", () => {
  it("hands out aligned views over the core's memory, each its own", () => {
    const pool = createSlotPool(core, { name: "p", dtype: "f32", length: 100, slots: 3 });
    const leases = [pool.acquire(), pool.acquire(), pool.acquire()];
    for (const [i, lease] of leases.entries()) {
      expect(lease.view.buffer).toBe(core.buffer);
      expect(lease.view.byteOffset % 64).toBe(0);
      expect(lease.view.length).toBe(100);
      lease.view.fill(i + 1);
    }
    for (const [i, lease] of leases.entries()) expect(lease.view.every((x) => x === i + 1)).toBe(true);
    for (const lease of leases) lease.release();
  });

  it("makes each slot's view once", () => {
    const pool = createSlotPool(core, { name: "p", dtype: "i32", length: 8, slots: 1 });
    const first = pool.acquire();
    const { view } = first;
    first.release();
    const second = pool.acquire();
    expect(second.view).toBe(view);
    second.release();
  });

  it.each([
    ["f32", Float32Array],
    ["i32", Int32Array],
    ["i64", BigInt64Array],
    ["u8", Uint8Array],
  ] as const)("views %s as %o", (dtype, array) => {
    using lease = createSlotPool(core, { name: dtype, dtype, length: 3, slots: 1 }).acquire();
    expect(lease.view).toBeInstanceOf(array);
  });

  it("throws when exhausted, and tryAcquire returns undefined", () => {
    const pool = createSlotPool(core, { name: "tight", dtype: "u8", length: 1, slots: 1 });
    using _lease = pool.acquire();
    expect(() => pool.acquire()).toThrow(PoolExhaustedError);
    expect(() => pool.acquire()).toThrow(/pool "tight": all 1 buffers are leased/);
    expect(pool.tryAcquire()).toBeUndefined();
    expect(pool.stats()).toMatchObject({ acquires: 1, exhausted: 3, inUse: 1, available: 0 });
  });

  it("detects a double release and stays as it was", () => {
    const pool = createSlotPool(core, { name: "p", dtype: "u8", length: 1, slots: 2 });
    const lease = pool.acquire();
    lease.release();
    const other = pool.acquire(); // the same slot, another tenancy
    expect(() => lease.release()).toThrow(LeaseError);
    expect(pool.stats()).toMatchObject({ inUse: 1, releases: 1, doubleReleases: 1 });
    other.release();
    expect(pool.stats()).toMatchObject({ inUse: 0, releases: 2, available: 2 });
  });

  it("detects a second release however often the slot was leased since", () => {
    const pool = createSlotPool(core, { name: "p", dtype: "u8", length: 1, slots: 1 });
    const stale = pool.acquire();
    stale.release();
    // After 2^18 tenancies the slot's generation is the stale lease's again.
    for (let i = 0; i < 2 ** 18 - 1; i++) pool.acquire().release();
    const live = pool.acquire();
    expect(() => stale.release()).toThrow(/pool "p": buffer released twice/);
    expect(pool.stats()).toMatchObject({ inUse: 1, doubleReleases: 1 });
    live.release();
  });

  it("refuses a view after release", () => {
    const pool = createSlotPool(core, { name: "gone", dtype: "u8", length: 1, slots: 1 });
    const lease = pool.acquire();
    lease.release();
    expect(lease.released).toBe(true);
    expect(() => lease.view).toThrow(/pool "gone": buffer used after its release/);
  });

  it("releases at the end of a using block, also when it throws", () => {
    const pool = createSlotPool(core, { name: "p", dtype: "u8", length: 1, slots: 1 });
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

  it("counts a handle that it never gave out", () => {
    const pool = createSlotPool(core, { name: "p", dtype: "u8", length: 1, slots: 1 });
    expect(() => pool.takeBack(77)).toThrow(LeaseError);
    expect(() => pool.takeBack(Number.NaN)).toThrow(LeaseError);
    expect(pool.stats()).toMatchObject({ foreignReleases: 1, inUse: 0, available: 1 });
  });

  it("keeps every slot in one place through a random history", () => {
    const seed = 7;
    const next = seededNoise(seed);
    const slots = 9;
    const pool = createSlotPool(core, { name: "p", dtype: "i32", length: 4, slots });
    const held: { lease: Lease<"i32">; mark: number }[] = [];
    let acquires = 0;
    let exhausted = 0;
    for (let step = 0; step < 20_000; step++) {
      if (next() > 0) {
        const lease = pool.tryAcquire();
        if (!lease) {
          expect(held.length, `seed ${seed}, step ${step}`).toBe(slots);
          exhausted++;
          continue;
        }
        acquires++;
        lease.view.fill(step);
        held.push({ lease, mark: step });
      } else if (held.length > 0) {
        const [{ lease, mark }] = held.splice(Math.floor(((next() + 1) / 2) * held.length), 1) as [
          (typeof held)[0],
        ];
        expect(
          lease.view.every((x) => x === mark),
          `seed ${seed}, step ${step}`,
        ).toBe(true);
        lease.release();
      }
    }
    for (const { lease } of held) lease.release();
    expect(pool.stats()).toMatchObject({
      acquires,
      releases: acquires,
      exhausted,
      inUse: 0,
      peakInUse: slots,
    });
  });
});

describe("createSlotPool", () => {
  const fine = { name: "p", dtype: "f32", length: 10, slots: 2 } as const;

  it.each([
    [{ length: 0 }, /length is 0/],
    [{ length: -4 }, /length is -4/],
    [{ length: 1.5 }, /length is 1\.5/],
    [{ length: Number.NaN }, /length is NaN/],
    [{ length: 1e9 }, /length is 1000000000/],
    [{ slots: 0 }, /slots is 0/],
    [{ slots: 4097 }, /slots is 4097/],
    [{ name: "" }, /pool name is ""/],
    [{ dtype: "f16" as "f32" }, /dtype is "f16"/],
    [{ dtype: 10n as unknown as "f32" }, /dtype is 10/],
    [{ length: "10" as unknown as number }, /length is "10"/],
  ])("refuses %o", (wrong, message) => {
    const before = core.freeBytes();
    const create = () => createSlotPool(core, { ...fine, ...wrong });
    expect(create).toThrow(InvalidArgumentError);
    expect(create).toThrow(message);
    expect(core.freeBytes()).toBe(before);
    expect(poolStatistics(core)).toEqual([]);
  });

  it("refuses a pool past the core's directory, naming the limit", () => {
    for (let i = 0; i < 64; i++) createSlotPool(core, { ...fine, name: `p${i}` });
    expect(() => createSlotPool(core, fine)).toThrow(/pool "p": the core has 64 pools already/);
  });

  it("refuses options that are none", () => {
    expect(() => createSlotPool(core, undefined as never)).toThrow(InvalidArgumentError);
  });

  it("refuses a name that is taken", () => {
    createSlotPool(core, fine);
    expect(() => createSlotPool(core, fine)).toThrow(/pool "p" exists already/);
    expect(poolStatistics(core)).toHaveLength(1);
  });
});
