import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { adapter } from "#adapter";
import { readWav } from "../../src/audio/wav.ts";
import type { Core } from "../../src/core/core.ts";
import { createCore } from "../../src/core/create-core.ts";
import {
  FileError,
  InferenceError,
  InvalidArgumentError,
  ModelFormatError,
  ModelNotFoundError,
  NonFiniteSamplesError,
} from "../../src/core/errors.ts";
import type { Session } from "../../src/inference/session.ts";
import type { Tensor } from "../../src/inference/tensor.ts";
import { poolStatistics } from "../../src/pools/pool-statistics.ts";
import { findVoiceDetector, loadVoiceDetector, type VoiceDetector } from "../../src/voice/silero.ts";
import { SAMPLE } from "../reference/sample.ts";
import { tone, whiteNoise } from "../reference/signals.ts";

const CHUNK = 512;
const SECONDS_5 = 5 * 16000;

let core: Core;
let detector: VoiceDetector;
let hello: Float32Array;
let folder: string;

beforeAll(async () => {
  core = await createCore({ threads: false });
  detector = await loadVoiceDetector(core);
  hello = readWav(await readFile(SAMPLE)).channels[0]!;
  folder = await mkdtemp(join(tmpdir(), "wavepool-voice-"));
});

afterEach(() => {
  vi.restoreAllMocks();
});

afterAll(async () => {
  await detector.release();
  await rm(folder, { recursive: true });
  expect(poolStatistics(core).map(({ inUse }) => inUse)).toEqual([0]);
});

async function probabilities(samples: Float32Array, of = detector): Promise<number[]> {
  of.reset();
  const all: number[] = [];
  for (let at = 0; at + CHUNK <= samples.length; at += CHUNK) {
    all.push(await of.probability(samples.subarray(at, at + CHUNK)));
  }
  return all;
}

/** Sums of tones: held, or struck anew four times a second and dying away. */
function chord(hz: readonly number[], struck: boolean): Float32Array {
  const tones = hz.flatMap((f) => [1, 2, 3, 4].map((k) => tone(SECONDS_5, f * k).map((x) => x / k)));
  return Float32Array.from({ length: SECONDS_5 }, (_, i) => {
    const decay = struck ? Math.exp((-3 * (i % 4000)) / 4000) : 1;
    return (0.05 * decay * tones.reduce((sum, samples) => sum + samples[i]!, 0)) / hz.length;
  });
}

/** What each session made and has not got back. */
function countTensors(session: Session) {
  const living = new Set<Tensor>();
  const run = session.run.bind(session);
  vi.spyOn(session, "run").mockImplementation(async (feeds, fetches) => {
    const outputs = await run(feeds, fetches);
    for (const tensor of Object.values(outputs)) {
      living.add(tensor);
      const release = tensor.release.bind(tensor);
      tensor.release = () => {
        living.delete(tensor);
        release();
      };
    }
    return outputs;
  });
  return living;
}

describe("loadVoiceDetector", () => {
  it("is sure of speech, and of silence", async () => {
    const found = await probabilities(hello);
    expect(Math.max(...found)).toBeGreaterThan(0.95);
    const speech = found.filter((p) => p >= 0.5).length / found.length;
    expect(speech).toBeGreaterThan(0.4);
    for (const p of await probabilities(new Float32Array(SECONDS_5))) expect(p).toBeLessThan(0.1);
  });

  it.each([
    ["white noise at full scale", whiteNoise(SECONDS_5, 30)],
    ["quiet white noise", whiteNoise(SECONDS_5, 31).map((x) => 0.01 * x)],
    ["a tone", tone(SECONDS_5, 440).map((x) => 0.3 * x)],
    ["hum", tone(SECONDS_5, 50).map((x) => 0.2 * x)],
    ["a chord", chord([262, 330, 392], false)],
    ["struck chords", chord([131, 165, 196], true)],
  ])("hears no speech in %s", async (_, samples) => {
    for (const p of await probabilities(samples)) expect(p).toBeLessThan(0.35);
  });

  it("remembers the stream, until it is reset", async () => {
    const first = await probabilities(hello);
    expect(await probabilities(hello)).toEqual(first);
    // Without the sound before, it is less sure.
    const middle = Math.floor(hello.length / 2 / CHUNK) * CHUNK;
    expect(await probabilities(hello.subarray(middle))).not.toEqual(first.slice(middle / CHUNK));
  });

  it("keeps streams apart that have a detector each", async () => {
    const other = await loadVoiceDetector(core, { path: await findVoiceDetector() });
    const alone = await probabilities(hello);
    detector.reset();
    const silence = new Float32Array(CHUNK);
    for (let i = 0; i < 60; i++) {
      expect(await detector.probability(hello.subarray(i * CHUNK, (i + 1) * CHUNK))).toBe(alone[i]);
      expect(await other.probability(silence)).toBeLessThan(0.1);
    }
    await other.release();
  });

  it("releases every tensor, also when a run fails, and goes on from where it was", async () => {
    const other = await loadVoiceDetector(core);
    const living = countTensors(other.session);
    const expected = await probabilities(hello.subarray(0, 40 * CHUNK), other);
    other.reset();
    expect(living.size).toBe(0);
    for (let i = 0; i < 40; i++) {
      const chunk = hello.subarray(i * CHUNK, (i + 1) * CHUNK);
      if (i === 20) {
        const { run } = other.session;
        other.session.run = async () => {
          throw new InferenceError("the voice detector failed");
        };
        await expect(other.probability(chunk)).rejects.toThrow(InferenceError);
        other.session.run = run;
        await expect(other.probability(chunk.map(() => NaN))).rejects.toThrow(NonFiniteSamplesError);
      }
      expect(await other.probability(chunk)).toBe(expected[i]);
      expect(living.size).toBe(1);
    }
    const last = other.probability(hello.subarray(0, CHUNK));
    const second = other.probability(hello.subarray(0, CHUNK));
    expect(() => other.reset()).toThrow(InvalidArgumentError);
    await expect(second).rejects.toThrow(/await the call before/);
    await Promise.all([other.release(), other.release()]);
    expect(await last).toBeGreaterThanOrEqual(0);
    expect(living.size).toBe(0);
    await expect(other.probability(hello.subarray(0, CHUNK))).rejects.toThrow(/was released/);
    other.reset();
  });

  it.each([[new Float32Array(511)], [new Float32Array(0)], [new Float64Array(512)], [undefined]])(
    "refuses the chunk %o",
    async (chunk) => {
      await expect(detector.probability(chunk as Float32Array)).rejects.toThrow(InvalidArgumentError);
    },
  );

  it.each([[new Float32Array(0)], [new Float32Array(513)], [new Float32Array(25 * CHUNK)], [[0]]])(
    "refuses the chunks %#",
    async (chunks) => {
      await expect(detector.probabilities(chunks as Float32Array)).rejects.toThrow(/512 times 1 to 24/);
    },
  );

  it("tells which of several chunks has a sample that is none", async () => {
    const chunks = hello.slice(0, 3 * CHUNK);
    chunks[CHUNK + 7] = Number.POSITIVE_INFINITY;
    chunks[2 * CHUNK] = NaN;
    await expect(detector.probabilities(chunks)).rejects.toMatchObject({ count: 2, firstIndex: CHUNK + 7 });
  });

  it("takes version 5 too", async () => {
    const path = (await findVoiceDetector()).replace("v6", "v5");
    const older = await loadVoiceDetector(core, { path });
    expect(Math.max(...(await probabilities(hello, older)))).toBeGreaterThan(0.95);
    await older.release();
  });

  it("says what to install when the package is missing", async () => {
    vi.spyOn(adapter, "findPackage").mockReturnValue(undefined);
    const missing = loadVoiceDetector(core);
    await expect(missing).rejects.toThrow(ModelNotFoundError);
    await expect(missing).rejects.toThrow('run "npm install @ricky0123/vad-web"');
  });

  it("says what to install when the package is too old", async () => {
    vi.spyOn(adapter, "findPackage").mockReturnValue(folder);
    await expect(loadVoiceDetector(core)).rejects.toThrow(/has no dist\/silero_vad_v6.onnx/);
  });

  it("refuses files that are none, broken, or another model", async () => {
    const before = poolStatistics(core).map(({ acquires }) => acquires);
    const bytes = await readFile(await findVoiceDetector());
    const path = join(folder, "broken.onnx");
    for (const broken of [bytes.subarray(0, bytes.length / 2), new Uint8Array(0), whiteNoise(1000, 32)]) {
      await writeFile(path, broken);
      await expect(loadVoiceDetector(core, { path })).rejects.toThrow(ModelFormatError);
    }
    const legacy = (await findVoiceDetector()).replace("v6", "legacy");
    await expect(loadVoiceDetector(core, { path: legacy })).rejects.toThrow(
      /it has no stft.forward_basis_buffer of 258/,
    );
    await expect(loadVoiceDetector(core, { path: join(folder, "none.onnx") })).rejects.toThrow(FileError);
    await expect(loadVoiceDetector(core, { path: "" })).rejects.toThrow(InvalidArgumentError);
    expect(poolStatistics(core).map(({ acquires }) => acquires)).toEqual(before);
  });
});
