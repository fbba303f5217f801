import { beforeEach, describe, expect, it } from "vitest";
import { type BufferPool, createBufferPool, createCore } from "../../src/index.ts";
import { AdaptiveSizing } from "../../src/pools/adaptive-sizing.ts";

describe("adaptive sizing", () => {
  let pool: BufferPool;

  beforeEach(async () => {
    const core = await createCore({ memoryBytes: 2 ** 20 });
    pool = createBufferPool(core, { name: "p", dtype: "u8", shape: 8, initial: 1, max: 20, adaptive: true });
  });

  /** An acquire that misses: everything free has been trimmed away. */
  function miss(): void {
    pool.clear();
    pool.acquire().release();
  }

  it("grows by one when more than 10 of the last 100 acquires missed", () => {
    for (let i = 0; i < 10; i++) miss();
    for (let i = 10; i < 100; i++) pool.acquire().release();
    expect(pool.stats()).toMatchObject({ misses: 10, total: 1 });
    miss();
    expect(pool.stats()).toMatchObject({ misses: 11, total: 1 }); // the first of the ten has left the last 100
    miss();
    for (let i = 0; i < 80; i++) pool.acquire().release();
    expect(pool.stats().total).toBe(1);
    for (let i = 0; i < 9; i++) miss();
    expect(pool.stats().grown - pool.stats().misses).toBe(1);
  });

  it("shrinks to initial when idle, and only then", async () => {
    const sizing = new AdaptiveSizing(pool, 20);
    const leases = [1, 2, 3, 4].map(() => pool.acquire());
    sizing.afterAcquire(pool.stats().misses);
    for (const lease of leases) lease.release();
    const end = performance.now() + 90;
    while (performance.now() < end) {
      for (const lease of [pool.acquire(), pool.acquire()]) lease.release();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(pool.stats().total).toBe(2); // two are in use all the time
    await new Promise((resolve) => setTimeout(resolve, 90));
    expect(pool.stats().total).toBe(1);
    sizing.stop();
  });

  it("does nothing before 100 acquires, nor while all hit", () => {
    for (let i = 0; i < 99; i++) miss();
    expect(pool.stats().grown).toBe(99);
    for (let i = 0; i < 300; i++) pool.acquire().release();
    expect(pool.stats().grown).toBe(99 + 1); // the hundredth acquire looks back on 99 misses, and that is over
  });
});
