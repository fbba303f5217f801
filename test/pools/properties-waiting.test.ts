import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
  type BufferPool,
  type Core,
  createBufferPool,
  createCore,
  type Lease,
  PoolClosedError,
  PoolExhaustedError,
  PoolTimeoutError,
  type WaitOptions,
} from "../../src/index.ts";
import { BUILDS } from "../reference/builds.ts";
import { runs } from "../reference/runs.ts";

const BYTES = 64;
/** Of a timer that no run lasts long enough for. */
const LONG = 60_000;

type Outcome = "served" | "aborted" | "timed out" | "queue full" | "closed";
type Kind = "endless" | "at once" | "long" | "abortable" | "abortable, long" | "aborted";

/** What is known of the waiters by their numbers, in order of arrival. */
interface WaitModel {
  readonly max: number;
  readonly limit: number;
  queue: { waiter: number; kind: Kind }[];
  held: number;
  /** Who left the queue how, in that order. */
  settled: string[];
  waiters: number;
  acquires: number;
}

interface WaitReal {
  pool: BufferPool<"u8">;
  held: Lease<"u8">[];
  aborts: Map<number, AbortController>;
  settled: string[];
}

function settle(model: WaitModel, waiter: number, outcome: Outcome): void {
  model.settled.push(`${waiter} ${outcome}`);
  if (outcome === "served") {
    model.held++;
    model.acquires++;
  }
}

function wait(model: WaitModel, { pool, held, aborts, settled }: WaitReal, kind: Kind): void {
  const waiter = model.waiters++;
  if (kind === "aborted") settle(model, waiter, "aborted");
  else if (model.queue.length === 0 && model.held < model.max) settle(model, waiter, "served");
  else if (model.queue.length >= model.limit) settle(model, waiter, "queue full");
  else model.queue.push({ waiter, kind });
  const abort = new AbortController();
  const reason = new Error("aborted");
  const options: WaitOptions = {};
  if (kind.startsWith("abort")) {
    options.signal = abort.signal;
    aborts.set(waiter, abort);
  }
  if (kind === "aborted") abort.abort(reason);
  if (kind === "at once") options.timeout = 0;
  if (kind.endsWith("long")) options.timeout = LONG;
  pool.acquireAsync(options).then(
    (lease) => {
      held.push(lease);
      settled.push(`${waiter} served`);
    },
    (error: unknown) => settled.push(`${waiter} ${outcomeOf(error)}`),
  );
}

function outcomeOf(error: unknown): Outcome | string {
  if (error instanceof PoolTimeoutError) return "timed out";
  if (error instanceof PoolExhaustedError) return "queue full";
  if (error instanceof PoolClosedError) return "closed";
  return error instanceof Error ? error.message || error.name : String(error);
}

function abort(model: WaitModel, { aborts }: WaitReal, which: number): void {
  const waiter = [...aborts.keys()][which % aborts.size]!;
  const place = model.queue.findIndex((waiting) => waiting.waiter === waiter);
  if (place >= 0) {
    model.queue.splice(place, 1);
    settle(model, waiter, "aborted");
  }
  aborts.get(waiter)!.abort(new Error("aborted")); // without effect on those that were served
}

function release(model: WaitModel, { held }: WaitReal, which: number): void {
  held.splice(which % held.length, 1)[0]!.release();
  model.held--;
  const first = model.queue.shift();
  if (first !== undefined) settle(model, first.waiter, "served");
}

function acquire(model: WaitModel, { pool, held }: WaitReal): void {
  const lease = pool.tryAcquire();
  expect(lease !== undefined).toBe(model.held < model.max);
  if (lease === undefined) return;
  held.push(lease);
  model.held++;
  model.acquires++;
}

/** Lets timers run: those that wait for 0 ms give up. */
async function elapse(model: WaitModel): Promise<void> {
  for (const { waiter, kind } of model.queue) if (kind === "at once") settle(model, waiter, "timed out");
  model.queue = model.queue.filter(({ kind }) => kind !== "at once");
  await sleep(4);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Lets promises settle, and no timer run. */
async function drainMicrotasks(): Promise<void> {
  for (let i = 0; i < 10; i++) await undefined;
}

async function compare(model: WaitModel, real: WaitReal): Promise<void> {
  await drainMicrotasks();
  expect(real.settled).toEqual(model.settled);
  expect(real.held.length).toBe(model.held);
  expect(new Set(real.held.map(({ view }) => view.byteOffset)).size).toBe(model.held);
  const count = (outcome: Outcome) => model.settled.filter((each) => each.endsWith(outcome)).length;
  expect(real.pool.stats()).toMatchObject({
    acquires: model.acquires,
    releases: model.acquires - model.held,
    inUse: model.held,
    waits: count("served"),
    timeouts: count("timed out"),
  });
}

type WaitCommand = fc.AsyncCommand<WaitModel, WaitReal>;

function command(
  name: string,
  ready: (model: Readonly<WaitModel>) => boolean,
  act: (model: WaitModel, real: WaitReal) => void | Promise<void>,
): WaitCommand {
  return {
    check: ready,
    async run(model, real) {
      await act(model, real);
      await compare(model, real);
    },
    toString: () => name,
  };
}

const always = () => true;
const KINDS: Kind[] = ["endless", "at once", "long", "abortable", "abortable, long", "aborted"];
const WAIT = fc
  .constantFrom(...KINDS)
  .map((kind) => command(`wait ${kind}`, always, (m, r) => wait(m, r, kind)));
const COMMANDS: fc.Arbitrary<WaitCommand>[] = [
  ...[WAIT, WAIT, WAIT],
  ...[1, 2].map(() =>
    fc.nat(9).map((i) =>
      command(
        `release ${i}`,
        ({ held }) => held > 0,
        (m, r) => release(m, r, i),
      ),
    ),
  ),
  fc.nat(9).map((i) =>
    command(
      `abort ${i}`,
      ({ waiters }) => waiters > 0,
      (m, r) => {
        if (r.aborts.size > 0) abort(m, r, i);
      },
    ),
  ),
  fc.constant(command("tryAcquire", always, acquire)),
  fc.constant(command("elapse", always, elapse)),
];

describe.each(BUILDS)("properties of acquireAsync, $build", ({ threads }) => {
  it("serves in order of arrival, each waiter once, and loses nothing", { timeout: 60_000 }, async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.nat(5),
      fc.commands(COMMANDS, { maxCommands: 40, size: "max" }),
      fc.boolean(),
      async (max, limit, commands, closeFirst) => {
        const core = await createCore({ memoryBytes: 2 ** 17, threads });
        const before = core.freeBytes();
        const pool = createBufferPool(core, { name: "p", dtype: "u8", bytes: BYTES, max, queueLimit: limit });
        const real: WaitReal = { pool, held: [], aborts: new Map(), settled: [] };
        const model: WaitModel = { max, limit, queue: [], held: 0, settled: [], waiters: 0, acquires: 0 };
        try {
          await fc.asyncModelRun(() => ({ model, real }), commands);
          if (closeFirst) await close(model, real);
          while (model.held > 0) {
            release(model, real, 0);
            await (closeFirst ? drainMicrotasks() : compare(model, real));
          }
        } finally {
          for (const lease of real.held) lease[Symbol.dispose]();
        }
        expect(pool.shutdown()).toBe(0);
        expect(core.freeBytes()).toBe(before);
      },
    );
    await fc.assert(property, { seed: 44, numRuns: runs(100) });
  });

  it("leaves memory alone that it has given back, whatever its waiters did", async () => {
    const property = fc.asyncProperty(
      fc.array(fc.constantFrom("wait", "abort", "release", "elapse"), { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      async (steps, closeFirst) => {
        const core = await createCore({ memoryBytes: 2 ** 17, threads });
        const pool = createBufferPool(core, { name: "p", dtype: "u8", bytes: BYTES, max: 1 });
        const held = [pool.acquire()];
        const aborts: AbortController[] = [];
        for (const step of steps) {
          if (step === "wait") {
            const abort = new AbortController();
            aborts.push(abort);
            const served = (lease: Lease<"u8">) => void held.push(lease);
            pool.acquireAsync({ signal: abort.signal }).then(served, () => {});
          }
          if (step === "abort") aborts.pop()?.abort();
          if (step === "release") held.pop()?.release();
          if (step === "elapse") await sleep(1);
          await drainMicrotasks();
        }
        if (closeFirst) pool.shutdown();
        while (held.length > 0) {
          held.pop()!.release();
          await drainMicrotasks(); // the next waiter comes with its lease
        }
        pool.shutdown();
        await sleep(2); // whatever still watches the pool finds out
        expectAllZero(core, 512 + 128);
      },
    );
    await fc.assert(property, { seed: 45, numRuns: runs(60) });
  });

  it("sets no timer after shutdown, also where Atomics.waitAsync is missing", async () => {
    const atomics = Atomics as { waitAsync?: unknown };
    const { waitAsync } = atomics;
    delete atomics.waitAsync;
    try {
      const core = await createCore({ memoryBytes: 2 ** 17, threads });
      const pool = createBufferPool(core, { name: "p", dtype: "u8", bytes: BYTES, max: 1 });
      const held = pool.acquire();
      const waited = pool.acquireAsync();
      pool.shutdown();
      held.release();
      await expect(waited).rejects.toThrow(PoolClosedError);
      await sleep(10);
      const timers = vi.spyOn(globalThis, "setTimeout");
      await sleep(20);
      expect(timers.mock.calls.length).toBe(1); // the sleep's own
    } finally {
      vi.restoreAllMocks();
      if (waitAsync !== undefined) atomics.waitAsync = waitAsync;
    }
  });
});

async function close(model: WaitModel, real: WaitReal): Promise<void> {
  expect(real.pool.shutdown()).toBe(model.held);
  for (const { waiter } of model.queue.splice(0)) settle(model, waiter, "closed");
  await drainMicrotasks();
  expect(real.settled).toEqual(model.settled);
  await expect(real.pool.acquireAsync()).rejects.toThrow(PoolClosedError);
}

/** Leases buffers of the size of what was freed, such as a pool's header: the core's memory comes zeroed. */
function expectAllZero(core: Core, bytes: number): void {
  const probe = createBufferPool(core, { name: "probe", dtype: "u8", bytes, initial: 0, max: 20 });
  const leases = Array.from({ length: 20 }, () => probe.acquire());
  const dirty = leases.flatMap(({ view }) => [...view]).filter((byte) => byte !== 0);
  for (const lease of leases) lease.release();
  expect(dirty).toEqual([]);
  probe.shutdown();
}
