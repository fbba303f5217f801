import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  attachCore,
  type BufferPool,
  type Core,
  checkLeaks,
  createBufferPool,
  createCore,
  describeLeak,
  InvalidArgumentError,
  type LeakReport,
  openBufferPool,
  watchLeaks,
} from "../../src/index.ts";
import { collectGarbage } from "../reference/garbage.ts";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("leak detection", () => {
  let core: Core;
  let lost: LeakReport[];

  beforeEach(async () => {
    core = await createCore({ memoryBytes: 2 ** 20, threads: true });
    lost = [];
  });

  afterEach(() => {
    // What these tests leak on purpose goes back by its handle.
    for (let held = checkHeld(core); held.length > 0; held = checkHeld(core)) {
      for (const { pool, handle } of held) openBufferPool(core, pool).adopt(handle).release();
    }
  });

  const pool = (more: object = {}): BufferPool<"u8"> => {
    const reports = lost; // this test's: the leases of an earlier one may be collected late
    return createBufferPool(core, {
      name: "p",
      dtype: "u8",
      shape: 8,
      initial: 0,
      max: 1000,
      onLeak: (report) => reports.push(report),
      ...more,
    });
  };

  it("lists every lease with owner, age and the acquiring stack", async () => {
    const leaky = pool({ leakDetection: "full", statistics: "times" });
    const lease = acquireFromHere(leaky);
    await pause(500); // long beside what a busy machine may take for the rest
    const other = attachCore(core.share());
    const theirs = openBufferPool(other, "p").acquire();
    const [mine, foreign] = checkLeaks(core, { olderThan: 0 });
    expect(mine).toMatchObject({ kind: "held", pool: "p", agent: 0, references: 1 });
    expect(mine!.age).toBeGreaterThan(400);
    expect(mine!.stack).toMatch(/acquireFromHere/);
    expect(foreign).toMatchObject({ agent: 1, stack: undefined });
    expect(checkLeaks(core, { olderThan: 400 })).toHaveLength(1);
    expect(describeLeak(mine!)).toMatch(
      /^pool "p": agent 0 holds a lease for \d+ ms \(references: 1\)\n.*acquireFromHere/s,
    );
    lease.release();
    theirs.release();
    expect(checkLeaks(core, { olderThan: 0 })).toEqual([]);
  });

  it("counts ages from the first look where no times are kept", async () => {
    const lease = pool().acquire();
    await pause(20);
    expect(checkLeaks(core, { olderThan: 10 })).toEqual([]);
    await pause(20);
    expect(checkLeaks(core, { olderThan: 10 })).toHaveLength(1);
    lease.release();
  });

  it("keeps the stack in full", () => {
    const deep = pool({ leakDetection: "full" });
    const descend = (levels: number): ReturnType<typeof deep.acquire> =>
      levels === 0 ? deep.acquire() : [descend(levels - 1)][0]!;
    const lease = descend(30);
    expect(checkLeaks(core, { olderThan: 0 })[0]!.stack!.match(/descend/g)!.length).toBeGreaterThanOrEqual(
      30,
    );
    lease.release();
  });

  it("reports a lost lease once a stack, however many are lost there", async () => {
    const leaky = pool({ leakDetection: "full" });
    for (let i = 0; i < 50; i++) leaky.acquire();
    await collectGarbage(() => leaky.stats().lost === 50);
    expect(leaky.stats()).toMatchObject({ lost: 50, inUse: 50 });
    expect(lost).toHaveLength(1);
    expect(lost[0]).toMatchObject({ kind: "lost", pool: "p" });
    const [report] = checkLeaks(core).filter(({ kind }) => kind === "lost");
    expect(report).toMatchObject({ count: 50 });
    expect(describeLeak(report!)).toMatch(/a lease was lost/);
  });

  it("follows one lease in 128 when sampled, and none when off", async () => {
    const sampled = pool({ leakDetection: "sampled" });
    const off = pool({ name: "off" });
    for (let i = 0; i < 384; i++) {
      sampled.acquire();
      off.acquire();
    }
    await collectGarbage(() => sampled.stats().lost === 3);
    expect(sampled.stats().lost).toBe(3);
    expect(off.stats().lost).toBe(0);
  });

  it("does not report what was released, retained or handed over", async () => {
    const fine = pool({ leakDetection: "full" });
    for (let i = 0; i < 100; i++) {
      const lease = fine.acquire();
      lease.retain().release();
      if (i % 2) fine.adopt(lease.handOver()).release();
      else lease.release();
    }
    const held = fine.acquire();
    await collectGarbage(() => false);
    expect(lost).toEqual([]);
    expect(fine.stats()).toMatchObject({ lost: 0, inUse: 1 });
    held.release();
  });

  it("lists a hundred at most", () => {
    const leaky = pool();
    const leases = Array.from({ length: 300 }, () => leaky.acquire());
    expect(checkLeaks(core, { olderThan: 0 })).toHaveLength(100);
    for (const lease of leases) lease.release();
  });

  it("checks at intervals, and reports each lease once", async () => {
    const leaky = pool({ statistics: "times" });
    const leases = [leaky.acquire(), leaky.acquire()];
    const seen: LeakReport[] = [];
    const stop = watchLeaks(core, { interval: 5, olderThan: 10, onLeak: (report) => seen.push(report) });
    for (let turn = 0; turn < 200 && seen.length < 2; turn++) await pause(5);
    await pause(50);
    expect(seen).toHaveLength(2);
    leases[0]!.release();
    leases[0] = leaky.acquire();
    for (let turn = 0; turn < 200 && seen.length < 3; turn++) await pause(5);
    stop();
    expect(seen).toHaveLength(3);
    for (const lease of leases) lease.release();
  });

  it("refuses bad limits", () => {
    expect(() => checkLeaks(core, { olderThan: -1 })).toThrow(InvalidArgumentError);
    expect(() => watchLeaks(core, { interval: 0 })).toThrow(/interval is 0/);
    expect(() => watchLeaks(core, { olderThan: Number.NaN })).toThrow(/olderThan is NaN/);
  });
});

function checkHeld(core: Core): LeakReport[] {
  return checkLeaks(core, { olderThan: 0 }).filter(({ kind }) => kind === "held");
}

/** Not a tail call, which would take this function off the stack in JavaScriptCore. */
function acquireFromHere(pool: BufferPool) {
  const lease = pool.acquire();
  return lease;
}
