import { readFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { createBufferPool, createCore, createFrontEnd, readWav } from "../../src/index.ts";
import { windowFeatures } from "../../src/transcription/window-features.ts";
import { SAMPLE } from "../reference/sample.ts";
import { whiteNoise } from "../reference/signals.ts";

const RATE = 16000;
const core = await createCore({ threads: false });
const frontEnd = createFrontEnd(core, { preset: "whisper-80" });
const audio = createBufferPool(core, { name: "audio", dtype: "f32", shape: 480000, max: 1 }).acquire();
const mels = createBufferPool(core, { name: "mel", dtype: "f32", shape: [80, 3000], max: 1 }).acquire();
const samples = audio.view;
const mel = mels.view;
afterAll(() => {
  audio.release();
  mels.release();
});
const speech = readWav(new Uint8Array(await readFile(SAMPLE))).channels[0]!;

function features(sound: Float32Array, frames = 3000) {
  samples.fill(9); // what lies behind the window must not count
  samples.set(sound);
  return windowFeatures(frontEnd, samples, sound.length, mel, frames);
}

const seconds = (s: number, at: (t: number) => number) =>
  Float32Array.from({ length: s * RATE }, (_, i) => at(i / RATE));
const tone = (hertz: number) => (t: number) => 0.3 * Math.sin(2 * Math.PI * hertz * t);

describe("windowFeatures", () => {
  it("keeps the first frames of the padded window's features", () => {
    const whole = features(speech).view.slice();
    const { view } = features(speech, 800);
    expect(view).toHaveLength(80 * 800);
    for (const [m, i] of [
      [0, 0],
      [1, 799],
      [79, 0],
      [40, 333],
      [79, 799],
    ] as const) {
      expect(view[m * 800 + i]).toBe(whole[m * 3000 + i]);
    }
  });

  it("hears speech, also half a second of it and quiet", () => {
    expect(features(speech).steady).toBe(false);
    expect(features(speech.subarray(RATE / 2, RATE)).steady).toBe(false);
    expect(features(speech.map((x) => x * 0.001)).steady).toBe(false);
  });

  it.each([
    ["silence", new Float32Array(RATE)],
    ["a sample", new Float32Array(1)],
    ["white noise (seed 1)", whiteNoise(5 * RATE, 1)],
    ["faint white noise (seed 2)", whiteNoise(30 * RATE, 2).map((x) => x * 1e-4)],
    ["a tone", seconds(8, tone(440))],
    ["a chord", seconds(8, (t) => (tone(262)(t) + tone(330)(t) + tone(392)(t)) / 3)],
    ["a constant", new Float32Array(3 * RATE).fill(0.2)],
  ])("takes %s for steady", (_, sound) => {
    expect(features(sound).steady).toBe(true);
  });
});
