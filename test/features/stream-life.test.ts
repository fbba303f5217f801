import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { takeRegion } from "../../src/core/core.ts";
import { planOf } from "../../src/features/plan.ts";
import {
  attachCore,
  CoreMemoryError,
  checkLeaks,
  createCore,
  createFft,
  createFrontEnd,
  InvalidArgumentError,
  LeaseError,
  NonFiniteSamplesError,
  PRESETS,
  poolStatistics,
} from "../../src/index.ts";
import { whiteNoise } from "../reference/signals.ts";
import { firstDifference } from "./compare.ts";
import { createWorkbench, type Workbench } from "./workbench.ts";

const SEED = 91;
const PROBE = fileURLToPath(new URL("stream-allocation-probe.mjs", import.meta.url));
/** The probe's own two readings of the heap take a few hundred bytes, spread over the calls. */
const PROBE_NOISE = 2;

let bench: Workbench;

beforeAll(async () => {
  bench = await createWorkbench();
});

describe("the life of a stream", () => {
  it("refuses samples after flush until it is reset", () => {
    using stream = bench.frontEnd({ preset: "kaldi-80" }).stream();
    using out = bench.features.acquire();
    const samples = whiteNoise(2000, SEED);
    stream.push(samples);
    stream.flush();
    const push = () => stream.push(samples);
    expect(push).toThrow(InvalidArgumentError);
    expect(push).toThrow("stream of kaldi-80: pushed after flush, at 2000 samples; reset it first");
    expect(stream.read(out.view)).toBe(11);
    const first = out.view.slice(0, 880);
    stream.reset();
    expect([stream.frames, stream.firstFrame, stream.samples]).toEqual([0, 0, 0]);
    expect(stream.read(out.view)).toBe(0);
    stream.push(samples);
    stream.flush();
    expect(stream.read(out.view)).toBe(11);
    expect(firstDifference(out.view.slice(0, 880), first), `seed ${SEED}`).toBe(-1);
  });

  it("flushes nothing to no frames, and to silence where it is padded", () => {
    using kaldi = bench.frontEnd({ preset: "kaldi-80" }).stream();
    expect([kaldi.flush(), kaldi.frames]).toEqual([0, 0]);
    using whisper = bench.frontEnd({ preset: "whisper-80" }).stream();
    expect(whisper.push(new Float32Array(0))).toBe(0);
    expect(whisper.flush()).toBe(3000);
    using out = bench.features.acquire();
    expect(whisper.read(out.view)).toBe(3000);
    expect(out.view.subarray(0, 240000).every((x) => x === -1.5)).toBe(true);
  });

  it("refuses frames that are past, not there yet, or no numbers", () => {
    using stream = bench.frontEnd({ preset: "kaldi-80" }).stream({ frames: 5 });
    using out = bench.features.acquire();
    stream.push(whiteNoise(3000, SEED)); // 17 frames
    expect([stream.firstFrame, stream.frames]).toEqual([12, 17]);
    const windows: [number, number][] = [
      [11, 1],
      [12, 6],
      [17, 1],
      [-1, 1],
      [12.5, 1],
      [12, -1],
      [Number.NaN, 1],
      [12, Number.NaN],
    ];
    for (const [first, count] of windows) {
      const read = () => stream.read(out.view, first, count);
      expect(read, `${first} ${count}`).toThrow(InvalidArgumentError);
      expect(read, `${first} ${count}`).toThrow(/are asked for; there are 12 to 17/);
    }
    expect(stream.read(out.view, 12, 5)).toBe(5);
    expect(stream.read(out.view, 17, 0)).toBe(0);
    expect(() => stream.read(out.view.subarray(0, 399), 12, 5)).toThrow(
      /out holds 399 values; 5 × 80 need 400/,
    );
    expect(() => stream.read(new Float32Array(400), 12, 5)).toThrow(/a view of another memory/);
  });

  it("is over after close", () => {
    const stream = bench.frontEnd({ preset: "kaldi-80" }).stream();
    using out = bench.features.acquire();
    stream.push(whiteNoise(2000, SEED));
    stream.close();
    stream.close();
    const calls = [
      () => stream.push(new Float32Array(1)),
      () => stream.push(new Float32Array(0)),
      () => stream.flush(),
      () => stream.read(out.view),
      () => stream.reset(),
    ];
    for (const call of calls) expect(call).toThrow(LeaseError);
  });

  it("shows as a leak until it is closed", async () => {
    const core = await createCore();
    const stream = createFrontEnd(core, { preset: "whisper-80" }).stream();
    const { name } = poolStatistics(core).find(({ inUse }) => inUse === 1)!;
    expect(name).toMatch(/^streams \d+ KiB$/);
    expect(checkLeaks(core, { olderThan: 0 })).toMatchObject([{ pool: name }]);
    stream.close();
    expect(checkLeaks(core, { olderThan: 0 })).toEqual([]);
    expect(poolStatistics(core).every(({ inUse }) => inUse === 0)).toBe(true);
    core.leave();
  });

  it("of a hundred sizes one after the other takes a buffer for each power of two, once", async () => {
    const core = await createCore();
    const made = createFrontEnd(core, { preset: "kaldi-80" });
    const all = () => {
      for (let frames = 10; frames <= 1000; frames += 10) made.stream({ frames }).close();
    };
    all();
    const free = core.freeBytes();
    expect(poolStatistics(core).length).toBeLessThan(8);
    all();
    expect(core.freeBytes()).toBe(free);
    core.leave();
  });

  it("leaves nothing behind when its agent leaves, nor a pool when it is reclaimed", async () => {
    const core = await createCore({ threads: true });
    const visit = (leave: boolean) => {
      const other = attachCore(core.share());
      const stream = createFrontEnd(other, { preset: "kaldi-80" }).stream({ frames: 10 });
      createFft(other, { size: 512, kind: "real" });
      if (!leave) return core.reclaim(other.agent);
      stream.close();
      other.leave();
    };
    visit(true);
    const free = core.freeBytes();
    for (let i = 0; i < 70; i++) visit(true);
    expect(core.freeBytes()).toBe(free);
    for (let i = 0; i < 70; i++) visit(false);
    expect(poolStatistics(core)).toHaveLength(1);
    expect(poolStatistics(core)[0]).toMatchObject({ inUse: 0 });
  });

  it("refuses to be made of what cannot be", () => {
    const kaldi = bench.frontEnd({ preset: "kaldi-80" });
    for (const frames of [0, -1, 1.5, 2 ** 21, Number.NaN, "9" as unknown as number])
      expect(() => kaldi.stream({ frames })).toThrow(/^frames is .*; give an integer from 1 to 1048576/);
    expect(() => kaldi.stream(5 as never)).toThrow(InvalidArgumentError);
    expect(() => bench.frontEnd({ preset: "wav2vec2" }).stream()).toThrow(/wav2vec2 has no frames to stream/);
    const free = bench.core.freeBytes();
    const large = () => kaldi.stream({ frames: 2 ** 20 });
    expect(large).toThrow(CoreMemoryError);
    expect(large).toThrow(/stream of kaldi-80 needs 335544320 bytes, but only \d+ of the core's 67108864/);
    // 64 × 2^20 frames of 80 values are more bytes than 32 bits count.
    const stacking = { frames: 64, step: 64 };
    const wide = bench.frontEnd({ preset: { ...PRESETS["kaldi-80"], stacking } });
    const taken = bench.core.freeBytes();
    expect(() => wide.stream({ frames: 2 ** 20 })).toThrow(CoreMemoryError);
    expect(bench.core.freeBytes()).toBe(taken);
    expect(taken).toBeLessThan(free);
  });

  it("allocates nothing to push, to read and to compute", () => {
    const flags = ["--expose-gc", "--max-semi-space-size=64", "--min-semi-space-size=64"];
    const out = execFileSync(process.execPath, [...flags, PROBE], { encoding: "utf8" });
    for (const [what, bytes] of Object.entries(JSON.parse(out) as Record<string, number>))
      expect(bytes, what).toBeLessThanOrEqual(PROBE_NOISE);
  });
});

describe("samples that are no numbers", () => {
  it("are refused with their block, which leaves the stream as it was", () => {
    using stream = bench.frontEnd({ preset: "kaldi-80" }).stream();
    using out = bench.features.acquire();
    const samples = whiteNoise(4000, SEED);
    stream.push(samples, 1500);
    const block = samples.slice(1500);
    block[700] = Number.NaN;
    block[900] = Number.NEGATIVE_INFINITY;
    const push = () => stream.push(block);
    expect(push).toThrow(NonFiniteSamplesError);
    expect(push).toThrow(/2 of 2500 samples are NaN or infinite, the first at index 700/);
    expect([stream.samples, stream.frames]).toEqual([1500, 7]);
    stream.push(samples.subarray(1500));
    const frames = stream.read(out.view);
    const expected = bench.compute({ preset: "kaldi-80" }, samples);
    expect(firstDifference(out.view.slice(0, frames * 80), expected)).toBe(-1);
  });

  it("are zeroed or passed, as compute does it, and counted", () => {
    const samples = whiteNoise(6000, SEED);
    samples[1700] = Number.NaN;
    samples[4000] = Number.POSITIVE_INFINITY;
    for (const nonFinite of ["zero", "pass"] as const) {
      for (const preset of ["kaldi-80", "nemo-80", "whisper-80", "silero"] as const) {
        const options = { preset, nonFinite, ...(preset === "whisper-80" ? { pad: false } : {}) };
        const made = createFrontEnd(bench.core, options);
        using stream = made.stream();
        using out = bench.features.acquire();
        for (let at = 0; at < 6000; at += 128) stream.push(samples.subarray(at, Math.min(6000, at + 128)));
        stream.flush();
        const frames = stream.read(out.view);
        const streamed = out.view.slice(0, frames * made.features);
        expect(stream.nonFiniteSamples).toBe(2);
        const whole = bench.compute(options, samples);
        const plain = streamed.map((x) => (Number.isNaN(x) ? -999 : x));
        expect(
          firstDifference(
            plain,
            whole.map((x) => (Number.isNaN(x) ? -999 : x)),
          ),
          `${preset} ${nonFinite}`,
        ).toBe(-1);
        expect(whole.some(Number.isNaN)).toBe(nonFinite === "pass");
      }
    }
  });

  it("that overflow are reported by the push that completes their frame, or by flush", () => {
    using stream = bench.frontEnd({ preset: "kaldi-80" }).stream();
    const loud = Float32Array.from({ length: 100 }, (_, i) => (i % 2 ? 1e30 : -1e30));
    expect(stream.push(loud) + stream.push(new Float32Array(200))).toBe(0);
    expect(() => stream.push(new Float32Array(100))).toThrow(/samples are too large/);
    expect([stream.samples, stream.frames]).toEqual([400, 1]);
    expect(stream.push(new Float32Array(1000))).toBeGreaterThan(0);
    using centred = bench.frontEnd({ preset: "ecapa" }).stream();
    centred.push(loud);
    expect(() => centred.flush()).toThrow(/samples are too large/);
  });
});

/**
 * Positions are 32-bit integers: beyond 2^28 samples, four hours and a half, a stream counts from a later origin.
 * The test puts a stream there by adding a whole number of hops to the index of its first sample and as many frames
 * to that of its next frame (assembly/features/stream.ts), and holds it against one that is left alone.
 */
it.each(["whisper-80", "kaldi-80", "nemo-80", "librosa"] as const)(
  "%s goes on beyond 2^28 samples",
  (preset) => {
    const { core } = bench;
    const { exports } = core;
    const plan = planOf(core, PRESETS[preset]);
    const { hop } = PRESETS[preset].frame!;
    const capacity = 40;
    const bytes = exports.streamBytes(plan.pointer, capacity);
    const streams = [0, 1].map(() => {
      const at = takeRegion(core, bytes, "stream");
      exports.streamReset(at, plan.pointer, capacity);
      return at;
    });
    const block = new Float32Array(core.buffer, takeRegion(core, 4 * 3000, "block"), 3000);
    const out = new Float32Array(
      core.buffer,
      takeRegion(core, 4 * plan.rows * capacity, "out"),
      plan.rows * capacity,
    );
    const numbers = (at: number) => new Int32Array(core.buffer, at, 7);
    const BASE = 1;
    const FRAME = 4;
    let moved = false;
    for (let round = 0; round < 12; round++) {
      block.set(whiteNoise(3000, SEED + round));
      const results = streams.map((at) => {
        const frames = exports.streamPush(at, plan.work, block.byteOffset, 3000);
        exports.streamRead(at, frames, frames, out.byteOffset, frames * 4);
        return { frames, features: out.slice(0, frames * plan.rows) };
      });
      const [one, other] = results as [(typeof results)[0], (typeof results)[0]];
      expect(other.frames, `seed ${SEED}, round ${round}`).toBe(one.frames);
      expect(firstDifference(other.features, one.features), `seed ${SEED}, round ${round}`).toBe(-1);
      const far = numbers(streams[1]!);
      if (round === 3) {
        const hops = Math.floor(2 ** 28 / hop) - Math.ceil(far[BASE]! / hop) - 20;
        far[BASE]! += hops * hop;
        far[FRAME]! += hops;
      }
      if (round > 3 && far[BASE]! < 2 ** 24) moved = true;
    }
    expect(moved).toBe(true);
    const last = streams.map((at) => {
      exports.streamFlush(at, plan.work, 1, 0);
      exports.streamRead(at, 1, 1, out.byteOffset, 4);
      return out.slice(0, plan.rows);
    });
    expect(firstDifference(last[1]!, last[0]!)).toBe(-1);
  },
);
