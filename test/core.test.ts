import { describe, expect, it } from "vitest";
import { CoreMemoryError, createBufferPool, createCore, InvalidArgumentError } from "../src/index.ts";

describe("createCore", () => {
  it("gives 64 MiB by default and rounds up to whole pages", async () => {
    expect((await createCore()).memoryBytes).toBe(64 * 2 ** 20);
    expect((await createCore({ memoryBytes: 200_000 })).memoryBytes).toBe(262_144);
  });

  it("never grows", async () => {
    const core = await createCore({ memoryBytes: 262_144 });
    const { buffer } = core;
    expect(() => core.memory.grow(1)).toThrow();
    expect(core.buffer).toBe(buffer);
    expect(buffer.byteLength).toBe(262_144);
  });

  it.each([0, -1, Number.NaN, 1.5, 1000, 2 ** 32])("refuses memoryBytes of %d", async (memoryBytes) => {
    await expect(createCore({ memoryBytes })).rejects.toThrow(InvalidArgumentError);
    await expect(createCore({ memoryBytes })).rejects.toThrow(String(memoryBytes));
  });

  it("lays its memory out once, for others to recognise", async () => {
    const core = await createCore({ memoryBytes: 262_144 });
    expect(core.exports.attach()).toBe(262_144);
    expect(core.exports.initialize(262_144)).toBe(0);
    new Uint32Array(core.buffer, 0, 1).fill(0x1234);
    expect(core.exports.attach()).toBe(0);
  });

  it("refuses options that are none", async () => {
    await expect(createCore(64 as never)).rejects.toThrow(/createCore: options are 64; give an object/);
  });

  it("keeps cores apart", async () => {
    const [a, b] = await Promise.all([createCore(), createCore()]);
    using x = createBufferPool(a, { name: "x", dtype: "f32", shape: 4, max: 1 }).acquire();
    using y = createBufferPool(b, { name: "x", dtype: "f32", shape: 4, max: 1 }).acquire();
    x.view.fill(1);
    y.view.fill(2);
    expect([...x.view]).toEqual([1, 1, 1, 1]);
  });

  it("decodes the core's abort messages", async () => {
    const core = await createCore({ memoryBytes: 262_144 });
    expect(() => core.exports.fftTableBuild(7, 65536)).toThrow(
      /fft: size not supported at assembly\/kernels\/fft\.ts/,
    );
  });

  it("counts what is left and says so when it is not enough", async () => {
    const core = await createCore({ memoryBytes: 262_144 });
    const before = core.freeBytes();
    const pool = { name: "big", dtype: "u8", shape: 100_000, max: 3 } as const;
    expect(() => createBufferPool(core, pool)).toThrow(CoreMemoryError);
    expect(() => createBufferPool(core, pool)).toThrow(
      /30\d{4} bytes, but only \d+ of the core's 262144 are free/,
    );
    expect(core.freeBytes()).toBe(before);
    createBufferPool(core, { ...pool, max: 2 });
    expect(core.freeBytes()).toBeLessThan(before - 200_000);
  });
});
