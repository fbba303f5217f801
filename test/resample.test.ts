import { beforeAll, describe, expect, it } from "vitest";
import { type Core, createCore, InvalidArgumentError, monoReader, type PcmAudio } from "../src/index.ts";
import { tone } from "./reference/signals.ts";

/** The usual rates, and one that shares no factor with 16000. */
const RATES = [8000, 11025, 22050, 24000, 32000, 44100, 44101, 48000, 96000, 192000];

let core: Core;

beforeAll(async () => {
  core = await createCore();
});

/** One second of `hz` at `rate`, resampled to 16 kHz. */
function resampled(hz: number, rate: number): Float32Array {
  const reader = monoReader(core, { sampleRate: rate, channels: [tone(rate, hz, rate)] }, 16000);
  const out = new Float32Array(reader.length);
  reader.read(out, 0, reader.length);
  return out;
}

const decibels = (ratio: number) => 20 * Math.log10(ratio);
const rms = (x: Float32Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length);
/** The filter's edges see silence beyond the clip; look at what lies inside. */
const inside = (x: Float32Array) => x.subarray(200, x.length - 200);

describe("monoReader", () => {
  it.each(RATES)("keeps tones of the pass band in place and at their level from %i Hz", (rate) => {
    const nyquist = Math.min(rate, 16000) / 2;
    for (const part of [0.02, 0.25, 0.5, 0.85]) {
      const hz = Math.round(nyquist * part);
      const out = inside(resampled(hz, rate));
      const expected = inside(tone(16000, hz));
      const error = rms(out.map((x, i) => x - expected[i]!)) / rms(expected);
      expect(decibels(error), `${hz} Hz`).toBeLessThan(-65);
    }
  });

  it.each(RATES.filter((rate) => rate > 16000))("removes tones above 8 kHz from %i Hz", (rate) => {
    for (const hz of [8100, 9000, rate / 2 - 500].filter((hz) => hz > 8000 && hz < rate / 2)) {
      expect(decibels(rms(inside(resampled(hz, rate))) / Math.SQRT1_2), `${hz} Hz`).toBeLessThan(-80);
    }
  });

  it("makes no images above the old Nyquist when it raises the rate", () => {
    // 3 kHz at 8 kHz would have an image at 5 kHz: all energy must be explained by the tone itself.
    const out = inside(resampled(3000, 8000));
    const expected = inside(tone(16000, 3000));
    expect(decibels(rms(out.map((x, i) => x - expected[i]!)) / rms(expected))).toBeLessThan(-65);
  });

  it("reads the same samples from any position", () => {
    const audio = { sampleRate: 44100, channels: [tone(44100, 1000, 44100)] };
    const whole = new Float32Array(16000);
    monoReader(core, audio, 16000).read(whole, 0, 16000);
    const part = new Float32Array(500);
    monoReader(core, audio, 16000).read(part, 7777, 500);
    expect(part).toEqual(whole.slice(7777, 8277));
  });

  it("gives ceil(n × 16000 / rate) samples, at least one", () => {
    for (const [length, rate, expected] of [
      [1, 48000, 1],
      [48000, 48000, 16000],
      [44101, 44100, 16001],
      [1, 8000, 2],
      [5, 16000, 5],
    ] as const) {
      expect(monoReader(core, { sampleRate: rate, channels: [new Float32Array(length)] }, 16000).length).toBe(
        expected,
      );
    }
  });

  it("mixes channels to their mean", () => {
    const channels = [Float32Array.of(1, 0), Float32Array.of(0, 0.5), Float32Array.of(0.5, 1)];
    const out = new Float32Array(2);
    monoReader(core, { sampleRate: 16000, channels }, 16000).read(out, 0, 2);
    expect([...out]).toEqual([0.5, 0.5]);
  });

  it.each([
    [{ sampleRate: 0 }, /sampleRate is 0; give an integer from 1000 to 384000/],
    [{ sampleRate: 1.5 }, /sampleRate is 1\.5/],
    [{ sampleRate: Number.NaN }, /sampleRate is NaN/],
    [{ sampleRate: "16000" }, /sampleRate is "16000"/],
    [{ channels: [] }, /channels is an array of 0/],
    [{ channels: new Float32Array(3) }, /channels is a Float32Array; give an array/],
    [{ channels: [new Float32Array(0)] }, /channel 1 has 0 samples/],
    [{ channels: [new Int16Array(3)] }, /channel 1 is a Int16Array/],
    [{ channels: [new Float32Array(3), new Float32Array(2)] }, /channel 2 has 2 samples, channel 1 has 3/],
  ])("refuses %o", (wrong, message) => {
    const audio = { sampleRate: 16000, channels: [new Float32Array(1)], ...wrong } as PcmAudio;
    expect(() => monoReader(core, audio, 16000)).toThrow(InvalidArgumentError);
    expect(() => monoReader(core, audio, 16000)).toThrow(message);
  });

  it("refuses to read outside the clip or past the output", () => {
    const reader = monoReader(core, { sampleRate: 8000, channels: [new Float32Array(100)] }, 16000);
    const out = new Float32Array(50);
    for (const [start, count] of [
      [-1, 10],
      [0, 51],
      [190, 11],
      [0.5, 1],
    ] as const) {
      expect(() => reader.read(out, start, count)).toThrow(InvalidArgumentError);
    }
    reader.read(out, 150, 50);
  });
});
