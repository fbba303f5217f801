import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBufferPool, createCore, LeaseError, PoolClosedError } from "../../src/index.ts";
import { BUILDS } from "../reference/builds.ts";
import { adopt, giveBack, poolCommands } from "../reference/pool-commands.ts";
import {
  compare,
  createPoolModel,
  granted,
  type PoolModel,
  type PoolParameters,
  type PoolUnderTest,
  retire,
  waitingHandles,
} from "../reference/pool-model.ts";
import { runs } from "../reference/runs.ts";

const SMALLEST_CORE = 2 ** 17;

/** Pools of up to six buffers of `units` × 8 bytes, which every element type divides. */
function poolParameters(units: fc.Arbitrary<number>, mostInitial: number): fc.Arbitrary<PoolParameters> {
  return fc
    .record({
      dtype: fc.constantFrom("f32", "i16", "i32", "u8", "complex64", "f16", "i64"),
      bytes: units.map((count) => 8 * count),
      initial: fc.nat(mostInitial),
      max: fc.integer({ min: 1, max: 6 }),
      zeroOnRelease: fc.boolean(),
      statistics: fc.constantFrom("counts", "counts", "times", "off"),
    } as const)
    .map((parameters) => ({ ...parameters, initial: Math.min(parameters.initial, parameters.max) }));
}

describe.each(BUILDS)("properties of a buffer pool, $build", ({ threads }) => {
  it("does what the model does, and gives everything back", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        poolParameters(fc.integer({ min: 1, max: 20 }), 6),
        poolCommands(80),
        fc.boolean(),
        (parameters, commands, closeFirst) => run(parameters, commands, closeFirst, 2 ** 20),
      ),
      { seed: 42, numRuns: runs(200) },
    );
  });

  it("does what the model does where memory runs out before the slots", async () => {
    // Buffers of 24 to 40 kB: the smallest core has room for three or four.
    await fc.assert(
      fc.asyncProperty(
        poolParameters(fc.integer({ min: 3000, max: 5000 }), 2),
        poolCommands(40),
        fc.boolean(),
        (parameters, commands, closeFirst) => run(parameters, commands, closeFirst, SMALLEST_CORE),
      ),
      { seed: 43, numRuns: runs(60) },
    );
  });

  it("adopts no number beyond 32 bits, though its lower half be a handle", async () => {
    const core = await createCore({ memoryBytes: SMALLEST_CORE, threads });
    const pool = createBufferPool(core, { name: "tested", dtype: "u8", bytes: 64, max: 2 });
    const handle = pool.acquire().handOver();
    try {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 2 ** 20 }), (times) => {
          expect(() => pool.adopt(times * 2 ** 32 + handle)).toThrow(LeaseError);
        }),
        { seed: 54, numRuns: runs(20) },
      );
    } finally {
      pool.adopt(handle).release();
    }
  });

  type Commands = typeof poolCommands extends (most: number) => fc.Arbitrary<infer C> ? C : never;

  async function run(
    parameters: PoolParameters,
    commands: Commands,
    closeFirst: boolean,
    memoryBytes: number,
  ): Promise<void> {
    const core = await createCore({ memoryBytes, threads });
    const other = createBufferPool(core, { name: "other", dtype: "u8", shape: 1, max: 1 });
    using foreign = other.acquire();
    const before = core.freeBytes();
    const pool = createBufferPool(core, { name: "tested", ...parameters });
    const model = createPoolModel(parameters, Math.floor(core.freeBytes() / granted(parameters.bytes)));
    const real = { core, pool, foreign };
    try {
      fc.modelRun(() => ({ model, real }), commands);
      while (waitingHandles(model).length > 0) adopt(model, real, 0);
      if (closeFirst) shutDownWhileHeld(model, real);
      else shutDownAtLast(model, real);
    } finally {
      for (const { lease } of model.live) lease[Symbol.dispose](); // nothing left unless the run has failed
    }
    expect(core.freeBytes()).toBe(before);
  }
});

function shutDownAtLast(model: PoolModel, real: PoolUnderTest): void {
  while (model.live.length > 0) giveBack(model, real, 0, "release");
  compare(model, real);
  expect(real.pool.stats().inUse).toBe(0);
  expect(real.pool.shutdown()).toBe(0);
}

function shutDownWhileHeld(model: PoolModel, real: PoolUnderTest): void {
  const { pool } = real;
  retire(model, model.free.length);
  expect(pool.shutdown()).toBe(model.inUse);
  for (const closed of [
    () => pool.tryAcquire(),
    () => pool.acquire(),
    () => pool.trim(),
    () => pool.put(null),
  ]) {
    expect(closed).toThrow(PoolClosedError);
  }
  while (model.live.length > 0) {
    compare(model, real);
    giveBack(model, real, 1, "release");
  }
  expect(() => pool.stats()).toThrow(PoolClosedError);
}
