import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import {
  attachCore,
  type BufferPool,
  type Core,
  createBufferPool,
  createCore,
  InvalidArgumentError,
  LeaseError,
  openBufferPool,
  PoolClosedError,
} from "../../src/index.ts";
import { runs } from "../reference/runs.ts";
import { seededNoise } from "../reference/signals.ts";

const AGENT = new URL("./agent.mjs", import.meta.url);
const workers: Worker[] = [];

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

/** Messages of a worker in order; `next` waits for one, and fails with the worker. */
interface Agent {
  worker: Worker;
  number: number;
  next<T>(): Promise<T>;
}

async function startAgent(core: Core, pool: BufferPool, data: object): Promise<Agent> {
  const worker = new Worker(AGENT, { workerData: { handle: core.share(), name: pool.name, ...data } });
  workers.push(worker);
  const arrived: unknown[] = [];
  let waiting: { resolve(message: unknown): void; reject(error: unknown): void } | undefined;
  worker.on("message", (message) => {
    if (waiting) waiting.resolve(message);
    else arrived.push(message);
    waiting = undefined;
  });
  worker.on("error", (error) => waiting?.reject(error));
  const next = <T>() =>
    new Promise<T>((resolve, reject) => {
      if (arrived.length > 0) resolve(arrived.shift() as T);
      else waiting = { resolve: resolve as (message: unknown) => void, reject };
    });
  const { agent } = await next<{ agent: number }>();
  return { worker, number: agent, next };
}

async function sharedPool(more: object = {}): Promise<{ core: Core; pool: BufferPool<"i32"> }> {
  const core = await createCore({ memoryBytes: 4 * 2 ** 20, threads: true });
  const pool = createBufferPool(core, {
    name: "shared",
    dtype: "i32",
    shape: 64,
    initial: 4,
    max: 16,
    ...more,
  });
  return { core, pool };
}

/** Everything is back: nothing in use, every slot can be leased once, and the counts add up. */
function expectWhole(pool: BufferPool, hint: string): void {
  const { acquires, releases, reclaimed, inUse, doubleReleases, foreignReleases, staleUses } = pool.stats();
  expect(inUse, hint).toBe(0);
  expect(acquires, hint).toBe(releases + reclaimed);
  expect([doubleReleases, foreignReleases, staleUses], hint).toEqual([0, 0, 0]);
  const leases = Array.from({ length: pool.max }, () => pool.acquire());
  expect(pool.tryAcquire(), hint).toBeUndefined();
  expect(new Set(leases.map(({ view }) => view.byteOffset)).size, hint).toBe(pool.max);
  for (const lease of leases) lease.release();
}

const THREADS = 20;
/** A million in all. */
const ROUNDS = runs(50_000);
/** Of ten one at least holds a lease: a victim has none a quarter of the time. */
const DEATHS = runs(50);
const DESERTERS = runs(20);

/** Deno's terminate() resolves at once and lets a worker that is busy in Wasm run on for many seconds. */
const DENO = "Deno" in globalThis;
if (DENO) console.warn("SKIPPED: terminating busy workers. Deno does not stop them.");

describe("twenty threads on one pool", () => {
  it(`do ${THREADS * ROUNDS} rounds without corruption, and the counts add up exactly`, async () => {
    const { core, pool } = await sharedPool({ zeroOnRelease: true });
    const start = new Int32Array(new SharedArrayBuffer(4)); // all at once, however long each takes to begin
    const agents = await Promise.all(
      Array.from({ length: THREADS }, (_, i) =>
        startAgent(core, pool, { task: "rounds", rounds: ROUNDS, seed: i + 1, start }),
      ),
    );
    Atomics.store(start, 0, 1);
    Atomics.notify(start, 0);
    const results = await Promise.all(
      agents.map((agent) => agent.next<{ done: number; refused: number; corrupted: number }>()),
    );
    const sum = (key: "done" | "refused" | "corrupted") =>
      results.reduce((total, result) => total + result[key], 0);
    const stats = pool.stats();
    expect(sum("corrupted")).toBe(0);
    expect(sum("done")).toBe(THREADS * ROUNDS);
    expect(stats.acquires).toBe(THREADS * ROUNDS);
    expect(stats.releases).toBe(THREADS * ROUNDS);
    expect(stats.hits + stats.misses).toBe(THREADS * ROUNDS);
    expect(stats.exhausted).toBe(sum("refused"));
    expect(stats.total).toBe(stats.initial + stats.grown - stats.trimmed);
    expect(stats.peakInUse).toBeLessThanOrEqual(16);
    const byAgent = stats.agents.reduce((total, agent) => total + agent.acquires, 0);
    expect(byAgent).toBe(THREADS * ROUNDS);
    expectWhole(pool, "after all rounds");
  });
});

describe("an agent that dies", () => {
  it.skipIf(DENO)(
    `mid-lease, at ${DEATHS} random moments, leaves nothing behind once it is reclaimed`,
    async () => {
      const { core, pool } = await sharedPool();
      const stop = new Int32Array(new SharedArrayBuffer(4));
      const others = await Promise.all([
        startAgent(core, pool, { task: "rounds", seed: 101, stop }),
        startAgent(core, pool, { task: "rounds", seed: 102, stop }),
      ]);
      const next = seededNoise(50);
      let reclaimed = 0;
      for (let seed = 1; seed <= DEATHS; seed++) {
        const victim = await startAgent(core, pool, { task: "victim", seed });
        await new Promise((resolve) => setTimeout(resolve, 10 * (next() + 1)));
        await victim.worker.terminate();
        let complete = false;
        for (let turn = 0; !complete && turn < 20; turn++) {
          const found = core.reclaim(victim.number);
          complete = found.complete;
          reclaimed += found.leases;
        }
        expect(complete, `seed ${seed}`).toBe(true);
      }
      Atomics.store(stop, 0, 1);
      for (const other of others) expect((await other.next<{ corrupted: number }>()).corrupted).toBe(0);
      expect(reclaimed).toBeGreaterThan(0);
      expect(pool.stats().reclaimed).toBe(reclaimed);
      expectWhole(pool, `seeds 1 to ${DEATHS}`);
    },
  );

  it(`by leaving without a word, ${DESERTERS} times, leaves nothing behind either`, async () => {
    const { core, pool } = await sharedPool();
    let reclaimed = 0;
    for (let seed = 1; seed <= DESERTERS; seed++) {
      const deserter = await startAgent(core, pool, { task: "deserter", seed });
      const { held } = await deserter.next<{ held: number }>();
      expect(pool.stats().inUse, `seed ${seed}`).toBe(held);
      expect(core.reclaim(deserter.number), `seed ${seed}`).toEqual({
        leases: held,
        recovered: 0,
        complete: true,
      });
      reclaimed += held;
    }
    expect(reclaimed).toBeGreaterThan(DESERTERS);
    expectWhole(pool, `seeds 1 to ${DESERTERS}`);
  });

  it("loses its own references, while those of others stay", async () => {
    const { core, pool } = await sharedPool({ max: 4 });
    const victim = await startAgent(core, pool, { task: "holder" });
    const mine = pool.acquire();
    mine.view.fill(42);
    const reference = mine.retain();
    victim.worker.postMessage(mine.handOver());
    expect(await victim.next()).toEqual({ kept: 42 }); // it holds two references now, and a lease of its own
    await victim.worker.terminate();
    expect(core.reclaim(victim.number)).toEqual({ leases: 1, recovered: 0, complete: true });
    expect(pool.stats().inUse).toBe(1);
    expect(reference.view[0]).toBe(42);
    reference.release();
    expectWhole(pool, "after the last reference");
  });

  it("in a pool that was shut down meanwhile, leaves no memory behind", async () => {
    const { core, pool } = await sharedPool();
    const before = core.freeBytes();
    const extra = createBufferPool(core, { name: "extra", dtype: "u8", shape: 1000, max: 2 });
    const other = attachCore(core.share());
    const lease = openBufferPool(other, "extra").acquire();
    lease.retain();
    expect(() => other.leave()).toThrow(/still holds 2 leases/);
    expect(extra.shutdown()).toBe(1);
    expect(core.reclaim(other.agent)).toMatchObject({ leases: 1, complete: true });
    expect(core.freeBytes()).toBe(before);
    expectWhole(pool, "the other pool");
  });

  it("wakes those who wait, for it may have been woken in their stead", async () => {
    const { core, pool } = await sharedPool({ initial: 1, max: 1 });
    const lease = pool.acquire();
    const other = attachCore(core.share());
    const waited = pool.acquireAsync({ timeout: 5000 });
    openBufferPool(other, "shared").adopt(lease.handOver());
    expect(core.reclaim(other.agent).leases).toBe(1);
    (await waited).release();
    expectWhole(pool, "after waiting");
  });

  it("is reclaimed once: its number never names a later agent", async () => {
    const { core, pool } = await sharedPool();
    const first = attachCore(core.share());
    openBufferPool(first, "shared").acquire();
    expect(core.reclaim(first.agent).leases).toBe(1);
    const second = attachCore(core.share());
    expect(second.agent).not.toBe(first.agent);
    const lease = openBufferPool(second, "shared").acquire();
    expect(core.reclaim(first.agent).leases).toBe(0);
    expect(lease.alive).toBe(true);
    lease.release();
    second.leave();
    expectWhole(pool, "after a second agent in the same place");
  });

  it("is named by its number, and cannot be the caller itself", async () => {
    const { core } = await sharedPool();
    expect(core.reclaim(64 + core.agent)).toEqual({ leases: 0, recovered: 0, complete: true }); // never there
    for (const wrong of [core.agent, -1, 2 ** 31, 1.5, Number.NaN]) {
      expect(() => core.reclaim(wrong)).toThrow(InvalidArgumentError);
      expect(() => core.reclaim(wrong)).toThrow(`agent is ${wrong}`);
    }
  });
});

describe("waiting for another thread's release", () => {
  it("wakes in order of arrival", async () => {
    const { core, pool } = await sharedPool({ initial: 1, max: 1 });
    const other = await startAgent(core, pool, { task: "releaser" });
    const lease = pool.acquire();
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (place) => {
      const got = await pool.acquireAsync();
      order.push(place);
      got.release();
    });
    other.worker.postMessage({ number: lease.handOver(), after: 20 });
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
    expect(pool.stats()).toMatchObject({ inUse: 0, waits: 3 });
  });

  it("ends for all threads when the pool is shut down", async () => {
    const { core, pool } = await sharedPool({ initial: 1, max: 1 });
    const lease = pool.acquire();
    const others = await Promise.all([1, 2].map(() => startAgent(core, pool, { task: "hopeful" })));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(pool.shutdown()).toBe(1);
    for (const other of others) expect(await other.next()).toEqual({ code: "pool-closed" });
    lease.release();
  });

  it("takes turns with the waiters of other threads", async () => {
    const { core, pool } = await sharedPool({ initial: 1, max: 1 });
    const lease = pool.acquire();
    const others = await Promise.all([1, 2].map(() => startAgent(core, pool, { task: "waiter", rounds: 5 })));
    const mine = (async () => {
      for (let i = 0; i < 5; i++) (await pool.acquireAsync({ timeout: 20_000 })).release();
    })();
    await new Promise((resolve) => setTimeout(resolve, 50));
    lease.release();
    await mine;
    for (const other of others) for (let i = 0; i < 5; i++) expect(await other.next()).toEqual({ got: i });
    expect(pool.stats().timeouts).toBe(0);
  });
});

describe("attachCore", () => {
  it("changes nothing in the memory but its own place", async () => {
    const { core, pool } = await sharedPool();
    using lease = pool.acquire();
    lease.view.fill(7);
    const before = Uint8Array.from(new Uint8Array(core.buffer));
    const second = attachCore(core.share());
    expect(second.agent).toBe(1);
    expect(second.memoryBytes).toBe(core.memoryBytes);
    second.leave();
    second.leave();
    const after = new Uint8Array(core.buffer);
    const changed = [...before.keys()].filter((i) => before[i] !== after[i]);
    expect(changed).toEqual([448 + 4]); // the entry of place 1 in the header: see assembly/memory/agents.ts
  });

  it("sees a double release by another agent", async () => {
    const { core, pool } = await sharedPool();
    const second = attachCore(core.share());
    const there = openBufferPool(second, "shared");
    const lease = pool.acquire();
    const number = pool.acquire().handOver();
    there.adopt(number).release();
    expect(() => pool.adopt(number)).toThrow(LeaseError);
    expect(() => second.leave()).not.toThrow();
    lease.release();
    expect(pool.stats()).toMatchObject({ staleUses: 1, inUse: 0, acquires: 2, releases: 2 });
  });

  it("sees a use of a lease that another agent has ended", async () => {
    const { core, pool } = await sharedPool();
    const second = attachCore(core.share());
    const there = openBufferPool(second, "shared");
    const lease = there.acquire();
    expect(lease.view).toHaveLength(64);
    core.reclaim(second.agent);
    expect(lease.alive).toBe(false);
    expect(() => lease.view).toThrow(/pool "shared": buffer used after its release/);
    expect(() => lease.retain()).toThrow(LeaseError);
    expect(() => lease.release()).toThrow(LeaseError);
    expect(pool.stats()).toMatchObject({ staleUses: 2, doubleReleases: 1, reclaimed: 1, inUse: 0 });
  });

  it("refuses to leave while it holds leases", async () => {
    const { core, pool } = await sharedPool();
    const lease = pool.acquire();
    expect(() => core.leave()).toThrow(/agent 0 still holds 1 leases/);
    lease.release();
    core.leave();
  });

  it("touches nothing once it has left", async () => {
    const { core, pool } = await sharedPool();
    const second = attachCore(core.share());
    const there = openBufferPool(second, "shared");
    there.acquire().release();
    second.leave();
    for (const use of [() => there.acquire(), () => there.stats(), () => there.trim()]) {
      expect(use).toThrow(PoolClosedError);
    }
    expect(there.shutdown()).toBe(0);
    expectWhole(pool, "the pool is open for others");
  });

  it("gives a pool's memory back once all who used it are done", async () => {
    const { core } = await sharedPool();
    const before = core.freeBytes();
    const extra = createBufferPool(core, { name: "extra", dtype: "u8", shape: 1000, max: 2 });
    const second = attachCore(core.share());
    const there = openBufferPool(second, "extra");
    extra.shutdown();
    expect(core.freeBytes()).toBeLessThan(before);
    there.shutdown();
    expect(core.freeBytes()).toBe(before);
    second.leave();
  });

  it("takes up to 64 agents", async () => {
    const { core } = await sharedPool();
    const others = Array.from({ length: 63 }, () => attachCore(core.share()));
    expect(() => attachCore(core.share())).toThrow(/64 agents already/);
    for (const other of others) other.leave();
  });

  it("refuses anything else by name", async () => {
    const { core } = await sharedPool();
    const { module } = core.share();
    const shared = () => new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
    const words = (memory: WebAssembly.Memory, ...values: number[]) => {
      new Uint32Array(memory.buffer).set(values);
      return memory;
    };
    const foreign = words(shared(), 0x12345678);
    const untouched = Uint8Array.from(new Uint8Array(foreign.buffer));
    expect(() => attachCore({ module, memory: foreign })).toThrow(/begins with 0x12345678, not 0x4c505657/);
    expect(Uint8Array.from(new Uint8Array(foreign.buffer))).toEqual(untouched);
    const old = words(shared(), 0x4c505657, 1, 4 * 65536);
    expect(() => attachCore({ module, memory: old })).toThrow(/layout is version 1, this wavepool knows 2/);
    const cut = words(shared(), 0x4c505657, 2, 5 * 65536);
    expect(() => attachCore({ module, memory: cut })).toThrow(/says 327680 bytes and has 262144/);
    const alone = words(new WebAssembly.Memory({ initial: 1 }), 0x4c505657, 2, 65536);
    expect(() => attachCore({ module, memory: alone })).toThrow(/memory is not shared/);
    for (const wrong of [undefined, {}, { module }, { module: 1, memory: foreign }]) {
      expect(() => attachCore(wrong as never)).toThrow(InvalidArgumentError);
    }
  });

  it("cannot share a plain core", async () => {
    const plain = await createCore({ memoryBytes: 2 ** 20, threads: false });
    expect(() => plain.share()).toThrow(/plain build.*create it with threads: true/);
  });
});
