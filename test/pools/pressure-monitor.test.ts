import { beforeEach, describe, expect, it } from "vitest";
import {
  type AnalysisBuffer,
  type BufferPool,
  createAnalysisBuffer,
  createBufferPool,
  createCore,
  createPressureMonitor,
  InvalidArgumentError,
  type PressureEvent,
  type PressureSource,
} from "../../src/index.ts";

const MEGABYTE = 1_000_000;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A figure that the test sets. */
function dial(kind: PressureSource["kind"], threshold: number, critical: number) {
  const source = { name: kind, kind, threshold, critical, value: 0, read: () => source.value, stop() {} };
  return source;
}

describe("a pressure monitor", () => {
  let pool: BufferPool;
  let buffer: AnalysisBuffer;
  const memory = dial("memory", 100, 150);
  const cpu = dial("cpu", 0.8, 0.98);
  const actions = (events: PressureEvent[]) => events.map(({ action }) => action);

  beforeEach(async () => {
    const core = await createCore({ memoryBytes: 16 * 2 ** 20 });
    pool = createBufferPool(core, { name: "p", dtype: "u8", shape: MEGABYTE, initial: 1, max: 5 });
    buffer = createAnalysisBuffer(core, { name: "mic", window: 400, hop: 200, maxWindow: 800 });
    for (const lease of Array.from({ length: 5 }, () => pool.acquire())) lease.release();
    memory.value = 0;
    cpu.value = 0;
  });

  const monitor = (more: object = {}) =>
    createPressureMonitor({ pools: [pool], buffers: [buffer], sources: [memory, cpu], cooldown: 0, ...more });

  it("trims pools and shrinks windows above the memory threshold", () => {
    const watch = monitor();
    expect(watch.check()).toEqual([]);
    memory.value = 101;
    expect(watch.check()).toMatchObject([
      {
        action: "trim",
        source: "memory",
        value: 101,
        threshold: 100,
        recoveredBytes: 4 * MEGABYTE,
        windowsChanged: 1,
      },
    ]);
    expect(pool.stats().total).toBe(1);
    expect(buffer.stats()).toMatchObject({ window: 300, hop: 150 });
    expect(watch.pressure).toEqual(["memory 101 is above 100"]);
  });

  it("enlarges windows above the processor threshold, up to their longest", () => {
    const watch = monitor();
    cpu.value = 0.9;
    expect(watch.check()).toMatchObject([
      { action: "enlarge", source: "cpu", windowsChanged: 1, recoveredBytes: 0 },
    ]);
    expect(buffer.stats()).toMatchObject({ window: 600, hop: 300 });
    watch.check();
    watch.check();
    expect(buffer.stats().window).toBe(800);
    expect(pool.stats().total).toBe(5);
  });

  it("counts what it has done", () => {
    const watch = monitor();
    memory.value = 120;
    watch.check();
    watch.check(); // nothing left to free
    memory.value = 0;
    watch.check();
    expect(watch.stats()).toMatchObject({
      checks: 3,
      actions: { trim: 2, relieved: 1, emergency: 0 },
      successRate: 0.5,
      recoveredBytes: 4 * MEGABYTE,
    });
  });

  it("puts memory before the processor", () => {
    const watch = monitor();
    memory.value = 110;
    cpu.value = 0.9;
    expect(actions(watch.check())).toEqual(["trim"]);
    expect(buffer.stats().window).toBe(300);
    expect(watch.pressure).toHaveLength(2);
  });

  it("frees every unused buffer under critical pressure", () => {
    const held = pool.acquire();
    const watch = monitor();
    memory.value = 150;
    const events = watch.check();
    expect(actions(events)).toEqual(["emergency", "trim"]);
    expect(events[0]!.recoveredBytes).toBe(4 * MEGABYTE);
    expect(pool.stats()).toMatchObject({ total: 1, inUse: 1 });
    held.release();
    expect(watch.check()[0]!.recoveredBytes).toBe(MEGABYTE);
    expect(pool.stats().total).toBe(0);
  });

  it("does not flap: pressure ends well below the threshold, and windows come back then", () => {
    const watch = monitor();
    memory.value = 101;
    watch.check();
    memory.value = 95; // below the threshold, above 90 % of it
    expect(actions(watch.check())).toEqual(["trim"]);
    expect(watch.pressure).toHaveLength(1);
    memory.value = 89;
    expect(watch.check()).toMatchObject([{ action: "relieved", windowsChanged: 1 }]);
    expect(buffer.stats()).toMatchObject({ window: 400, hop: 200 });
    memory.value = 95;
    expect(watch.check()).toEqual([]);
  });

  it("acts once in a cool-down", async () => {
    const watch = monitor({ cooldown: 60 });
    memory.value = 120;
    expect(actions(watch.check())).toEqual(["trim"]);
    expect(watch.check()).toEqual([]);
    memory.value = 0;
    expect(watch.check()).toEqual([]); // windows stay until the cool-down has passed
    expect(buffer.stats().window).toBe(300);
    await pause(70);
    expect(actions(watch.check())).toEqual(["relieved"]);
    memory.value = 120;
    expect(actions(watch.check())).toEqual(["trim"]);
  });

  it("frees what lay idle, and only that", async () => {
    const watch = monitor({ idle: 30 });
    watch.check();
    await pause(40);
    for (const lease of [pool.acquire(), pool.acquire()]) lease.release();
    expect(watch.check()).toMatchObject([{ action: "idle", recoveredBytes: 3 * MEGABYTE }]);
    expect(pool.stats().total).toBe(2);
  });

  it("tells of each action, at intervals, until it is stopped", async () => {
    const events: PressureEvent[] = [];
    const watch = monitor({ interval: 5, onEvent: (event: PressureEvent) => events.push(event) });
    watch.start();
    watch.start();
    memory.value = 120;
    for (let turn = 0; turn < 200 && events.length === 0; turn++) await pause(5);
    watch.stop();
    expect(events[0]).toMatchObject({ action: "trim", milliseconds: expect.any(Number) });
    const { length } = events;
    await pause(30);
    expect(events).toHaveLength(length);
  });

  it("leaves pools and buffers alone that were shut down", () => {
    const watch = monitor();
    pool.shutdown();
    buffer.shutdown();
    memory.value = 200;
    expect(actions(watch.check())).toEqual(["emergency", "trim"]);
  });

  it("reads the runtime's own figures", async () => {
    const watch = createPressureMonitor({
      pools: () => [pool],
      memoryThreshold: 3 * MEGABYTE,
      processThreshold: 1e12,
      cpuThreshold: 10,
    });
    expect(watch.check()).toMatchObject([{ action: "trim", source: "pool bytes", value: 4 * MEGABYTE }]);
    watch.stop();
    // Little, so that a machine with other work to do reaches it too.
    const busy = createPressureMonitor({ cpuThreshold: 0.02 });
    const end = performance.now() + 300;
    while (performance.now() < end);
    busy.check();
    expect(busy.pressure.join()).toMatch(/(cpu|event loop) [\d.]+ is above 0\.02/);
    busy.stop();
  });

  it.each([
    { memoryThreshold: 0 },
    { cpuThreshold: Number.NaN },
    { interval: -1 },
    { interval: 2 ** 40 },
    { hysteresis: 5 },
    { criticalFactor: 0.1 },
    { hysteresis: "0.9" },
    { idle: Number.POSITIVE_INFINITY },
  ])("refuses %o", (wrong) => {
    expect(() => createPressureMonitor(wrong as never)).toThrow(InvalidArgumentError);
    expect(() => createPressureMonitor(wrong as never)).toThrow(
      /pressure monitor: \w+ is .*; give a (positive )?number/,
    );
  });
});
