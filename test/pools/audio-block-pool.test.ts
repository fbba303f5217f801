import { beforeEach, describe, expect, it } from "vitest";
import {
  type AudioBlockPool,
  attachCore,
  type Core,
  createAudioBlockPool,
  createBufferPool,
  createCore,
  InvalidArgumentError,
  openAudioBlockPool,
  openBufferPool,
} from "../../src/index.ts";
import { BUILDS } from "../reference/builds.ts";

const ramp = (length: number, first = 0) => Float32Array.from({ length }, (_, i) => first + i);

describe.each(BUILDS)("an audio block pool, $build", ({ threads }) => {
  let core: Core;
  let pool: AudioBlockPool;

  beforeEach(async () => {
    core = await createCore({ memoryBytes: 2 ** 20, threads });
    pool = createAudioBlockPool(core, { name: "blocks" });
  });

  it("has 16 blocks of 2 × 512 unless told otherwise, each with memory of its own", () => {
    expect(pool).toMatchObject({ channels: 2, frames: 512, blocks: 16 });
    const blocks = Array.from({ length: 16 }, () => pool.acquire());
    for (const [i, block] of blocks.entries()) for (const c of [0, 1]) pool.channel(block, c).fill(2 * i + c);
    for (const [i, block] of blocks.entries()) {
      for (const c of [0, 1]) expect(pool.channel(block, c).every((x) => x === 2 * i + c)).toBe(true);
      expect(pool.release(block)).toBe(true);
    }
    expect(pool.stats()).toMatchObject({ acquires: 16, releases: 16, inUse: 0, peakInUse: 16 });
  });

  it("gives 0, not an error, when exhausted", () => {
    const blocks = Array.from({ length: 16 }, () => pool.acquire());
    expect(blocks).not.toContain(0);
    expect(pool.acquire()).toBe(0);
    for (const block of blocks) pool.release(block);
    expect(pool.stats().exhausted).toBe(1);
  });

  it("does nothing with a block that is not in use, and counts it", () => {
    const block = pool.acquire();
    pool.release(block);
    const samples = [ramp(8)];
    for (const wrong of [0, -1, block, 2 ** 30]) {
      expect(pool.release(wrong)).toBe(false);
      expect(pool.retain(wrong)).toBe(false);
      expect(pool.adopt(wrong)).toBe(false);
      expect(pool.clear(wrong)).toBe(false);
      expect(pool.channel(wrong, 0)).toHaveLength(0);
      expect(pool.copyFrom(wrong, samples)).toBe(0);
      expect(pool.copyTo(wrong, samples)).toBe(0);
    }
    expect([...samples[0]!]).toEqual([...ramp(8)]);
    const { inUse, doubleReleases, foreignReleases, staleUses } = pool.stats();
    expect([inUse, doubleReleases + foreignReleases + staleUses]).toEqual([0, 4 * 7]);
  });

  it("shares a block between voices through references", () => {
    const block = pool.acquire();
    expect(pool.retain(block)).toBe(true);
    expect(pool.release(block)).toBe(true);
    expect(pool.stats().inUse).toBe(1);
    expect(pool.release(block)).toBe(true);
    expect(pool.release(block)).toBe(false);
    expect(pool.stats()).toMatchObject({ inUse: 0, releases: 1, doubleReleases: 1 });
  });

  it("clears", () => {
    const block = pool.acquire();
    pool.channel(block, 1).fill(1);
    expect(pool.clear(block)).toBe(true);
    expect(pool.channel(block, 1).every((x) => x === 0)).toBe(true);
    expect(pool.channel(block, 2)).toHaveLength(0);
    expect(pool.channel(block, -1)).toHaveLength(0);
    pool.release(block);
  });

  it("copies quanta in and out at offsets, and silences channels that the source lacks", () => {
    const block = pool.acquire();
    pool.channel(block, 1).fill(9);
    for (let quantum = 0; quantum < 4; quantum++) {
      expect(pool.copyFrom(block, [ramp(128, 128 * quantum)], 128 * quantum)).toBe(128);
    }
    expect([...pool.channel(block, 0)]).toEqual([...ramp(512)]);
    expect(pool.channel(block, 1).every((x) => x === 0)).toBe(true);
    expect(pool.copyFrom(block, [ramp(128)], 500)).toBe(12);
    expect(pool.copyFrom(block, [ramp(128)], 512)).toBe(0);
    expect(pool.copyFrom(block, [ramp(1000)], 0, 900)).toBe(100);
    expect(pool.copyFrom(block, [])).toBe(0);
    expect(pool.copyFrom(block, [ramp(8)], Number.NaN)).toBe(0);
    const out = [new Float32Array(128).fill(5), new Float32Array(128).fill(5), new Float32Array(128).fill(5)];
    expect(pool.copyTo(block, out, 0, 28)).toBe(100);
    expect(out[0]!.subarray(27, 30)).toEqual(Float32Array.of(5, 900, 901));
    expect([out[1]![28], out[2]![28], out[2]![27]]).toEqual([0, 0, 5]);
    pool.release(block);
  });

  it("is found by its name, and keeps its places however it is trimmed", () => {
    const same = openAudioBlockPool(core, "blocks");
    const block = pool.acquire();
    pool.channel(block, 0).fill(3);
    expect(same.channel(block, 0)[511]).toBe(3);
    pool.release(block);
    expect(openBufferPool(core, "blocks").trim({ keep: 0 })).toBe(0);
    expect(pool.stats().total).toBe(16);
    createBufferPool(core, { name: "other", dtype: "u8", shape: 4 });
    expect(() => openAudioBlockPool(core, "other")).toThrow(/pool "other" holds "u8" of shape \[4\]/);
  });

  it("closes", () => {
    const block = pool.acquire();
    expect(pool.shutdown()).toBe(1);
    expect(pool.acquire()).toBe(0);
    expect(pool.release(block)).toBe(true);
  });

  it("touches nothing after its memory has gone back", () => {
    const block = pool.acquire();
    pool.release(block);
    pool.shutdown();
    const before = Uint8Array.from(new Uint8Array(core.buffer));
    expect(pool.acquire()).toBe(0);
    for (const use of [pool.retain, pool.release, pool.adopt, pool.handOver, pool.clear]) {
      expect(use.call(pool, block)).toBe(false);
    }
    expect(pool.channel(block, 0)).toHaveLength(0);
    expect(pool.copyFrom(block, [ramp(8)])).toBe(0);
    const after = new Uint8Array(core.buffer);
    expect(before.findIndex((byte, i) => byte !== after[i])).toBe(-1);
  });

  it("copies nothing from what has no samples", () => {
    const block = pool.acquire();
    for (const source of [undefined, null, [undefined]])
      expect(pool.copyFrom(block, source as never)).toBe(0);
    expect(pool.copyFrom(block, [ramp(8)], 0.5)).toBe(0);
    expect(pool.copyFrom(block, [ramp(8), ramp(3)])).toBe(3);
    pool.release(block);
  });

  it.each([[{ channels: 0 }], [{ frames: 0.5 }], [{ blocks: 0 }], [{ blocks: 4097 }], [{ name: "" }]])(
    "refuses %o",
    (wrong) => {
      expect(() => createAudioBlockPool(core, { name: "x", ...wrong })).toThrow(InvalidArgumentError);
    },
  );
});

describe("audio blocks between agents", () => {
  it("are passed on by number", async () => {
    const core = await createCore({ memoryBytes: 2 ** 20, threads: true });
    const here = createAudioBlockPool(core, { name: "blocks" });
    const other = attachCore(core.share());
    const there = openAudioBlockPool(other, "blocks");
    const block = here.acquire();
    here.copyFrom(block, [ramp(512)]);
    expect(there.adopt(block)).toBe(true);
    expect(there.channel(block, 0)[100]).toBe(100);
    expect(core.reclaim(other.agent)).toMatchObject({ leases: 1, complete: true });
    expect(here.release(block)).toBe(false);
  });
});
