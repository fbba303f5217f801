import { describe, expect, it } from "vitest";
import { readRawSound } from "../../src/cli/raw-sound.ts";
import { AudioFormatError, NonFiniteSamplesError } from "../../src/core/errors.ts";

describe("readRawSound", () => {
  it("takes 16-bit samples apart into channels", () => {
    const bytes = new Uint8Array(new Int16Array([-32768, 16384, 0, -1, 32767, 1]).buffer);
    expect(readRawSound(bytes, { format: "s16", sampleRate: 8000, channels: 2 })).toEqual({
      sampleRate: 8000,
      channels: [new Float32Array([-1, 0, 32767 / 32768]), new Float32Array([0.5, -1 / 32768, 1 / 32768])],
    });
  });

  it("takes float samples as they are, wherever they begin", () => {
    const samples = new Float32Array([0.25, -1, 1e-9]);
    const bytes = new Uint8Array(13);
    bytes.set(new Uint8Array(samples.buffer), 1);
    const { channels } = readRawSound(bytes.subarray(1), { format: "f32", sampleRate: 16000, channels: 1 });
    expect(channels).toEqual([samples]);
  });

  it("refuses what is no whole number of frames, nothing, and what is no sound", () => {
    const read = (bytes: Uint8Array, channels = 1) =>
      readRawSound(bytes, { format: "f32", sampleRate: 16000, channels });
    expect(() => read(new Uint8Array(0))).toThrow(AudioFormatError);
    expect(() => read(new Uint8Array(12), 2)).toThrow(
      "12 bytes are no whole number of 8-byte frames (2 × f32); check --raw and --channels",
    );
    expect(() => read(new Uint8Array(new Float32Array([0, Number.NaN]).buffer))).toThrow(
      NonFiniteSamplesError,
    );
  });
});
