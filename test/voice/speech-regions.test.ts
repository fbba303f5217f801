import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeAudio } from "../../src/audio/decode.ts";
import { monoReader } from "../../src/audio/resample.ts";
import { readWav } from "../../src/audio/wav.ts";
import type { Core } from "../../src/core/core.ts";
import { createCore } from "../../src/core/create-core.ts";
import { InvalidArgumentError, NonFiniteSamplesError } from "../../src/core/errors.ts";
import { poolStatistics } from "../../src/pools/pool-statistics.ts";
import { planWindow } from "../../src/voice/plan-windows.ts";
import { loadVoiceDetector, type VoiceDetector } from "../../src/voice/silero.ts";
import { createSpeechRegions, type SpeechRegions } from "../../src/voice/speech-regions.ts";
import type { SpeechRegion } from "../../src/voice/speech-segmenter.ts";
import { realSpeechFolder, transcripts } from "../reference/real-speech.ts";
import { SAMPLE } from "../reference/sample.ts";
import { seededNoise, whiteNoise } from "../reference/signals.ts";

const CHUNK = 512;
const SECOND = 16000;
const SPEECH = realSpeechFolder();
if (!SPEECH) console.warn("SKIPPED: real recordings. Set WAVEPOOL_SPEECH to a folder of them.");

let core: Core;
let detector: VoiceDetector;
let hello: Float32Array;

beforeAll(async () => {
  core = await createCore({ threads: false });
  detector = await loadVoiceDetector(core);
  hello = readWav(await readFile(SAMPLE)).channels[0]!;
});

afterAll(async () => {
  await detector.release();
  for (const { inUse } of poolStatistics(core)) expect(inUse).toBe(0);
});

async function regionsOf(samples: Float32Array): Promise<readonly SpeechRegion[]> {
  const speech = createSpeechRegions(detector);
  await speech.push(samples);
  await speech.flush();
  return speech.regions;
}

/** Share of the energy, above that of the quietest tenth of all hundredths of a second, that lies in the regions. */
function shareOfEnergy(samples: Float32Array, regions: readonly SpeechRegion[]): number {
  const frame = SECOND / 100;
  const energies = Array.from({ length: Math.floor(samples.length / frame) }, (_, k) =>
    samples.subarray(k * frame, (k + 1) * frame).reduce((sum, x) => sum + x * x, 0),
  );
  const floor = energies.toSorted((a, b) => a - b)[Math.floor(energies.length / 10)]!;
  let inside = 0;
  let all = 0;
  energies.forEach((energy, k) => {
    const above = Math.max(0, energy - floor);
    const middle = (k + 0.5) * frame;
    all += above;
    if (regions.some(({ start, end }) => start <= middle && middle < end)) inside += above;
  });
  return inside / all;
}

function joined(...parts: Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

describe("createSpeechRegions", () => {
  it("finds the speech of the sample where its energy is", async () => {
    const regions = await regionsOf(hello);
    expect(regions.length).toBeGreaterThan(0);
    expect(shareOfEnergy(hello, regions)).toBeGreaterThan(0.99);
    // And it is no trick of taking everything.
    const silence = new Float32Array(3 * SECOND);
    const framed = await regionsOf(joined(silence, hello, silence));
    expect(framed[0]!.start).toBeGreaterThan(2.7 * SECOND);
    expect(framed.at(-1)!.end).toBeLessThan(hello.length + 3.5 * SECOND);
  });

  it("finds none in silence and noise", async () => {
    expect(await regionsOf(new Float32Array(3 * SECOND))).toEqual([]);
    expect(await regionsOf(whiteNoise(5 * SECOND, 40).map((x) => 0.1 * x))).toEqual([]);
    expect(await regionsOf(new Float32Array(0))).toEqual([]);
  });

  it("finds two utterances and the gap between, and a window for each", async () => {
    const gap = whiteNoise(4 * SECOND, 41).map((x) => 0.002 * x);
    const whole = joined(hello, gap, hello);
    const speech = createSpeechRegions(detector);
    await speech.push(whole);
    await speech.flush();
    const { regions } = speech;
    const from = hello.length;
    const to = hello.length + gap.length;
    const inGap = regions.reduce(
      (sum, { start, end }) => sum + Math.max(0, Math.min(end, to) - Math.max(start, from)),
      0,
    );
    expect(inGap).toBeLessThan(0.5 * SECOND);
    expect(shareOfEnergy(whole, regions)).toBeGreaterThan(0.99);

    const first = planWindow(speech, 0);
    if (first.kind !== "window") throw new Error(first.kind);
    const second = planWindow(speech, first.start + first.count);
    if (second.kind !== "window") throw new Error(second.kind);
    expect(first.start + first.count).toBeLessThan(from + 0.7 * SECOND);
    expect(second.start).toBeGreaterThan(to - 0.5 * SECOND);
    expect(planWindow(speech, second.start + second.count)).toEqual({ kind: "end" });
  });

  it("gives the same regions for blocks of any size, while old ones are dropped", async () => {
    const whole = joined(hello, new Float32Array(SECOND), hello);
    const expected = await regionsOf(whole);
    for (const seed of [42, 43, 44]) {
      const next = seededNoise(seed);
      const speech = createSpeechRegions(detector);
      const found: SpeechRegion[] = [];
      const collect = () => {
        found.push(...speech.regions);
        speech.forget(speech.regions.at(-1)?.end ?? 0);
        expect(speech.regions).toEqual([]);
      };
      for (let at = 0; at < whole.length; ) {
        const size = Math.floor(3 ** (4 * next() + 4)); // 1 to 6561
        await speech.push(whole.subarray(at, at + size));
        at = Math.min(whole.length, at + size);
        expect(speech.samples).toBe(at);
        expect(speech.decided).toBeLessThanOrEqual(at);
        if (speech.open)
          expect(speech.open.start).toBe(expected[found.length + speech.regions.length]!.start);
        collect();
      }
      await speech.flush();
      collect();
      expect(found, `seed ${seed}`).toEqual(expected);
      expect(speech.decided).toBe(whole.length);
    }
  });

  it("tells where speech is least likely", async () => {
    detector.reset();
    const probabilities: number[] = [];
    for (let at = 0; at + CHUNK <= hello.length; at += CHUNK) {
      probabilities.push(await detector.probability(hello.subarray(at, at + CHUNK)));
    }
    const speech = createSpeechRegions(detector);
    await speech.push(hello);
    const [first, last] = [60, 160];
    const least = Math.min(...probabilities.slice(first, last));
    const expected = probabilities.lastIndexOf(least, last - 1) * CHUNK + CHUNK / 2;
    const middle = (chunk: number) => chunk * CHUNK + CHUNK / 2;
    expect(speech.leastLikely(middle(first), middle(last))).toBe(expected);
    expect(speech.leastLikely(middle(first), middle(first) + 1)).toBe(middle(first));
    expect(speech.leastLikely(middle(first) + 1, middle(first) + 2)).toBe(middle(first) + 2);
    speech.forget(first * CHUNK);
    expect(speech.leastLikely(0, middle(last))).toBe(expected);
    expect(speech.leastLikely(0, middle(first))).toBe(middle(first));
    speech.forget(hello.length);
    expect(speech.leastLikely(0, hello.length)).toBe(hello.length);
  });

  it("stops when it is told to, and can go on from there or anew", async () => {
    const expected = await regionsOf(hello);
    const speech = createSpeechRegions(detector);
    const abort = new AbortController();
    setImmediate(() => abort.abort(new Error("enough")));
    await expect(speech.push(hello, { signal: abort.signal })).rejects.toThrow("enough");
    expect(speech.samples).toBeGreaterThan(0);
    expect(speech.samples).toBeLessThan(hello.length);
    await expect(speech.push(hello, { signal: abort.signal })).rejects.toThrow("enough");
    await speech.push(hello.subarray(speech.samples));
    await speech.flush();
    expect(speech.regions).toEqual(expected);
    expect(speech.ended).toBe(true);
    await expect(speech.push(hello)).rejects.toThrow(InvalidArgumentError);

    speech.reset();
    expect(speech).toMatchObject({ samples: 0, decided: 0, ended: false, regions: [] });
    await speech.push(hello);
    await speech.flush();
    expect(speech.regions).toEqual(expected);
  });

  it("refuses calls that overlap, and what is no sound", async () => {
    const speech = createSpeechRegions(detector);
    const first = speech.push(hello);
    await expect(speech.push(hello)).rejects.toThrow(/await the call before/);
    await expect(speech.flush()).rejects.toThrow(/await the call before/);
    expect(() => speech.reset()).toThrow(/await the call before/);
    await first;
    await expect(speech.push([0] as unknown as Float32Array)).rejects.toThrow(InvalidArgumentError);
    await expect(speech.push(new Float32Array(CHUNK).fill(NaN))).rejects.toThrow(NonFiniteSamplesError);
    expect(() => createSpeechRegions(detector, { threshold: 2 })).toThrow(InvalidArgumentError);
  });

  it.skipIf(!SPEECH)("holds 99 % of the energy of real recordings, in windows of 30 s at most", async () => {
    const files = [...transcripts(SPEECH!).keys()];
    expect(files.length).toBeGreaterThan(0);
    const clips: Float32Array[] = [];
    for (const file of files) {
      const reader = monoReader(core, await decodeAudio(await readFile(join(SPEECH!, file))), SECOND);
      const clip = new Float32Array(reader.length);
      reader.read(clip, 0, clip.length);
      clips.push(clip, new Float32Array(SECOND / 2));
    }
    const whole = joined(...clips);
    const speech: SpeechRegions = createSpeechRegions(detector);
    await speech.push(whole);
    await speech.flush();
    const share = shareOfEnergy(whole, speech.regions);
    const windows: SpeechRegion[] = [];
    for (let position = 0; ; ) {
      const plan = planWindow(speech, position);
      if (plan.kind !== "window") break;
      expect(plan.count).toBeLessThanOrEqual(30 * SECOND);
      position = plan.start + plan.count;
      windows.push({ start: plan.start, end: position });
    }
    const inRegions = speech.regions.reduce((sum, { start, end }) => sum + end - start, 0);
    console.info(
      `${(whole.length / SECOND).toFixed(0)} s: ${speech.regions.length} regions, ${((100 * inRegions) / whole.length).toFixed(1)} % of the time, ${(100 * share).toFixed(2)} % of the energy; ${windows.length} windows, ${(100 * shareOfEnergy(whole, windows)).toFixed(2)} %`,
    );
    expect(share).toBeGreaterThan(0.99);
    expect(shareOfEnergy(whole, windows)).toBeGreaterThan(0.995);
  });
});
