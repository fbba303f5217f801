import { beforeEach, describe, expect, it } from "vitest";
import {
  type Core,
  CoreMemoryError,
  createBufferPool,
  createCore,
  InvalidArgumentError,
  poolStatistics,
} from "../../src/index.ts";

describe("createBufferPool", () => {
  const fine = { name: "p", dtype: "f32", shape: 10, max: 2 } as const;
  let core: Core;

  beforeEach(async () => {
    core = await createCore({ memoryBytes: 2 ** 20 });
  });

  it.each([
    [{ shape: 0 }, /shape \[0\] has a dimension of 0/],
    [{ shape: -4 }, /shape \[-4\] has a dimension of -4/],
    [{ shape: 1.5 }, /dimension of 1\.5/],
    [{ shape: [2, Number.NaN] }, /shape \[2, NaN\] has a dimension of NaN/],
    [{ shape: [2000, 2000] }, /16000000 bytes in all; .* at most 1048576 bytes, the core's size/],
    [{ shape: 1e9 }, /pool "p": shape \[1000000000\]/],
    [{ shape: [] }, /1 to 4 dimensions/],
    // biome-ignore lint/suspicious/noSparseArray: what a caller's mistake may make
    [{ shape: [, 3] }, /shape \[undefined, 3\] has a dimension of undefined/],
    [{ shape: [10n] }, /dimension of 10/],
    [{ shape: [1, 1, 1, 1, 1] }, /1 to 4 dimensions/],
    [{ shape: "10" }, /shape is "10"/],
    [{ bytes: 44 }, /shape \[10\] of f32 takes 40 bytes, bytes says 44/],
    [{ shape: undefined }, /no size; give shape or bytes/],
    [{ shape: undefined, bytes: 0 }, /bytes is 0/],
    [{ shape: undefined, bytes: -4 }, /bytes is -4/],
    [{ shape: undefined, bytes: Number.NaN }, /bytes is NaN/],
    [{ shape: undefined, bytes: 6 }, /bytes is 6; give a multiple of 4/],
    [{ shape: undefined, bytes: 2 ** 21 }, /bytes is 2097152; .* to 1048576, the core's size/],
    [{ max: 0 }, /max is 0/],
    [{ max: -1 }, /max is -1/],
    [{ max: 4097 }, /max is 4097; give an integer from 1 to 4096/],
    [{ max: 2.5 }, /max is 2\.5/],
    [{ initial: -1 }, /initial is -1/],
    [{ initial: 3 }, /initial is 3; give no more than max, which is 2/],
    [{ name: "" }, /pool name is ""/],
    [{ name: "x".repeat(33) }, /1 to 32 characters/],
    [{ dtype: "f64" }, /dtype is "f64"/],
    [{ dtype: 10n }, /dtype is 10/],
    [{ zeroOnRelease: 1 }, /zeroOnRelease is 1/],
    [{ statistics: "some" }, /statistics is "some"/],
    [{ statistics: "off", adaptive: true }, /beside adaptive/],
    [{ queueLimit: -1 }, /queueLimit is -1/],
    [{ leakDetection: "paranoid" }, /leakDetection is "paranoid"/],
  ])("refuses %o", (wrong, message) => {
    const before = core.freeBytes();
    const create = () => createBufferPool(core, { ...fine, ...wrong } as never);
    expect(create).toThrow(InvalidArgumentError);
    expect(create).toThrow(message);
    expect(core.freeBytes()).toBe(before);
    expect(poolStatistics(core)).toEqual([]);
  });

  it("refuses a pool past the core's directory, naming the limit, and takes nothing", () => {
    for (let i = 0; i < 64; i++) createBufferPool(core, { ...fine, name: `p${i}` });
    const before = core.freeBytes();
    expect(() => createBufferPool(core, fine)).toThrow(/pool "p": the core has 64 pools already/);
    expect(core.freeBytes()).toBe(before);
  });

  it("refuses options that are none", () => {
    expect(() => createBufferPool(core, undefined as never)).toThrow(InvalidArgumentError);
  });

  it("refuses a name that is taken, and takes nothing", () => {
    createBufferPool(core, fine);
    const before = core.freeBytes();
    expect(() => createBufferPool(core, fine)).toThrow(/pool "p" exists already/);
    expect(core.freeBytes()).toBe(before);
    expect(poolStatistics(core)).toHaveLength(1);
  });

  it("takes nothing when the initial buffers do not fit", () => {
    const before = core.freeBytes();
    const create = () => createBufferPool(core, { ...fine, shape: 100_000, initial: 3, max: 3 });
    expect(create).toThrow(CoreMemoryError);
    expect(core.freeBytes()).toBe(before);
  });

  it("has 5 to 20 buffers unless told otherwise", () => {
    expect(createBufferPool(core, { name: "a", dtype: "u8", shape: 1 })).toMatchObject({
      initial: 5,
      max: 20,
    });
    expect(createBufferPool(core, { name: "b", dtype: "u8", shape: 1, max: 2 })).toMatchObject({
      initial: 2,
    });
    expect(createBufferPool(core, { name: "c", dtype: "u8", shape: 1, initial: 30 })).toMatchObject({
      max: 30,
    });
  });
});
