import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openSound, type SoundSource } from "../src/audio/sound-source.ts";
import {
  AudioFormatError,
  type Core,
  createCore,
  FileError,
  InvalidArgumentError,
  NonFiniteSamplesError,
  poolStatistics,
  readWav,
} from "../src/index.ts";
import { firstDifference } from "./reference/bits.ts";
import { whiteNoise } from "./reference/signals.ts";
import {
  fixture,
  randomNumbers,
  randomPieces,
  readAll,
  soundOf,
  streamOf,
  wholeSound,
} from "./reference/sound-streams.ts";
import { wavFile } from "./reference/wav-file.ts";

const SEED = Number(process.env.SEED ?? 20261);
const inUse = (core: Core) => poolStatistics(core).reduce((sum, pool) => sum + pool.inUse, 0);
const path = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
/** Channels of noise as PCM of 16 bits. */
const NOISE = whiteNoise(9000, SEED).map((x) => Math.round(x * 32767) / 32768);

describe(`openSound, seed ${SEED}`, () => {
  it.each([
    { tag: 1, bits: 8 },
    { tag: 1, bits: 16 },
    { tag: 1, bits: 24 },
    { tag: 1, bits: 32 },
    { tag: 3, bits: 32 },
    { tag: 3, bits: 64 },
  ])("reads WAVs of tag $tag and $bits bits at any rate as monoReader does", async ({ tag, bits }) => {
    const core = await createCore();
    for (const [rate, channels] of [
      [16000, 1],
      [16000, 3],
      [44100, 2],
      [8000, 1],
      [48000, 5],
    ] as const) {
      const bytes = wavFile(NOISE, { tag, bits, rate, channels, extensible: channels > 2 });
      const expected = await wholeSound(core, readWav(bytes));
      const sound = await soundOf(core, streamOf(randomPieces(bytes, 3000, SEED)));
      expect(firstDifference(sound, expected), `${channels} channels at ${rate} Hz`).toBe(-1);
    }
    expect(inUse(core)).toBe(0);
  });

  it("mixes different channels and resamples decoded sound as monoReader does, to any rate", async () => {
    const core = await createCore();
    const channels = [NOISE, whiteNoise(9000, SEED + 1), whiteNoise(9000, SEED + 2)];
    for (const [from, to] of [
      [44100, 16000],
      [16000, 16000],
      [1000, 384000],
      [384000, 1000],
      [22050, 48000],
    ] as const) {
      const audio = { sampleRate: from, channels };
      const expected = await wholeSound(core, audio, to);
      const sound = await soundOf(core, audio, { targetRate: to });
      expect(sound.length).toBe(expected.length);
      expect(firstDifference(sound, expected), `${from} to ${to}`).toBe(-1);
    }
    expect(inUse(core)).toBe(0);
  });

  it("gives the same samples however many are read at once, into the core or elsewhere", async () => {
    const core = await createCore();
    const bytes = wavFile(NOISE, { rate: 44100, channels: 2 });
    const expected = await soundOf(core, bytes);
    const next = randomNumbers(SEED);
    await using reader = await openSound(core, bytes);
    expect(reader.source).toEqual({ format: "WAV", sampleRate: 44100, channels: 2 });
    expect(reader.duration).toBeCloseTo(9000 / 44100, 9);
    const sound = new Float32Array(expected.length);
    let at = 0;
    for (;;) {
      const view = new Float32Array(Math.floor(500 ** next()));
      const count = await reader.read(view);
      sound.set(view.subarray(0, count), at);
      at += count;
      expect(reader.position).toBe(at);
      if (count < view.length) break;
    }
    expect(firstDifference(sound, expected)).toBe(-1);
    expect(await reader.read(new Float32Array(5))).toBe(0);
  });

  it("reads WAVs whose header does not know their length, and RF64", async () => {
    const core = await createCore();
    const bytes = wavFile(NOISE);
    const expected = await wholeSound(core, bytes);
    for (const claimed of [0, 0xffffffff, 0x7ffff000]) {
      const piped = wavFile(NOISE, { claimedBytes: claimed });
      expect(firstDifference(await soundOf(core, streamOf([piped])), expected), `${claimed}`).toBe(-1);
    }
    for (const magic of ["RF64", "BW64"]) {
      const sizes = new DataView(new ArrayBuffer(28));
      sizes.setBigUint64(8, BigInt(NOISE.length * 2), true);
      const long = wavFile(NOISE, {
        claimedBytes: 0xffffffff,
        before: [{ id: "ds64", bytes: new Uint8Array(sizes.buffer) }],
      });
      long.set(new TextEncoder().encode(magic));
      // What follows the data is none of the sound.
      const sound = await soundOf(core, streamOf([long, new Uint8Array(99)]));
      expect(firstDifference(sound, expected), magic).toBe(-1);
      await expect(soundOf(core, streamOf([long.slice(0, -10)]))).rejects.toThrow(/cut off/);
      new DataView(long.buffer).setBigUint64(20 + 8, 36_000_000_000n, true);
      await using reader = await openSound(core, streamOf([long]));
      expect(reader.duration).toBe(1_125_000); // 36 GB
    }
    expect(inUse(core)).toBe(0);
  });

  it("reads AIFF of 8 signed bits", async () => {
    const core = await createCore();
    const sound = await soundOf(core, await fixture("hello-8.aiff"));
    const original = await soundOf(core, await fixture("hello.aiff"));
    expect(sound.length).toBe(original.length);
    for (let i = 0; i < sound.length; i++) expect(Math.abs(sound[i]! - original[i]!)).toBeLessThan(0.01);
  });

  it("reads FLAC that does not know its length, with pictures and tags around it", async () => {
    const core = await createCore();
    const bytes = await fixture("hello.flac");
    const expected = await soundOf(core, bytes);
    const unknown = bytes.slice();
    unknown[21]! &= 0xf0;
    unknown.fill(0, 22, 26);
    const picture = new Uint8Array(4 + 70_000).fill(0xff);
    picture.set([6, 1, 0x11, 0x70]); // 70000 bytes of a PICTURE
    const id3 = new Uint8Array(10 + 5000);
    id3.set([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 5000 >> 7, 5000 & 127]);
    const tag = new Uint8Array(128);
    tag.set([0x54, 0x41, 0x47]);
    const parts = [id3, unknown.slice(0, 42), picture, unknown.slice(42), tag];
    const sound = await soundOf(core, streamOf(parts.flatMap((part) => randomPieces(part, 4000, SEED))));
    expect(firstDifference(sound, expected)).toBe(-1);
    await expect(soundOf(core, unknown.slice(0, -5))).rejects.toThrow(/last frame is not whole/);
    expect(inUse(core)).toBe(0);
  });

  it("reads the same from a path, a Blob, an ArrayBuffer, an iterable and a Node stream", async () => {
    const core = await createCore();
    for (const name of ["hello.flac", "hello.m4a", "hello.opus"]) {
      const bytes = await fixture(name);
      const expected = await soundOf(core, bytes);
      async function* generate() {
        yield* randomPieces(bytes, 5000, SEED);
      }
      const { createReadStream } = await import("node:fs");
      const sources: SoundSource[] = [
        path(name),
        new Blob([bytes]),
        bytes.buffer,
        randomPieces(bytes, 5000, SEED),
        generate(),
        createReadStream(path(name)) as AsyncIterable<Uint8Array>,
      ];
      for (const [i, source] of sources.entries()) {
        expect(firstDifference(await soundOf(core, source), expected), `${name} ${i}`).toBe(-1);
      }
    }
  });

  it("reads raw PCM, and live blocks", async () => {
    const core = await createCore();
    const audio = { sampleRate: 44100, channels: [NOISE, NOISE] };
    const expected = await wholeSound(core, audio);
    const s16 = Int16Array.from({ length: 18000 }, (_, i) => NOISE[i >> 1]! * 32768);
    const f32 = Float32Array.from({ length: 18000 }, (_, i) => NOISE[i >> 1]!);
    for (const [format, samples] of [
      ["s16", s16],
      ["f32", f32],
    ] as const) {
      const raw = { format, sampleRate: 44100, channels: 2 };
      const bytes = new Uint8Array(samples.buffer);
      const pieces = randomPieces(bytes, 1000, SEED);
      expect(firstDifference(await soundOf(core, streamOf(pieces), { raw }), expected), format).toBe(-1);
      await expect(soundOf(core, bytes.subarray(1), { raw })).rejects.toThrow(/bytes into a frame/);
      await expect(soundOf(core, new Uint8Array(0), { raw })).rejects.toThrow(/no samples/);
    }
    const blocks = randomPieces(NOISE, 2000, SEED);
    const live = await soundOf(core, blocks, { sampleRate: 44100 });
    expect(firstDifference(live, expected)).toBe(-1);
    expect(await soundOf(core, [], { sampleRate: 44100 })).toHaveLength(0);
    const stream = new ReadableStream<Float32Array>({
      start(controller) {
        for (const block of randomPieces(NOISE, 2000, SEED)) controller.enqueue(block);
        controller.close();
      },
    });
    expect(firstDifference(await soundOf(core, stream, { sampleRate: 44100 }), expected)).toBe(-1);
  });

  it("gives live blocks on as they come", async () => {
    const core = await createCore();
    async function* microphone() {
      yield new Float32Array(100).fill(0.5);
      await new Promise(() => {}); // nobody speaks any more
    }
    const controller = new AbortController();
    const { signal } = controller;
    const reader = await openSound(core, microphone(), { sampleRate: 16000, signal });
    const view = new Float32Array(100);
    expect(await reader.read(view)).toBe(100);
    expect(view[99]).toBe(0.5);
    const waiting = reader.read(view);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(reader.read(view)).rejects.toThrow("enough");
    await reader.close();
    expect(inUse(core)).toBe(0);
  });

  it("refuses NaN samples, with their time and channel, or takes them for zeros", async () => {
    const core = await createCore();
    const spoilt = Float32Array.from(NOISE);
    spoilt[4000] = Number.NaN;
    spoilt[4002] = Number.POSITIVE_INFINITY;
    const clean = Float32Array.from(spoilt, (x) => (Number.isFinite(x) ? x : 0));
    const expected = await wholeSound(core, { sampleRate: 8000, channels: [clean] });
    const sources: [SoundSource, object][] = [
      [wavFile(spoilt, { tag: 3, bits: 32, rate: 8000 }), {}],
      [wavFile(spoilt, { tag: 3, bits: 64, rate: 8000 }), {}],
      [{ sampleRate: 8000, channels: [spoilt] }, {}],
      [[spoilt], { sampleRate: 8000 }],
      [new Uint8Array(spoilt.buffer), { raw: { format: "f32", sampleRate: 8000 } }],
    ];
    for (const [source, options] of sources) {
      await expect(soundOf(core, source, options)).rejects.toThrow(NonFiniteSamplesError);
      await expect(soundOf(core, source, options)).rejects.toThrow(/the first at 0\.500 s of channel 1/);
      const sound = await soundOf(core, source, { ...options, nonFinite: "zero" });
      const float64 = source instanceof Uint8Array && source.length > 60_000;
      if (!float64) expect(firstDifference(sound, expected)).toBe(-1);
      expect(sound.every(Number.isFinite)).toBe(true);
    }
    expect(spoilt[4000]).toBeNaN();
    const loud = wavFile([0, 32767, 0], { tag: 3, bits: 32 });
    await expect(soundOf(core, loud)).rejects.toThrow(/a sample of 32767 at 0\.000 s/);
    expect(inUse(core)).toBe(0);
  });

  it.each([
    ...["hello.flac", "hello.mp3", "hello.ogg", "hello.opus", "hello.m4a", "hello.aiff"],
    ...["hello-front.m4a", "hello-fragments.mp4", "hello.webm", "hello-vorbis.mkv"],
  ])("refuses half of %s, at the latest at its end", async (name) => {
    const core = await createCore();
    const bytes = await fixture(name);
    const half = bytes.slice(0, bytes.length / 2);
    await expect(soundOf(core, streamOf(randomPieces(half, 3000, SEED)))).rejects.toThrow(AudioFormatError);
    expect(inUse(core)).toBe(0);
  });

  it.each(["hello.flac", "hello.ogg", "hello.opus"])(
    "refuses %s with its middle overwritten",
    async (name) => {
      const core = await createCore();
      const bytes = await fixture(name);
      bytes.fill(0x55, bytes.length / 2, bytes.length / 2 + 300);
      await expect(soundOf(core, bytes)).rejects.toThrow(/damaged|cut off/);
      expect(inUse(core)).toBe(0);
    },
  );

  it("survives any file cut anywhere and overwritten anywhere: sound or an error of ours", async () => {
    const core = await createCore();
    const next = randomNumbers(SEED);
    const names = ["hello.flac", "hello.mp3", "hello.ogg", "hello.opus", "hello.m4a", "hello-front.m4a"];
    names.push("hello-fragments.mp4", "hello.aac", "hello.webm", "hello-vorbis.mkv", "hello.aiff");
    for (const name of names) {
      const bytes = await fixture(name);
      for (let round = 0; round < 8; round++) {
        const broken = bytes.slice(0, round % 2 ? bytes.length : Math.floor(next() * bytes.length));
        const at = Math.floor(next() * broken.length);
        broken.fill(Math.floor(next() * 256), at, at + Math.floor(200 * next()));
        const outcome = await soundOf(core, streamOf(randomPieces(broken, 5000, SEED + round))).catch(
          (e) => e,
        );
        if (!(outcome instanceof Float32Array)) {
          expect((outcome as { kind?: string }).kind, `${name} ${round}: ${outcome}`).toBe("input");
        }
      }
    }
    expect(inUse(core)).toBe(0);
  });

  it("holds an MP4 with its index behind only up to a limit, and only where it has to", async () => {
    const core = await createCore();
    const bytes = await fixture("hello.m4a");
    const options = { maxHeldBytes: 4000 };
    await expect(soundOf(core, streamOf([bytes]), options)).rejects.toThrow(/does not stream .* \+faststart/);
    expect((await soundOf(core, path("hello.m4a"), options)).length).toBeGreaterThan(22000);
    expect(
      (await soundOf(core, streamOf([await fixture("hello-front.m4a")]), options)).length,
    ).toBeGreaterThan(22000);
    const ima4 = await fixture("hello-ima4.aiff");
    await expect(soundOf(core, ima4, options)).rejects.toThrow(/AIFF file does not stream .* convert it/);
  });

  it("passes the error of a stream on and cancels what it no longer reads", async () => {
    const core = await createCore();
    const bytes = wavFile(NOISE, { rate: 44100 });
    const failing = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes.slice(0, 9000)),
      pull() {
        throw new Error("the network is gone");
      },
    });
    await expect(soundOf(core, failing)).rejects.toThrow("the network is gone");

    let cancelled: unknown;
    const reader = await openSound(
      core,
      streamOf(randomPieces(bytes, 999, SEED), (why) => {
        cancelled = why;
      }),
    );
    await reader.read(new Float32Array(10));
    await reader.close();
    await reader.close();
    expect((cancelled as Error).message).toMatch(/was closed/);
    await expect(reader.read(new Float32Array(10))).rejects.toThrow(/was closed/);

    let returned = 0;
    const iterable = {
      [Symbol.iterator]: () => {
        const pieces = randomPieces(bytes, 999, SEED)[Symbol.iterator]();
        return { next: () => pieces.next(), return: () => ({ done: true as const, value: returned++ }) };
      },
    };
    await (await openSound(core, iterable as Iterable<Uint8Array>)).close();
    expect(returned).toBe(1);
    await soundOf(core, iterable as Iterable<Uint8Array>);
    expect(returned).toBe(2); // a WAV ends before its source does
    await soundOf(core, iterable as Iterable<Uint8Array>, { raw: { format: "s16", sampleRate: 8000 } });
    expect(returned).toBe(2); // read to its end
    expect(inUse(core)).toBe(0);
  });

  it("stops at an abort while it waits, while it opens and in between, and gives everything back", async () => {
    const core = await createCore();
    const bytes = wavFile(NOISE, { rate: 44100 });
    const stalling = (after: Uint8Array[]) => {
      const state: { why?: unknown } = {};
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const chunk of after) controller.enqueue(chunk);
        },
        cancel(why) {
          state.why = why;
        },
      });
      return { stream, state };
    };
    const reason = new Error("stop");
    for (const stage of ["opening", "reading", "between"]) {
      const controller = new AbortController();
      const { stream, state } = stalling(stage === "opening" ? [] : [bytes.slice(0, 9000)]);
      const opening = openSound(core, stream, { signal: controller.signal });
      if (stage === "opening") {
        setTimeout(() => controller.abort(reason), 5);
        await expect(opening).rejects.toBe(reason);
      } else {
        const reader = await opening;
        await reader.read(new Float32Array(100));
        if (stage === "reading") {
          const waiting = reader.read(new Float32Array(20_000));
          await expect(reader.read(new Float32Array(1))).rejects.toThrow(/another read is under way/);
          controller.abort(reason);
          await expect(waiting).rejects.toBe(reason);
        } else {
          controller.abort(reason);
          expect(inUse(core)).toBe(0);
          await expect(reader.read(new Float32Array(1))).rejects.toBe(reason);
        }
      }
      expect(state.why, stage).toBe(reason);
      expect(inUse(core), stage).toBe(0);
    }
    const aborted = AbortSignal.abort(reason);
    await expect(openSound(core, bytes, { signal: aborted })).rejects.toBe(reason);
    const reader = await openSound(core, stalling([bytes.slice(0, 9000)]).stream);
    const waiting = reader.read(new Float32Array(20_000));
    await Promise.all([expect(waiting).rejects.toThrow(/was closed/), reader.close()]);
    expect(inUse(core)).toBe(0);
  });

  it("closes files on every way out", async () => {
    const core = await createCore();
    const folder = await mkdtemp(join(tmpdir(), "sound-"));
    try {
      const cut = join(folder, "cut.flac");
      await writeFile(cut, (await fixture("hello.flac")).subarray(0, 9000));
      const before = await openFiles();
      for (let i = 0; i < 20; i++) {
        await (await openSound(core, path("hello.flac"))).close();
        await readAll(await openSound(core, path("hello.flac"))); // to the end, which closes it
        await expect(soundOf(core, cut)).rejects.toThrow(AudioFormatError);
        await expect(openSound(core, path("make.sh"))).rejects.toThrow(/no sound file/);
      }
      expect(await openFiles()).toBe(before);
      await expect(openSound(core, join(folder, "none.wav"))).rejects.toThrow(FileError);
      await expect(openSound(core, folder)).rejects.toThrow(/it is a directory; give a file/);
      if (process.platform !== "win32") {
        await expect(openSound(core, "/dev/zero")).rejects.toThrow(/is a device/);
      }
      expect(await openFiles()).toBe(before);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each([
    ["nothing", undefined, {}, /sound is undefined/],
    ["a number", 5, {}, /sound is 5/],
    ["an empty file", new Uint8Array(0), {}, /file is empty/],
    ["a text", new TextEncoder().encode("this is no sound"), {}, /no sound file that wavepool knows/],
    ["strings", ["abc"], {}, /the stream gives "abc"; give Uint8Arrays/],
    ["float blocks without a rate", [NOISE], {}, /the stream gives a Float32Array; give Uint8Arrays/],
    ["bytes with a rate", [new Uint8Array(9)], { sampleRate: 16000 }, /the stream gives a Uint8Array/],
    ["a wrong target", new Uint8Array(9), { targetRate: 5 }, /targetRate is 5/],
    [
      "a wrong raw format",
      new Uint8Array(9),
      { raw: { format: "u8", sampleRate: 8000 } },
      /raw\.format is "u8"/,
    ],
    ["no raw rate", new Uint8Array(9), { raw: { format: "s16" } }, /raw\.sampleRate is undefined/],
    ["raw and a rate", [], { raw: { format: "s16", sampleRate: 8000 }, sampleRate: 8000 }, /both given/],
    ["a wrong policy", [], { nonFinite: "no" }, /nonFinite is "no"/],
    ["a wrong limit", [], { maxHeldBytes: -1 }, /maxHeldBytes is -1/],
  ])("refuses %s", async (_, source, options, message) => {
    const core = await createCore();
    const opening = soundOf(core, source as never, options as never);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toSatisfy(
      (error) => error instanceof InvalidArgumentError || error instanceof AudioFormatError,
    );
    expect(inUse(core)).toBe(0);
  });
});

/** File descriptors of this process, where the system tells. */
async function openFiles(): Promise<number> {
  const { readdir } = await import("node:fs/promises");
  return (await readdir("/proc/self/fd").catch(() => [])).length;
}
