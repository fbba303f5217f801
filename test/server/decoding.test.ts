import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { createCore, createSoundRing, openSound } from "../../src/index.ts";
import { RING_BLOCKS, SOUND_BLOCK, UPLOAD_BLOCK } from "../../src/server/engine/blocks.ts";
import { type Decoding, startDecoding } from "../../src/server/engine/decoding.ts";
import { createSoundThreads } from "../../src/server/engine/sound-threads.ts";
import { SAMPLE } from "../reference/sample.ts";
import { until } from "./runtimes.ts";

const threads = createSoundThreads();
afterEach(() => threads.close());

const shared = (bytes: Uint8Array) => {
  const view = new Uint8Array(new SharedArrayBuffer(bytes.length));
  view.set(bytes);
  return view;
};
/** An upload as the service holds it. */
function held(bytes: Uint8Array) {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += UPLOAD_BLOCK) {
    pieces.push(shared(bytes.subarray(at, at + UPLOAD_BLOCK)));
  }
  return { pieces, size: bytes.length };
}
const newRing = () =>
  Array.from({ length: RING_BLOCKS }, () => new Float32Array(new SharedArrayBuffer(SOUND_BLOCK * 4)));

type Told = { type: string; index?: number; count?: number; error?: { code: string; message: string } };

/** Starts, and gives what was told; blocks stay taken unless `reader` frees them. */
async function start(bytes: Uint8Array, more: object = {}, reader?: (samples: Float32Array) => void) {
  const told: Told[] = [];
  const ring = newRing();
  const decoding: Decoding = await startDecoding({
    id: 7,
    sounds: threads,
    upload: held(bytes),
    ring,
    maxSeconds: 3600,
    decodeTimeout: 60_000,
    text(event) {
      told.push(event);
      if (event.type !== "block" || !reader) return;
      reader(ring[event.index]!.slice(0, event.count));
      queueMicrotask(() => decoding.free(event.index));
    },
    ...more,
  });
  return { told, decoding };
}

const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(name, new URL("../fixtures/", import.meta.url))));
/** Longer than all blocks together. */
const long = () => {
  const wav = readFileSync(SAMPLE);
  const times = 8;
  const data = wav.subarray(44);
  const bytes = Buffer.concat([wav.subarray(0, 44), ...Array.from({ length: times }, () => data)]);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.writeUInt32LE(data.length * times, 40);
  return bytes;
};

describe("a thread that decodes", () => {
  it.each(["hello.mp3", "hello.m4a", "hello-8.aiff", "hello-stereo.flac"])(
    "gives the samples of %s that the calling thread would",
    async (name) => {
      const blocks: Float32Array[] = [];
      const { told, decoding } = await start(fixture(name), {}, (samples) => blocks.push(samples));
      await until(() => told.some(({ type }) => type === "end"));
      await decoding.end();
      expect(told.at(-1)!.error).toBeUndefined();
      const samples = Float32Array.from(blocks.flatMap((block) => [...block]));
      const core = await createCore();
      await using ring = createSoundRing(core, await openSound(core, fixture(name)));
      await ring.fill(16000 * 50);
      const expected = new Float32Array(ring.length!);
      ring.window(0, ring.length!, expected);
      expect(samples).toEqual(expected);
      expect([threads.cores.length, threads.replaced]).toEqual([1, 0]);
    },
  );

  it("has room for the widest sound there is: eight channels, and rates from 1 to 384 kHz", async () => {
    for (const rate of [1000, 44_100, 384_000]) {
      let samples = 0;
      const { told, decoding } = await start(wav(rate, 8, 0.5), {}, (block) => {
        samples += block.length;
      });
      await until(() => told.some(({ type }) => type === "end"));
      await decoding.end();
      expect([told.at(-1)!.error, samples]).toEqual([undefined, 8000]);
    }
  });

  it("waits while nobody reads, and is idle again once it is stopped", async () => {
    const { told, decoding } = await start(long(), { decodeTimeout: 5_000 });
    await until(() => told.length === RING_BLOCKS);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(told.map(({ type }) => type)).toEqual(Array(RING_BLOCKS).fill("block"));
    await decoding.end();
    expect(threads.replaced).toBe(0);
    const again = await start(fixture("hello.flac"), {}, () => {});
    await until(() => again.told.some(({ type }) => type === "end"));
    await again.decoding.end();
    expect(threads.cores).toHaveLength(1);
  });

  it("is killed when it gets nowhere, and replaced", async () => {
    const { told, decoding } = await start(fixture("hello.mp3"), { decodeTimeout: 1 }); // it takes longer to start
    await until(() => told.length > 0);
    expect(told).toMatchObject([{ type: "end", error: { code: "sound-unsafe" } }]);
    expect(decoding.error!.message).toMatch(/got nowhere for 0.001 s/);
    await decoding.end();
    expect([threads.cores.length, threads.replaced]).toEqual([0, 1]);
    const next = await start(fixture("hello.mp3"), {}, () => {});
    await until(() => next.told.some(({ type }) => type === "end"));
    expect(next.told.at(-1)!.error).toBeUndefined();
    await next.decoding.end();
  });

  it("tells what is wrong with a sound", async () => {
    const before = threads.replaced;
    for (const [bytes, more, code] of [
      [Buffer.from("no sound"), {}, "audio-format"],
      [readFileSync(SAMPLE).subarray(0, 90_000), {}, "audio-format"],
      [fixture("hello.mp3"), { maxSeconds: 1 }, "sound-too-long"],
      [fixture("hello.aac"), { maxSeconds: 1 }, "sound-too-long"],
    ] as const) {
      const { told, decoding } = await start(bytes, more, () => {});
      await until(() => told.some(({ type }) => type === "end"));
      expect(told.at(-1)!.error).toMatchObject({ code });
      await decoding.end();
    }
    expect(threads.replaced).toBe(before);
  });
});

/** A WAV of float64 silence: the widest samples there are. */
function wav(rate: number, channels: number, seconds: number): Buffer {
  const data = rate * seconds * channels * 8;
  const bytes = Buffer.alloc(44 + data);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(36 + data, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(3, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate * channels * 8, 28);
  bytes.writeUInt16LE(channels * 8, 32);
  bytes.writeUInt16LE(64, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(data, 40);
  return bytes;
}
