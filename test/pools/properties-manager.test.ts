import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import {
  type Core,
  createBufferPool,
  createCore,
  createPoolManager,
  InvalidArgumentError,
  type PoolManager,
  type PoolSettings,
  type PoolsConfig,
  poolStatistics,
} from "../../src/index.ts";
import { BUILDS } from "../reference/builds.ts";
import { runs } from "../reference/runs.ts";

const MEMORY_BYTES = 2 ** 18;
/** A pool in the core that the manager did not make. */
const STRANGER = "stranger";

const DTYPES = { f32: 4, i16: 2, u8: 1, complex64: 8 };
/** The words of PoolSettings' `statistics` in the order of their levels. */
const LEVELS = ["off", "counts", "times"] as const;

interface Plan {
  config: PoolsConfig;
  /** What is wrong with it; nothing where this is empty. */
  wrong: string[];
  asText: boolean;
}

const settings: fc.Arbitrary<PoolSettings> = fc
  .record({
    dtype: fc.constantFrom("f32" as const, "i16" as const, "u8" as const, "complex64" as const),
    dimensions: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 3 }),
    max: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 60 })),
    initial: fc.option(fc.nat(12), { nil: undefined }),
    withBytes: fc.boolean(),
    statistics: fc.option(fc.constantFrom(...LEVELS), { nil: undefined }),
    zeroOnRelease: fc.option(fc.boolean(), { nil: undefined }),
  })
  .map(({ dtype, dimensions, max, initial, withBytes, statistics, zeroOnRelease }) => ({
    dtype,
    shape: dimensions,
    max,
    ...(initial === undefined ? {} : { initial: Math.min(initial, max) }),
    ...(withBytes ? { bytes: dimensions.reduce((product, size) => product * size, DTYPES[dtype]) } : {}),
    ...(statistics === undefined ? {} : { statistics }),
    ...(zeroOnRelease === undefined ? {} : { zeroOnRelease }),
  }));

/** Settings that no pool can have, each made of ones that it can. */
const FAULTS: Record<string, (fine: PoolSettings) => object> = {
  "max 0": (fine) => ({ ...fine, max: 0 }),
  "max -3": (fine) => ({ ...fine, max: -3 }),
  "max NaN": (fine) => ({ ...fine, max: Number.NaN }),
  "max 1.5": (fine) => ({ ...fine, max: 1.5 }),
  "max above 4096": (fine) => ({ ...fine, max: 4097 }),
  "max below initial": (fine) => ({ ...fine, max: 2, initial: 3 }),
  "initial -1": (fine) => ({ ...fine, initial: -1 }),
  "initial NaN": (fine) => ({ ...fine, initial: Number.NaN }),
  "initial 0.5": (fine) => ({ ...fine, initial: 0.5 }),
  "shape 0": (fine) => ({ ...fine, shape: [4, 0] }),
  "shape -1": (fine) => ({ ...fine, shape: -1 }),
  "shape 2.5": (fine) => ({ ...fine, shape: [2.5] }),
  "shape NaN": (fine) => ({ ...fine, shape: [Number.NaN] }),
  "five dimensions": (fine) => ({ ...fine, shape: [1, 1, 1, 1, 1] }),
  "shape beyond the core": (fine) => ({ ...fine, shape: [MEMORY_BYTES, 2] }),
  "bytes that the shape does not take": (fine) => ({ ...fine, dtype: "u8", shape: 16, bytes: 17 }),
  "bytes 0": ({ shape: _, ...fine }) => ({ ...fine, bytes: 0 }),
  "bytes of half a sample": ({ shape: _, ...fine }) => ({ ...fine, dtype: "f32", bytes: 6 }),
  "no size": ({ max }) => ({ max }),
  "unknown setting": (fine) => ({ ...fine, size: 4 }),
  "unknown dtype": (fine) => ({ ...fine, dtype: "f64" }),
  "zeroOnRelease as text": (fine) => ({ ...fine, zeroOnRelease: "yes" }),
  "queueLimit -1": (fine) => ({ ...fine, queueLimit: -1 }),
  "leakDetection unknown": (fine) => ({ ...fine, leakDetection: "some" }),
  "settings null": () => null as unknown as object,
};
const BAD_NAMES = [STRANGER, "x".repeat(33), ""];

/** One to four pools; in about half of the plans something is wrong with one or two of them. */
const plan: fc.Arbitrary<Plan> = fc
  .record({
    pools: fc.uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c", "d", "e"), settings), {
      minLength: 1,
      maxLength: 4,
      selector: ([name]) => name,
    }),
    faults: fc.oneof(
      fc.constant([]),
      fc.array(fc.tuple(fc.constantFrom(...Object.keys(FAULTS)), fc.nat(3)), { minLength: 1, maxLength: 2 }),
    ),
    badName: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, fc.constantFrom(...BAD_NAMES)),
    asText: fc.boolean(),
  })
  .map(({ pools, faults, badName, asText }) => {
    const entries = pools.map(([name, each]): [string, unknown] => [name, each]);
    for (const [fault, place] of faults as [string, number][]) {
      const entry = entries[place % entries.length]!;
      entry[1] = FAULTS[fault]!((pools[place % pools.length] as [string, PoolSettings])[1]);
    }
    if (badName !== undefined) entries[entries.length - 1]![0] = badName;
    const wrong = (faults as [string, number][]).map(([fault]) => fault);
    if (badName !== undefined) wrong.push(`name "${badName}"`);
    return { config: Object.fromEntries(entries) as PoolsConfig, wrong, asText };
  });

/** Bytes of the pools at their max, with all that belongs to them. */
function bytesAtMax(core: Core, config: PoolsConfig): number {
  let total = 0;
  for (const { dtype = "f32", shape, max = 20, statistics = "counts" } of Object.values(config)) {
    const bytes = (shape as number[]).reduce((product, size) => product * size, DTYPES[dtype as "f32"]);
    total += core.exports.poolBytes(bytes, max, max, 2 * LEVELS.indexOf(statistics), 1);
  }
  return total;
}

function configure(manager: PoolManager, { config, asText }: Plan): void {
  manager.configure(asText ? stringify(config) : config);
}

/** Leases every buffer that every pool may have: there must be memory for all of them at once. */
function expectRoomForAll(manager: PoolManager): void {
  const leases = manager.pools.flatMap((pool) => Array.from({ length: pool.max }, () => pool.tryAcquire()));
  const missing = leases.filter((lease) => lease === undefined).length;
  for (const lease of leases) lease?.release();
  manager.trim();
  expect(missing).toBe(0);
}

describe.each(BUILDS)("properties of a pool manager, $build", ({ threads }) => {
  it("configures all pools or none, and takes nothing when it refuses", { timeout: 60_000 }, async () => {
    const property = fc.asyncProperty(
      fc.array(plan, { minLength: 1, maxLength: 4 }),
      fc.option(fc.integer({ min: 2000, max: 200_000 }), { nil: undefined }),
      async (plans, cap) => {
        const core = await createCore({ memoryBytes: MEMORY_BYTES, threads });
        createBufferPool(core, { name: STRANGER, dtype: "u8", shape: 1, max: 1 });
        const empty = core.freeBytes();
        const manager = await createPoolManager({ core, ...(cap === undefined ? {} : { cap }) });
        const accepted: PoolsConfig = {};
        for (const each of plans) {
          const names = Object.keys(each.config);
          const taken = names.some((name) => name in accepted);
          const fine = each.wrong.length === 0 && !taken;
          const all = fine ? bytesAtMax(core, { ...accepted, ...each.config }) : 0;
          const fits = all <= (cap ?? empty);
          const before = core.freeBytes();
          let refusal: unknown;
          try {
            configure(manager, each);
          } catch (error) {
            refusal = error;
          }
          if (fine && fits) {
            expect(refusal).toBeUndefined();
            Object.assign(accepted, each.config);
          } else {
            expect(refusal).toBeInstanceOf(InvalidArgumentError);
            expect(core.freeBytes()).toBe(before);
          }
          const expected = Object.keys(accepted);
          expect(manager.pools.map(({ name }) => name)).toEqual(expected);
          const inCore = poolStatistics(core).map(({ name }) => name);
          expect(new Set(inCore)).toEqual(new Set([STRANGER, ...expected]));
        }
        for (const pool of manager.pools) {
          const { statistics = "counts", ...rest } = accepted[pool.name]!;
          expect(pool).toMatchObject(rest);
          expect(pool.stats().statistics).toBe(statistics);
        }
        expectRoomForAll(manager);
        expect(manager.shutdown()).toEqual([]);
        expect(core.freeBytes()).toBe(empty);
      },
    );
    await fc.assert(property, { seed: 49, numRuns: runs(150) });
  });

  it("accepts what fits to the last line of 64 bytes, also when configured in two steps", async () => {
    const property = fc.asyncProperty(
      settings,
      fc.option(fc.constant(200_000), { nil: undefined }),
      async (first, cap) => {
        const core = await createCore({ memoryBytes: MEMORY_BYTES, threads });
        const limit = cap ?? core.freeBytes();
        const manager = await createPoolManager({ core, ...(cap === undefined ? {} : { cap }) });
        const last = (bytes: number): PoolsConfig => ({ last: { dtype: "u8", shape: [bytes], max: 1 } });
        const left = limit - bytesAtMax(core, { first }) - bytesAtMax(core, last(64)) + 64;
        fc.pre(left >= 64);
        const most = left - (left % 64);
        manager.configure({ first });
        expect(() => manager.configure(last(most + 64))).toThrow(InvalidArgumentError);
        manager.configure(last(most));
        expectRoomForAll(manager);
        manager.shutdown();
      },
    );
    await fc.assert(property, { seed: 51, numRuns: runs(50) });
  });

  it("makes a core with room for all its pools at their max", async () => {
    const property = fc.asyncProperty(
      fc.uniqueArray(
        fc.tuple(fc.string({ minLength: 1, maxLength: 32 }), settings, fc.integer({ min: 1, max: 300 })),
        { minLength: 1, maxLength: 8, selector: ([name]) => name },
      ),
      fc.boolean(),
      async (pools, capped) => {
        const config: PoolsConfig = {};
        // defineProperty, for a name such as __proto__.
        for (const [name, each, max] of pools) {
          const value = { ...each, max: Math.max(max, each.initial ?? 0) };
          Object.defineProperty(config, name, { value, enumerable: true });
        }
        // The core is the smaller for a cap, and must hold all that the cap allows.
        const cap = capped
          ? { cap: bytesAtMax(await createCore({ memoryBytes: MEMORY_BYTES }), config) }
          : {};
        const manager = await createPoolManager({ pools: config, threads, leakDetection: "off", ...cap });
        expect(manager.pools.length).toBe(pools.length);
        expectRoomForAll(manager);
        manager.shutdown();
      },
    );
    await fc.assert(property, { seed: 50, numRuns: runs(15) });
  });

  it("configures a pool again once it was shut down, as its message advises", async () => {
    const core = await createCore({ memoryBytes: MEMORY_BYTES, threads });
    const manager = await createPoolManager({ core, pools: { a: { shape: 4, max: 1 } } });
    expect(() => manager.configure({ a: { shape: 4, max: 1 } })).toThrow(/shut it down first/);
    manager.pool("a").shutdown();
    manager.configure({ b: { shape: 4, max: 1 } });
    manager.configure({ a: { shape: 8, max: 1 } });
    expect(manager.pool("a").length).toBe(8);
    manager.shutdown();
  });
});
