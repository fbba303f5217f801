import { describe, expect, it } from "vitest";
import { AudioFormatError, readWav } from "../src/index.ts";
import { tone } from "./reference/signals.ts";
import { wavFile } from "./reference/wav-file.ts";

const SAMPLES = tone(1000, 440);

describe("readWav", () => {
  it.each([
    { tag: 1, bits: 8, step: 2 ** -7 },
    { tag: 1, bits: 16, step: 2 ** -15 },
    { tag: 1, bits: 24, step: 2 ** -23 },
    { tag: 1, bits: 32, step: 2 ** -23 },
    { tag: 3, bits: 32, step: 0 },
    { tag: 3, bits: 64, step: 0 },
  ])("reads tag $tag of $bits bits, plain and extensible, 1 to 8 channels", ({ tag, bits, step }) => {
    for (const extensible of [false, true]) {
      for (let channels = 1; channels <= 8; channels++) {
        const audio = readWav(wavFile(SAMPLES, { tag, bits, extensible, channels, rate: 44100 }));
        expect(audio.sampleRate).toBe(44100);
        expect(audio.channels).toHaveLength(channels);
        for (const channel of audio.channels) {
          expect(channel).toHaveLength(1000);
          // One step, not half: the positive end of the range is one step short of 1.
          expect(channel.findIndex((x, i) => !(Math.abs(x - SAMPLES[i]!) <= step))).toBe(-1);
        }
      }
    }
  });

  it("skips other chunks, odd sizes included, and ignores what follows the data", () => {
    const bytes = wavFile([0.5], { before: [{ id: "LIST", bytes: new Uint8Array(7) }] });
    expect(readWav(Uint8Array.from([...bytes, 1, 2, 3])).channels[0]![0]).toBe(0.5);
  });

  it("reads a view that does not begin at its buffer's start", () => {
    const bytes = wavFile([0.25, -0.25]);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect([...readWav(shifted.subarray(3)).channels[0]!]).toEqual([0.25, -0.25]);
  });

  const good = wavFile(SAMPLES);
  it.each([
    ["a file that ends in its header", good.subarray(0, 10), /header is cut off after 10 bytes/],
    ["a file that ends in its format", good.subarray(0, 30), /chunk "fmt " claims 16 bytes, 10 are there/],
    ["a file without data", good.subarray(0, 36), /no data chunk/],
    ["a file that ends in its data", good.subarray(0, 100), /data chunk claims 2000 bytes, 56 are there/],
    [
      "a file that claims 4 GB",
      wavFile(SAMPLES, { claimedBytes: 0xffffffff }),
      /claims 4294967295 bytes, 2000 are there/,
    ],
    ["zero channels", wavFile([], { channels: 0 }), /has 0 channels/],
    ["nine channels", wavFile([0], { channels: 9 }), /has 9 channels/],
    ["a rate of zero", wavFile([0], { rate: 0 }), /sample rate is 0 Hz/],
    ["another codec", wavFile([0], { tag: 0x11 }), /unknown WAV codec 0x0011; convert it to PCM/],
    ["an odd width", wavFile([0], { bits: 40 }), /40-bit PCM samples/],
    ["no samples", wavFile([]), /holds no samples/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readWav(bytes)).toThrow(AudioFormatError);
    expect(() => readWav(bytes)).toThrow(message);
  });

  it("refuses a sub-format that only begins like PCM", () => {
    const bytes = wavFile(SAMPLES, { extensible: true });
    bytes[50] = 99;
    expect(() => readWav(bytes)).toThrow(/unknown sub-format/);
  });

  it("refuses a block size that does not fit its samples", () => {
    const bytes = wavFile(SAMPLES);
    bytes[32] = 3;
    expect(() => readWav(bytes)).toThrow(/block of 3 bytes does not hold 1 channels of 16 bits/);
  });

  it("survives every truncation and every flipped header byte with a typed error or a result", () => {
    const bytes = wavFile(SAMPLES.subarray(0, 20), { extensible: true });
    for (let length = 12; length < bytes.length; length++) {
      expect(() => readWav(bytes.subarray(0, length))).toThrow(AudioFormatError);
    }
    for (let at = 4; at < 68; at++) {
      for (const flip of [1, 0x80, 0xff]) {
        const broken = bytes.slice();
        broken[at]! ^= flip;
        try {
          expect(readWav(broken).channels.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error, `byte ${at} flipped by ${flip}`).toBeInstanceOf(AudioFormatError);
        }
      }
    }
  });
});
