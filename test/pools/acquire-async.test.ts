import { beforeEach, describe, expect, it } from "vitest";
import {
  type BufferPool,
  createBufferPool,
  createCore,
  InvalidArgumentError,
  type Lease,
  PoolClosedError,
  PoolExhaustedError,
  PoolTimeoutError,
} from "../../src/index.ts";
import { BUILDS } from "../reference/builds.ts";

describe.each(BUILDS)("acquireAsync, $build", ({ threads }) => {
  let pool: BufferPool<"u8">;
  let held: Lease<"u8">;

  beforeEach(async () => {
    const core = await createCore({ memoryBytes: 2 ** 20, threads });
    pool = createBufferPool(core, {
      name: "one",
      dtype: "u8",
      shape: 8,
      max: 1,
      statistics: "times",
      queueLimit: 3,
    });
    held = pool.acquire();
  });

  it("serves at once while a buffer is free", async () => {
    held.release();
    (await pool.acquireAsync()).release();
    expect(pool.stats()).toMatchObject({ waits: 1, waitTime: { total: 0 } });
  });

  it("serves in order of arrival, at the release itself", async () => {
    const order: number[] = [];
    const waiting = [0, 1, 2].map(async (place) => {
      const lease = await pool.acquireAsync();
      order.push(place);
      lease.release();
    });
    held.release();
    expect(pool.tryAcquire()).toBeUndefined(); // the first waiter has it already
    await Promise.all(waiting);
    expect(order).toEqual([0, 1, 2]);
    expect(pool.stats()).toMatchObject({ inUse: 0, waits: 3, timeouts: 0 });
  });

  it("gives up after the timeout, and says what to do", async () => {
    const waited = pool.acquireAsync({ timeout: 10 });
    await expect(waited).rejects.toThrow(PoolTimeoutError);
    await expect(pool.acquireAsync({ timeout: 0 })).rejects.toThrow(
      /pool "one": no buffer came free in 0 ms/,
    );
    held.release();
    expect(pool.stats()).toMatchObject({ inUse: 0, timeouts: 2, waits: 0 });
  });

  it("ends with the signal's reason, before and during the wait", async () => {
    const reason = new Error("changed my mind");
    const abort = new AbortController();
    const waited = pool.acquireAsync({ signal: abort.signal });
    abort.abort(reason);
    await expect(waited).rejects.toBe(reason);
    await expect(pool.acquireAsync({ signal: abort.signal })).rejects.toBe(reason);
    held.release();
    expect(pool.stats().inUse).toBe(0);
  });

  it("limits the queue", async () => {
    const waiting = [1, 2, 3].map(() => pool.acquireAsync());
    await expect(pool.acquireAsync()).rejects.toThrow(PoolExhaustedError);
    await expect(pool.acquireAsync()).rejects.toThrow(/3 wait already, the queue's limit/);
    held.release();
    for (const lease of waiting) (await lease).release();
  });

  it("refuses all who wait when the pool is shut down", async () => {
    const waiting = [pool.acquireAsync(), pool.acquireAsync({ timeout: 1000 })];
    const outcomes = Promise.allSettled(waiting);
    expect(pool.shutdown()).toBe(1);
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: expect.any(PoolClosedError) });
    }
    await expect(pool.acquireAsync()).rejects.toThrow(PoolClosedError);
    held.release();
  });

  it("keeps the times of waiting", async () => {
    const waited = pool.acquireAsync();
    await new Promise((resolve) => setTimeout(resolve, 20));
    held.release();
    (await waited).release();
    expect(pool.stats().waitTime.total).toBeGreaterThan(15);
    expect(pool.stats().waitTime.p50).toBeGreaterThan(13);
  });

  it("times out, and is served once memory comes free, where memory is what is missing", async () => {
    held.release();
    const core = await createCore({ memoryBytes: 2 ** 20, threads });
    const filler = createBufferPool(core, {
      name: "filler",
      dtype: "u8",
      shape: 700_000,
      initial: 0,
      max: 1,
    });
    const needy = createBufferPool(core, { name: "needy", dtype: "u8", shape: 600_000, initial: 0, max: 2 });
    const filling = filler.acquire();
    await expect(needy.acquireAsync({ timeout: 30 })).rejects.toThrow(PoolTimeoutError);
    const waited = needy.acquireAsync({ timeout: 5000 });
    filling.release();
    filler.trim();
    (await waited).release();
    expect(needy.stats()).toMatchObject({ inUse: 0, waits: 1, timeouts: 1 });
  });

  it.each([{}, 5, { throwIfAborted() {} }])("refuses %o for a signal", async (signal) => {
    await expect(pool.acquireAsync({ signal: signal as never, timeout: 1 })).rejects.toThrow(
      /signal is .*; give an AbortSignal/,
    );
    held.release();
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, "5"])("refuses a timeout of %s", async (timeout) => {
    await expect(pool.acquireAsync({ timeout: timeout as number })).rejects.toThrow(InvalidArgumentError);
    held.release();
  });
});
