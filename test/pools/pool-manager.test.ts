import { beforeEach, describe, expect, it } from "vitest";
import {
  CoreMemoryError,
  createCore,
  createPoolManager,
  defaultPoolManager,
  InvalidArgumentError,
  LeaseError,
  PoolClosedError,
  type PoolManager,
  poolPreset,
} from "../../src/index.ts";
import { BUILDS } from "../reference/builds.ts";

const POOLS = {
  mel: { shape: [80, 3000], initial: 1, max: 2 },
  audio: { shape: 480_000, initial: 1, max: 2, zeroOnRelease: true },
  encoder_output: { shape: [1500, 384], max: 1 },
  fft: { dtype: "complex64", shape: [3000, 201], initial: 0, max: 1 },
} as const;

describe.each(BUILDS)("a pool manager, $build", ({ threads }) => {
  let manager: PoolManager;

  beforeEach(async () => {
    manager = await createPoolManager({ pools: POOLS, threads });
  });

  it("leases and takes back by name", () => {
    const mel = manager.acquire("mel");
    expect(mel.view.byteLength).toBe(960_000);
    expect(mel.shape).toEqual([80, 3000]);
    const fft = manager.tryAcquire("fft")!;
    expect(fft.view.length).toBe(2 * 3000 * 201);
    expect(manager.tryAcquire("fft")).toBeUndefined();
    manager.release("mel", mel);
    expect(manager.put("fft", fft)).toBe(true);
    expect(manager.put("fft", null)).toBe(false);
    expect(manager.stats()).toMatchObject({
      mel: { acquires: 1, releases: 1, inUse: 0 },
      fft: { exhausted: 1, ignored: 1, misses: 1 },
    });
  });

  it("waits by name", async () => {
    const held = manager.acquire("encoder_output");
    const waited = manager.acquireAsync("encoder_output", { timeout: 1000 });
    held.release();
    (await waited).release();
    await expect(manager.acquireAsync("nope")).rejects.toThrow(/no pool "nope"/);
  });

  it("names an unknown pool and those that there are", () => {
    const unknown = /no pool "mle"; there are "mel", "audio", "encoder_output", "fft"/;
    expect(() => manager.acquire("mle")).toThrow(unknown);
    expect(() => manager.acquire("mle")).toThrow(InvalidArgumentError);
    expect(() => manager.put("mle", null)).toThrow(unknown);
  });

  it("refuses a lease of another of its pools", () => {
    const mel = manager.acquire("mel");
    expect(() => manager.release("audio", mel)).toThrow(LeaseError);
    expect(manager.stats()).toMatchObject({ audio: { foreignReleases: 1 }, mel: { inUse: 1 } });
    mel.release();
  });

  it("refuses to configure a pool twice, and takes nothing", () => {
    const before = manager.core.freeBytes();
    expect(() => manager.configure({ extra: { shape: 10 }, mel: { shape: 10 } })).toThrow(
      /pool "mel" is configured already/,
    );
    expect(manager.core.freeBytes()).toBe(before);
    expect(() => manager.pool("extra")).toThrow();
    manager.configure({ extra: { shape: 10 } });
    expect(manager.pool("extra").length).toBe(10);
  });

  it("reads JSON and YAML", () => {
    manager.configure('{"json": {"dtype": "i16", "shape": [2, 3], "max": 4}}');
    manager.configure("yaml:\n  dtype: u8\n  bytes: 100\n  initial: 1\n  max: 3\n  zeroOnRelease: true\n");
    expect(manager.pool("json")).toMatchObject({ dtype: "i16", shape: [2, 3], max: 4 });
    expect(manager.pool("yaml")).toMatchObject({ dtype: "u8", bytes: 100, initial: 1, zeroOnRelease: true });
  });

  it.each([
    ["a: [1, 2", /neither YAML nor JSON/],
    ["{]", /neither YAML nor JSON/],
    ["just words", /the configuration is "just words"/],
    ["- mel\n- audio", /the configuration is a Array/],
    ["mel2: 5", /pool "mel2": settings are 5/],
    ["x: { size: 100 }", /pool "x": there is no setting "size"; there are dtype, shape/],
    ["x: { shape: 8, max: }", /pool "x": max is empty/],
    ["x: { shape: 0 }", /pool "x": shape \[0\]/],
    ["x: { shape: .nan }", /dimension of NaN/],
    ["x: { shape: 8, bytes: 36 }", /pool "x": shape \[8\] of f32 takes 32 bytes, bytes says 36/],
    ["x: { shape: 8, initial: 3, max: 2 }", /initial is 3; give no more than max/],
  ])("refuses %j and stays as it was", (text, message) => {
    const before = manager.core.freeBytes();
    expect(() => manager.configure(text)).toThrow(InvalidArgumentError);
    expect(() => manager.configure(text)).toThrow(message);
    expect(manager.core.freeBytes()).toBe(before);
    expect(manager.pools).toHaveLength(4);
  });

  it("is healthy, and degraded with reasons", async () => {
    expect(manager.health()).toMatchObject({ status: "healthy", reasons: [] });
    const fft = manager.acquire("fft");
    const mel = manager.acquire("mel");
    manager.health({ olderThan: 0 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { status, reasons, pools } = manager.health({ olderThan: 10, pressure: ["cpu 0.9 is above 0.8"] });
    expect(status).toBe("degraded");
    expect(reasons).toEqual([
      'pool "mel": 1 leases held too long',
      'pool "fft": exhausted, all 1 buffers are leased',
      'pool "fft": 1 leases held too long',
      "pressure: cpu 0.9 is above 0.8",
    ]);
    expect(pools.mel).toMatchObject({ utilization: 0.5, hitRate: 1 });
    fft.release();
    mel.release();
    const [a, b] = [manager.acquire("mel"), manager.acquire("mel")];
    a.release();
    b.release();
    for (let i = 0; i < 60; i++) {
      manager.pool("mel").trim();
      const both = [manager.acquire("mel"), manager.acquire("mel")];
      for (const lease of both) lease.release();
    }
    expect(manager.health().reasons).toEqual(['pool "mel": hit rate 50.4 % is below 90 %; raise initial']);
  });

  it("tells Prometheus", () => {
    manager.configure({ 'odd "name"': { dtype: "u8", shape: 1, max: 1, statistics: "times" } });
    manager.acquire('odd "name"').release();
    manager.acquire("mel").release();
    const text = manager.toPrometheus();
    expect(text).toContain("# TYPE wavepool_pool_acquires_total counter\n");
    expect(text).toContain('\nwavepool_pool_acquires_total{pool="mel"} 1\n');
    expect(text).toContain('\nwavepool_pool_buffers_max{pool="odd \\"name\\""} 1\n');
    expect(text).toContain('\nwavepool_pool_hold_seconds_bucket{pool="odd \\"name\\"",le="+Inf"} 1\n');
    expect(text).not.toContain('wavepool_pool_hold_seconds_count{pool="mel"}');
    assertExposition(text);
  });

  it("prints a table", () => {
    manager.acquire("mel").release();
    let printed = "";
    manager.print((text) => {
      printed += text;
    });
    const [head, mel, ...rest] = printed.split("\n");
    expect(head).toMatch(/^pool +total\/max +in use/);
    expect(mel).toMatch(/^mel +1\/2 +0 +1 +1 +1 +100\.0/);
    expect(rest).toHaveLength(3);
    expect(new Set(printed.split("\n").map((line) => line.length)).size).toBe(1);
  });

  it("clears, trims and shuts down, reporting what is held", () => {
    const held = manager.acquire("audio");
    manager.acquire("mel").release();
    expect(manager.trim()).toBe(0);
    expect(manager.clear()).toBe(960_000 + 1_536_000 * 1.5 + 0);
    const reports = manager.shutdown();
    expect(reports).toMatchObject([{ kind: "held", pool: "audio", references: 1, agent: 0 }]);
    expect(manager.shutdown()).toEqual([]);
    for (const use of [() => manager.acquire("mel"), () => manager.stats(), () => manager.configure({})]) {
      expect(use).toThrow(PoolClosedError);
    }
    expect(held.view.length).toBe(480_000);
    held.release();
  });
});

/** Each line of the text exposition format is a comment, or name{labels} value; a family's lines follow its TYPE. */
function assertExposition(text: string): void {
  expect(text.endsWith("\n")).toBe(true);
  let family = "";
  for (const line of text.trimEnd().split("\n")) {
    const [, kind, name] = /^# (HELP|TYPE) (\S+) ./.exec(line) ?? [];
    if (kind) {
      family = name!;
      continue;
    }
    const sample = /^([a-z_]+)\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)+\} (\S+)$/.exec(line);
    expect(sample, line).not.toBeNull();
    expect(sample![1]!.startsWith(family), line).toBe(true);
    expect(Number(sample![2]), line).not.toBeNaN();
  }
}

describe("memory for a manager's pools", () => {
  it("is computed, and refused above the cap before anything is taken", async () => {
    const core = await createCore({ memoryBytes: 8 * 2 ** 20 });
    const manager = await createPoolManager({ core, cap: 5_000_000 });
    const before = core.freeBytes();
    const config = {
      mel: { shape: [80, 3000], initial: 1, max: 3 },
      audio: { shape: 480_000, initial: 1, max: 2 },
    };
    expect(() => manager.configure(config)).toThrow(
      /the pools would take 67\d{5} bytes at their max \("mel" 28\d+, "audio" 38\d+\), the cap is 5000000/,
    );
    expect(core.freeBytes()).toBe(before);
    manager.configure({ mel: config.mel });
    expect(() => manager.configure({ audio: config.audio })).toThrow(/the cap is 5000000/);
    expect(manager.pools.map(({ name }) => name)).toEqual(["mel"]);
  });

  it("is the core's free memory unless a cap is given", async () => {
    const core = await createCore({ memoryBytes: 2 ** 20 });
    const manager = await createPoolManager({ core });
    expect(() => manager.configure({ a: { bytes: 600_000, initial: 0, max: 2 } })).toThrow(
      /the cap is 10\d{5}/,
    );
  });

  it("takes nothing when a pool after the first does not fit", async () => {
    const core = await createCore({ memoryBytes: 2 ** 20 });
    const manager = await createPoolManager({ core, cap: 10_000_000 });
    const before = core.freeBytes();
    expect(() =>
      manager.configure({ a: { bytes: 400_000, max: 1 }, b: { bytes: 400_000, initial: 2, max: 2 } }),
    ).toThrow(CoreMemoryError);
    expect(core.freeBytes()).toBe(before);
    expect(manager.pools).toEqual([]);
  });

  it.each(["small", "medium", "large"] as const)("is enough for the %s preset", async (preset) => {
    const manager = await createPoolManager({ preset });
    const stats = Object.values(manager.stats());
    expect(stats.map(({ name }) => name)).toEqual(["mel", "audio", "encoder_output", "fft"]);
    const leases = stats.flatMap(({ name, max }) => Array.from({ length: max }, () => manager.acquire(name)));
    expect(manager.pools.every((pool) => pool.stats().inUse === pool.max)).toBe(true);
    for (const lease of leases) lease.release();
  });

  it("follows the model", () => {
    expect(poolPreset("small", { width: 1280, mels: 128 })).toMatchObject({
      mel: { shape: [128, 3000] },
      encoder_output: { shape: [1500, 1280] },
    });
    expect(() => poolPreset("huge" as "large")).toThrow(/preset is "huge"/);
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses a cap of %d", async (cap) => {
    await expect(createPoolManager({ cap })).rejects.toThrow(InvalidArgumentError);
  });
});

describe("the default manager", () => {
  it("is one for the whole process, configured by whoever comes first", async () => {
    await expect(defaultPoolManager({ cap: -1 })).rejects.toThrow(/cap is -1/);
    const first = await defaultPoolManager({ pools: { mel: { shape: 10 } } });
    expect(await defaultPoolManager()).toBe(first);
    expect(() => defaultPoolManager({})).toThrow(/exists already/);
  });
});
