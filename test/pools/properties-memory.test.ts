import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BufferPool, createBufferPool, createCore, type Lease } from "../../src/index.ts";
import { BUILDS } from "../reference/builds.ts";
import { runs } from "../reference/runs.ts";

const POOLS = ["a", "b", "c", "d"] as const;
const OPERATIONS = [
  "acquire",
  "acquire",
  "acquire",
  "release",
  "release",
  "trim",
  "clear",
  "recreate",
] as const;

interface Marked {
  lease: Lease<"u8">;
  mark: number;
}

describe.each(BUILDS)("properties of pools in one memory, $build", ({ threads }) => {
  it("shares no byte between two leases of any pools, and gives every byte back", async () => {
    const property = fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 30_000 }), fc.integer({ min: 1, max: 8 })), {
        minLength: POOLS.length,
        maxLength: POOLS.length,
      }),
      fc.array(fc.tuple(fc.constantFrom(...OPERATIONS), fc.nat(3), fc.nat(30)), { maxLength: 60 }),
      async (sizes, operations) => {
        const core = await createCore({ memoryBytes: 2 ** 18, threads });
        const before = core.freeBytes();
        const create = (i: number) => {
          const [bytes, max] = sizes[i]!;
          return createBufferPool(core, { name: POOLS[i]!, dtype: "u8", bytes, initial: 0, max });
        };
        const pools: BufferPool<"u8">[] = POOLS.map((_, i) => create(i));
        const held: Marked[] = [];
        let lastMark = 0;
        for (const [operation, i, which] of operations) {
          const pool = pools[i]!;
          if (operation === "trim") pool.trim({ count: 1 });
          else if (operation === "clear") pool.clear();
          else if (operation === "recreate") {
            pool.shutdown(); // what is leased stays valid, and its memory comes back with the release
            pools[i] = create(i);
          } else if (operation === "acquire") {
            const lease = pool.tryAcquire();
            if (lease === undefined) continue;
            lastMark = (lastMark % 255) + 1;
            lease.view.fill(lastMark);
            held.push({ lease, mark: lastMark });
          } else if (held.length > 0) {
            held.splice(which % held.length, 1)[0]!.lease.release();
          }
          expect(held.filter((each) => !holdsItsMark(each))).toEqual([]);
        }
        for (const { lease } of held) lease.release();
        for (const pool of pools) pool.shutdown();
        expect(core.freeBytes()).toBe(before);
      },
    );
    await fc.assert(property, { seed: 52, numRuns: runs(150) });
  });

  it("loses no byte when memory of large buffers serves small ones", async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 25_000 }),
      fc.integer({ min: 1, max: 2000 }),
      fc.integer({ min: 1, max: 4 }),
      async (largeBytes, smallBytes, count) => {
        const core = await createCore({ memoryBytes: 2 ** 18, threads });
        const large = createBufferPool(core, {
          name: "large",
          dtype: "u8",
          bytes: largeBytes,
          initial: 0,
          max: count,
        });
        // Above the large buffers, so that their memory goes back as regions rather than with the cursor.
        large.grow(count);
        const small = createBufferPool(core, {
          name: "small",
          dtype: "u8",
          bytes: smallBytes,
          initial: 1,
          max: 1000,
        });
        large.clear();
        const before = core.freeBytes();
        small.grow(1000);
        small.trim();
        expect(core.freeBytes()).toBe(before);
        small.shutdown();
        large.shutdown();
      },
    );
    await fc.assert(property, { seed: 53, numRuns: runs(50) });
  });
});

function holdsItsMark({ lease: { view }, mark }: Marked): boolean {
  // Regions are cut at lines of 64 bytes: one byte of each line tells.
  for (let i = 0; i < view.length; i += 64) if (view[i] !== mark) return false;
  return view[view.length - 1] === mark;
}
