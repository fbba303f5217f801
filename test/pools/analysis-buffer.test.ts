import { beforeEach, describe, expect, it } from "vitest";
import {
  type AnalysisBuffer,
  attachCore,
  type Core,
  CoreMemoryError,
  createAnalysisBuffer,
  createBufferPool,
  createCore,
  InvalidArgumentError,
  LeaseError,
  openAnalysisBuffer,
  openBufferPool,
  PoolClosedError,
  poolStatistics,
} from "../../src/index.ts";
import { dispose } from "../../src/pools/lease.ts";
import { BUILDS } from "../reference/builds.ts";

const ramp = (length: number, first = 0) => Float32Array.from({ length }, (_, i) => first + i);

/** Reads all windows that are ready: where each starts, and its samples. */
function drain(buffer: AnalysisBuffer): [number, number[]][] {
  const windows: [number, number[]][] = [];
  for (let window = buffer.read(); window; window = buffer.read()) {
    windows.push([window.start, [...window.view]]);
    window.release();
  }
  return windows;
}

describe.each(BUILDS)("an analysis buffer, $build", ({ threads }) => {
  let core: Core;

  beforeEach(async () => {
    core = await createCore({ memoryBytes: 2 ** 20, threads });
  });

  it("gives overlapping windows as samples come in, across the ring's end", () => {
    const buffer = createAnalysisBuffer(core, { name: "mic", window: 4, hop: 2, capacity: 10, maxWindow: 4 });
    expect(buffer.read()).toBeUndefined();
    expect(buffer.write(ramp(3))).toBe(3);
    expect(buffer.read()).toBeUndefined();
    for (let at = 3; at < 33; at += 3) {
      buffer.write(ramp(3, at));
      for (const [start, samples] of drain(buffer)) expect(samples).toEqual([...ramp(4, start)]);
    }
    expect(buffer.stats()).toMatchObject({
      written: 33,
      position: 30,
      buffered: 3,
      windows: 15,
      overwritten: 0,
      rejected: 0,
    });
  });

  it("overwrites the oldest when full, and counts what was never read", () => {
    const buffer = createAnalysisBuffer(core, { name: "mic", window: 4, capacity: 10, maxWindow: 4 });
    expect(buffer.write(ramp(25))).toBe(25); // longer than the ring
    expect(buffer.stats()).toMatchObject({ overwritten: 15, position: 15 });
    expect(drain(buffer)).toEqual([
      [15, [15, 16, 17, 18]],
      [19, [19, 20, 21, 22]],
    ]);
    expect(buffer.stats()).toMatchObject({ overwritten: 15, position: 23, written: 25, windows: 2 });
  });

  it("rejects what does not fit when told to, and counts it", () => {
    const options = { name: "mic", window: 4, capacity: 10, maxWindow: 4, whenFull: "reject" } as const;
    const buffer = createAnalysisBuffer(core, options);
    expect(buffer.write(ramp(8))).toBe(8);
    expect(buffer.write(ramp(3, 8))).toBe(0);
    expect(buffer.write(ramp(11, 8))).toBe(0);
    expect(buffer.write(ramp(2, 8))).toBe(2);
    expect(drain(buffer).map(([start]) => start)).toEqual([0, 4]);
    expect(buffer.stats()).toMatchObject({ written: 10, rejected: 14, overwritten: 0, position: 8 });
  });

  it("reads int16 as float32, at every place of the ring", () => {
    const buffer = createAnalysisBuffer(core, {
      name: "mic",
      dtype: "i16",
      window: 13,
      hop: 5,
      capacity: 31,
      maxWindow: 13,
    });
    const source = Int16Array.from({ length: 400 }, (_, i) => ((i * 7919) % 65536) - 32768);
    for (let at = 0; at < 400; at += 10) {
      buffer.write(source.subarray(at, at + 10));
      for (const [start, samples] of drain(buffer)) {
        expect(samples).toEqual([...source.subarray(start, start + 13)].map((x) => x / 32768));
      }
    }
    expect(buffer.stats().windows).toBe(78);
  });

  it("carries a sample over that a chunk of bytes cuts in two", () => {
    const buffer = createAnalysisBuffer(core, { name: "pipe", dtype: "i16", window: 100 });
    const source = Int16Array.from({ length: 100 }, (_, i) => 300 * i);
    const bytes = new Uint8Array(source.buffer);
    let taken = 0;
    for (let at = 0, length = 0; at < 200; at += length++)
      taken += buffer.writeBytes(bytes.subarray(at, at + length));
    expect(taken).toBe(100);
    expect(drain(buffer)[0]![1]).toEqual([...source].map((x) => x / 32768));
    const floats = createAnalysisBuffer(core, { name: "pipe32", window: 5 });
    const words = new Uint8Array(ramp(5).buffer);
    for (const byte of words) floats.writeBytes(Uint8Array.of(byte));
    expect(drain(floats)).toEqual([[0, [0, 1, 2, 3, 4]]]);
  });

  it("is reconfigured while it runs, without losing a sample", () => {
    const buffer = createAnalysisBuffer(core, { name: "mic", window: 4, maxWindow: 8 });
    buffer.write(ramp(20));
    expect(drain(buffer).slice(-1)).toEqual([[16, [16, 17, 18, 19]]]);
    buffer.reconfigure({ window: 8, hop: 3 });
    buffer.write(ramp(20, 20));
    expect(drain(buffer).map(([start, samples]) => [start, samples.length])).toEqual([
      [20, 8],
      [23, 8],
      [26, 8],
      [29, 8],
      [32, 8],
    ]);
    for (const wrong of [
      { window: 9 },
      { window: 0 },
      { window: 2.5 },
      { window: 4, hop: 0 },
      { window: 4, hop: Number.NaN },
    ]) {
      expect(() => buffer.reconfigure(wrong)).toThrow(InvalidArgumentError);
    }
    expect(buffer.stats()).toMatchObject({ window: 8, hop: 3 });
  });

  it("scales its window within its limits, with the same overlap", () => {
    const buffer = createAnalysisBuffer(core, { name: "mic", window: 400, hop: 100, maxWindow: 600 });
    expect(buffer.scaleWindow(0.75)).toBe(true);
    expect(buffer.stats()).toMatchObject({ window: 300, hop: 75 });
    for (let i = 0; i < 3; i++) buffer.scaleWindow(1.5);
    expect(buffer.stats().window).toBe(600);
    expect(buffer.scaleWindow(1.5)).toBe(false);
    for (let i = 0; i < 9; i++) buffer.scaleWindow(0.75);
    expect(buffer.stats().window).toBe(100);
  });

  it("keeps samples in the ring while every window is leased", () => {
    const buffer = createAnalysisBuffer(core, { name: "mic", window: 4, windows: 2 });
    buffer.write(ramp(12));
    expect(buffer.ready()).toBe(3);
    const [a, b] = [buffer.read()!, buffer.read()!];
    expect(buffer.read()).toBeUndefined();
    expect(buffer.stats().position).toBe(8);
    expect(buffer.pool.stats().exhausted).toBe(1);
    a.release();
    expect(() => a.view).toThrow(LeaseError);
    expect(() => a.release()).toThrow(LeaseError);
    {
      using third = buffer.read()!;
      expect(third.start).toBe(8);
    }
    b.release();
    expect(buffer.pool.stats().inUse).toBe(0);
  });

  it("tells the leases of one buffer apart, however often it is leased", () => {
    const buffer = createAnalysisBuffer(core, { name: "mic", window: 4, windows: 1 });
    buffer.write(ramp(8));
    const first = buffer.read()!;
    const { view } = first;
    first.release();
    const second = buffer.read()!;
    expect(second.view).toBe(view); // the same memory
    expect(() => first.view).toThrow(LeaseError);
    expect(() => first.release()).toThrow(LeaseError);
    first[dispose](); // WebKit has no Symbol.dispose
    expect([...second.view]).toEqual([4, 5, 6, 7]);
    second.release();
    expect(buffer.pool.stats()).toMatchObject({ inUse: 0, doubleReleases: 1 });
  });

  it("refuses to read from a pool of windows that was shut down", () => {
    const buffer = createAnalysisBuffer(core, { name: "mic", window: 4 });
    buffer.write(ramp(4));
    buffer.pool.shutdown();
    expect(() => buffer.read()).toThrow(PoolClosedError);
  });

  it("reads into arrays of the caller's, in the core's memory and elsewhere, without a lease", () => {
    const before = core.freeBytes();
    const buffer = createAnalysisBuffer(core, { name: "mic", window: 4, hop: 3, windows: 1 });
    const lease = createBufferPool(core, { name: "own", dtype: "f32", shape: 6, max: 1 }).acquire();
    const own = new Float32Array(6);
    expect(buffer.lastStart).toBe(0);
    buffer.write(ramp(20));
    const held = buffer.read()!; // every window is leased
    for (const [at, target] of [own, lease.view, lease.view.subarray(1), own, own.subarray(2)].entries()) {
      target.fill(-1);
      expect(buffer.readInto(target)).toBe(4);
      expect(buffer.lastStart).toBe(3 * (at + 1));
      expect([...target]).toEqual([...ramp(4, buffer.lastStart), -1, -1].slice(0, target.length));
    }
    expect(buffer.readInto(own)).toBe(0);
    buffer.reconfigure({ window: 2 });
    expect(buffer.readInto(own)).toBe(2);
    expect([...own.subarray(0, 2)]).toEqual([18, 19]);
    expect(buffer.pool.stats()).toMatchObject({ inUse: 1, exhausted: 0 });
    held.release();
    lease.release();
    buffer.shutdown();
    expect(() => buffer.readInto(own)).toThrow(PoolClosedError);
    expect(() => buffer.lastStart).toThrow(PoolClosedError);
    openBufferPool(core, "own").shutdown();
    expect(core.freeBytes()).toBe(before);
  });

  it("refuses a target that is no Float32Array or shorter than the window, and keeps the samples", () => {
    const buffer = createAnalysisBuffer(core, { name: "mic", window: 4 });
    buffer.write(ramp(4));
    expect(() => buffer.readInto(new Float32Array(3))).toThrow(
      /target holds 3 samples; give one for the window's 4/,
    );
    for (const wrong of [new Float64Array(4), [0, 0, 0, 0], undefined]) {
      expect(() => buffer.readInto(wrong as never)).toThrow(InvalidArgumentError);
    }
    expect(drain(buffer)).toEqual([[0, [0, 1, 2, 3]]]);
  });

  it("leaves gaps where the hop is longer than the window", () => {
    const buffer = createAnalysisBuffer(core, {
      name: "mic",
      window: 2,
      hop: 5,
      capacity: 8,
      whenFull: "reject",
    });
    for (let at = 0; at < 20; at += 4) {
      expect(buffer.write(ramp(4, at))).toBe(4);
      for (const [start, samples] of drain(buffer)) expect(samples).toEqual([start, start + 1]);
    }
    expect(buffer.stats().windows).toBe(4);
  });

  it("keeps several sources apart", () => {
    const sources = ["a", "b", "c"].map((name) => createAnalysisBuffer(core, { name, window: 4 }));
    for (const [i, source] of sources.entries()) source.write(ramp(4, 100 * i));
    for (const [i, source] of sources.entries()) expect(drain(source)).toEqual([[0, [...ramp(4, 100 * i)]]]);
  });

  it("refuses samples of another type", () => {
    const buffer = createAnalysisBuffer(core, { name: "mic", window: 4 });
    expect(() => buffer.write(new Int16Array(4))).toThrow(/samples are a Int16Array; give a Float32Array/);
    expect(() => buffer.writeBytes([1, 2] as never)).toThrow(InvalidArgumentError);
    expect(buffer.stats().written).toBe(0);
  });

  it("gives everything back", () => {
    const before = core.freeBytes();
    const buffer = createAnalysisBuffer(core, { name: "mic", window: 100 });
    buffer.write(ramp(100));
    const window = buffer.read()!;
    expect(buffer.shutdown()).toBe(1);
    expect(buffer.shutdown()).toBe(0);
    for (const use of [() => buffer.read(), () => buffer.write(ramp(1)), () => buffer.stats()]) {
      expect(use).toThrow(PoolClosedError);
    }
    window.release();
    expect(core.freeBytes()).toBe(before);
    createAnalysisBuffer(core, { name: "mic", window: 100 });
  });

  it.each([
    [{ window: 0 }, /window is 0/],
    [{ window: 1.5 }, /window is 1\.5/],
    [{ window: Number.NaN }, /window is NaN/],
    [{ window: 10, hop: 0 }, /hop is 0/],
    [{ window: 10, maxWindow: 9 }, /maxWindow is 9; give an integer from 10/],
    [{ window: 10, minWindow: 11 }, /minWindow is 11/],
    [{ window: 10, capacity: 15 }, /capacity is 15; give an integer from 20/],
    [{ window: 10, dtype: "u8" }, /dtype is "u8"/],
    [{ window: 10, whenFull: "wait" }, /whenFull is "wait"/],
    [{ window: 10, sampleRate: 0 }, /sampleRate is 0/],
    [{ window: 10, windows: 0 }, /max is 0/],
    [{ window: 10, name: "" }, /analysis buffer name is ""/],
  ])("refuses %o and takes nothing", (wrong, message) => {
    const before = core.freeBytes();
    const create = () => createAnalysisBuffer(core, { name: "mic", ...wrong } as never);
    expect(create).toThrow(InvalidArgumentError);
    expect(create).toThrow(message);
    expect(core.freeBytes()).toBe(before);
    expect(poolStatistics(core)).toEqual([]);
  });

  it("takes nothing when the core has no room, or the name is taken", () => {
    createAnalysisBuffer(core, { name: "mic", window: 4 });
    const before = core.freeBytes();
    expect(() => createAnalysisBuffer(core, { name: "mic", window: 4 })).toThrow(/exists already/);
    expect(() => createAnalysisBuffer(core, { name: "big", window: 50_000, capacity: 250_000 })).toThrow(
      CoreMemoryError,
    );
    expect(core.freeBytes()).toBe(before);
    expect(() => openAnalysisBuffer(core, "nope")).toThrow(/no analysis buffer "nope"/);
  });
});

describe("an analysis buffer between agents", () => {
  it("is written by one and read by the other", async () => {
    const core = await createCore({ memoryBytes: 2 ** 20, threads: true });
    const reader = createAnalysisBuffer(core, { name: "mic", window: 8 });
    const writer = openAnalysisBuffer(attachCore(core.share()), "mic");
    expect(writer).toMatchObject({ name: "mic", dtype: "f32", capacity: reader.capacity, sampleRate: 16000 });
    writer.write(ramp(8));
    expect(drain(reader)).toEqual([[0, [...ramp(8)]]]);
  });
});
