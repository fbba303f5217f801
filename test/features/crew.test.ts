import { afterEach, describe, expect, it } from "vitest";
import {
  type Core,
  type Crew,
  CrewError,
  createBufferPool,
  createCore,
  createCrew,
  createFrontEnd,
  InvalidArgumentError,
  NonFiniteSamplesError,
  PRESETS,
  type PresetName,
} from "../../src/index.ts";
import { firstDifference } from "../reference/bits.ts";
import { runs } from "../reference/runs.ts";
import { whiteNoise } from "../reference/signals.ts";

const SEED = 31;
const ROUNDS = runs(300);

const crews: Crew[] = [];

afterEach(async () => {
  for (const crew of crews.splice(0)) await crew.close();
});

async function crewOf(core: Core, threads: number): Promise<Crew> {
  const crew = await createCrew(core, { threads });
  crews.push(crew);
  return crew;
}

const FRAMED = (Object.keys(PRESETS) as PresetName[]).filter((name) => "frame" in PRESETS[name]);

describe("a crew", () => {
  it.each(FRAMED)("computes %s as one thread does, bit for bit", async (preset) => {
    const core = await createCore({ threads: true });
    const crew = await crewOf(core, 3);
    const alone = createFrontEnd(core, { preset });
    const together = createFrontEnd(core, { preset, crew });
    const samples = whiteNoise(479_000, SEED);
    const pool = createBufferPool(core, { name: "out", dtype: "f32", shape: alone.shape(479_000), max: 2 });
    using one = pool.acquire();
    using other = pool.acquire();
    alone.compute(samples, one.view);
    for (let round = 0; round < 5; round++) {
      other.view.fill(0);
      together.compute(samples, other.view);
      expect(firstDifference(other.view, one.view), `seed ${SEED}, round ${round}`).toBe(-1);
      // Time to fall asleep, so that the next round has to wake them.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });

  it("serves clips of all lengths one after the other", async () => {
    const core = await createCore({ threads: true });
    const crew = await crewOf(core, 2);
    const alone = createFrontEnd(core, { preset: "whisper-80", pad: false });
    const together = createFrontEnd(core, { preset: "whisper-80", pad: false, crew });
    const pool = createBufferPool(core, { name: "out", dtype: "f32", shape: 80 * 3000, max: 2 });
    using one = pool.acquire();
    using other = pool.acquire();
    for (let round = 0; round < ROUNDS; round++) {
      const length = 160 + ((round * 7919) % 120_000);
      const samples = whiteNoise(length, SEED + round);
      const frames = alone.compute(samples, one.view);
      expect(together.compute(samples, other.view)).toBe(frames);
      const values = 80 * frames;
      const difference = firstDifference(other.view.subarray(0, values), one.view.subarray(0, values));
      expect(difference, `seed ${SEED + round}`).toBe(-1);
    }
  });

  it("reports NaN whichever thread meets it, and passes it by frame", async () => {
    const core = await createCore({ threads: true });
    const crew = await crewOf(core, 2);
    const samples = whiteNoise(480_000, SEED);
    samples[1000] = Number.NaN;
    samples[470_000] = Number.NaN;
    const pool = createBufferPool(core, { name: "out", dtype: "f32", shape: 80 * 3000, max: 2 });
    using out = pool.acquire();
    const strict = createFrontEnd(core, { preset: "whisper-80", crew });
    expect(() => strict.compute(samples, out.view)).toThrow(NonFiniteSamplesError);
    const lenient = createFrontEnd(core, { preset: "whisper-80", nonFinite: "pass", crew });
    lenient.compute(samples, out.view);
    const bad = out.view.subarray(0, 3000).reduce((n, x) => (Number.isNaN(x) ? n + 1 : n), 0);
    // Frames of 400 samples every 160 hold one of theirs two or three times.
    expect(bad).toBeGreaterThanOrEqual(4);
    expect(bad).toBeLessThanOrEqual(6);
  });

  it("has every thread take part", async () => {
    const core = await createCore({ threads: true });
    const crew = await crewOf(core, 3);
    const frontEnd = createFrontEnd(core, { preset: "whisper-80", crew });
    const samples = whiteNoise(480_000, SEED);
    using out = createBufferPool(core, { name: "out", dtype: "f32", shape: 80 * 3000, max: 1 }).acquire();
    let clips = 0;
    while (clips < 2000 && crew.frames().some((frames) => frames === 0)) {
      frontEnd.compute(samples, out.view);
      clips++;
      // Threads that are still starting need a processor too.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const frames = crew.frames();
    expect(Math.min(...frames), `after ${clips} clips`).toBeGreaterThan(0);
    expect(frames.reduce((sum, n) => sum + n, 0)).toBe(3000 * clips);
  });

  it("deals out nothing while a job is being laid out", async () => {
    const core = await createCore({ threads: true });
    const crew = await crewOf(core, 2);
    const short = createFrontEnd(core, { preset: "whisper-80", pad: false, crew });
    const pool = createBufferPool(core, { name: "out", dtype: "f32", shape: 80 * 3000, max: 1 });
    using out = pool.acquire();
    short.compute(whiteNoise(50_000, SEED), out.view);
    // The moment between the fields of a new job and its number, as a thread that wakes late would see it.
    const words = new Int32Array(core.buffer, crew.job(), 16);
    const number = words[1]!;
    words[0] = 0x03ffffff;
    words[10] = 3000; // frames
    Atomics.store(words, 2, 0); // done
    Atomics.notify(words, 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(Atomics.load(words, 2)).toBe(0);
    expect([words[0], words[1]]).toEqual([0x03ffffff, number]);
  });

  it("ends its threads and gives its job back", async () => {
    const core = await createCore({ threads: true });
    const before = core.freeBytes();
    const crew = await createCrew(core, { threads: 4 });
    await Promise.all([crew.close(), crew.close()]);
    expect(core.freeBytes()).toBe(before);
  });

  it("refuses what it cannot be", async () => {
    const plain = await createCore({ threads: false });
    await expect(createCrew(plain)).rejects.toThrow(/plain build.*threads: true/);
    const core = await createCore({ threads: true });
    await expect(createCrew(core, { threads: 1 })).rejects.toThrow(
      /threads is 1; give an integer from 2 to 16/,
    );
    const crew = await crewOf(core, 2);
    const other = await createCore({ threads: true });
    expect(() => createFrontEnd(other, { preset: "whisper-80", crew })).toThrow(InvalidArgumentError);
  });

  it("refuses work after its end", async () => {
    const core = await createCore({ threads: true });
    const crew = await createCrew(core, { threads: 2 });
    const frontEnd = createFrontEnd(core, { preset: "whisper-80", crew });
    await crew.close();
    const pool = createBufferPool(core, { name: "out", dtype: "f32", shape: 80 * 3000, max: 1 });
    using out = pool.acquire();
    expect(() => frontEnd.compute(whiteNoise(480_000, SEED), out.view)).toThrow(CrewError);
  });
});
