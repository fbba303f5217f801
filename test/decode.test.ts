import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import {
  AudioFormatError,
  createCore,
  decodeAudio,
  duration,
  monoReader,
  NonFiniteSamplesError,
} from "../src/index.ts";
import { SAMPLE } from "./reference/sample.ts";
import { wavFile } from "./reference/wav-file.ts";

const fixture = (name: string) => readFile(new URL(`fixtures/${name}`, import.meta.url));

describe("decodeAudio", () => {
  it.each(["hello.flac", "hello.mp3", "hello.ogg", "hello.opus", "hello.m4a"])("decodes %s", async (name) => {
    const original = await decodeAudio(await readFile(SAMPLE));
    const audio = await decodeAudio(await fixture(name));
    expect(duration(audio)).toBeGreaterThan(1.45);
    expect(duration(audio)).toBeLessThan(1.65);
    // Codecs shift and colour the sound; its loudness in the middle must stay.
    const energy = (reader: ReturnType<typeof monoReader>) => {
      const samples = new Float32Array(8000);
      reader.read(samples, 11000, 8000);
      return Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / 8000);
    };
    const core = await createCore();
    const ratio = energy(monoReader(core, audio, 16000)) / energy(monoReader(core, original, 16000));
    expect(Math.abs(ratio - 1)).toBeLessThan(0.15);
  });

  it("decodes a Buffer that is a part of a larger one, as Node's small ones are", async () => {
    const bytes = await fixture("hello.ogg");
    const whole = await decodeAudio(bytes);
    const part = Buffer.concat([Buffer.alloc(100), bytes]).subarray(100);
    expect((await decodeAudio(part)).channels[0]).toEqual(whole.channels[0]);
  });

  it("decodes FLAC to the very samples of the WAV", async () => {
    const original = await decodeAudio(await readFile(SAMPLE));
    const samples = (await decodeAudio(await fixture("hello.flac"))).channels[0]!;
    expect(samples).toHaveLength(24000);
    for (let i = 0; i < 24000; i++) expect(samples[i]).toBeCloseTo(original.channels[0]![i]!, 7);
  });

  it.each(["hello.flac", "hello.mp3", "hello.ogg", "hello.opus", "hello.m4a"])(
    "refuses half of %s",
    async (name) => {
      const bytes = await fixture(name);
      await expect(decodeAudio(bytes.subarray(0, bytes.length / 2))).rejects.toThrow(AudioFormatError);
    },
  );

  it.each(["hello.flac", "hello.ogg", "hello.opus"])(
    "refuses %s with its middle overwritten",
    async (name) => {
      const bytes = Uint8Array.from(await fixture(name));
      bytes.fill(0x55, bytes.length / 2, bytes.length / 2 + 300);
      await expect(decodeAudio(bytes)).rejects.toThrow(/damaged|cut off/);
    },
  );

  it.each([
    ["an empty file", new Uint8Array(0), /file is empty/],
    [
      "a text",
      new TextEncoder().encode("this is not a sound file at all"),
      /no sound file that wavepool knows/,
    ],
    [
      "a cut-off FLAC",
      new Uint8Array(new TextEncoder().encode("fLaC\0\0\0\x22")),
      /ends before its first sample/,
    ],
    ["big-endian WAV", new TextEncoder().encode("RIFX0000WAVE"), /"RIFX" files are not supported/],
  ])("refuses %s", async (_, bytes, message) => {
    await expect(decodeAudio(bytes)).rejects.toThrow(AudioFormatError);
    await expect(decodeAudio(bytes)).rejects.toThrow(message);
  });

  it("reports NaN samples with their time and channel", async () => {
    const samples = new Float32Array(16000);
    samples[8000] = Number.NaN;
    samples[8001] = Number.NEGATIVE_INFINITY;
    const bytes = wavFile(samples, { tag: 3, bits: 32 });
    await expect(decodeAudio(bytes)).rejects.toThrow(NonFiniteSamplesError);
    await expect(decodeAudio(bytes)).rejects.toThrow(/2 of 16000 samples .* first at 0\.500 s of channel 1/);
  });
});
