import { describe, expect, it } from "vitest";
import { listenTo } from "../../src/transcription/window-sound.ts";
import { whiteNoise } from "../reference/signals.ts";

const RATE = 16000;
const SEED = 3;

/** Noise at a level for so many seconds each. */
function levels(...parts: [seconds: number, level: number][]): Float32Array {
  const length = parts.reduce((sum, [seconds]) => sum + Math.round(seconds * RATE), 0);
  const samples = whiteNoise(length, SEED);
  let at = 0;
  for (const [seconds, level] of parts) {
    const end = at + Math.round(seconds * RATE);
    for (; at < end; at++) samples[at]! *= level;
  }
  return samples;
}

const TWO = levels([2, 0.3], [0.6, 0.001], [2, 0.3]);

describe(`pauses (seed ${SEED})`, () => {
  it("hold a moment within them, and are found from nearby", () => {
    const sound = listenTo(TWO);
    for (const moment of [2, 2.3, 2.6, 1.7, 3]) {
      const pause = sound.pause(moment, 0.5)!;
      expect(pause.from).toBeCloseTo(2, 1);
      expect(pause.to).toBeCloseTo(2.6, 1);
    }
    expect(sound.pause(1.4, 0.5)).toBeUndefined();
    expect(sound.pause(3.2, 0.5)).toBeUndefined();
  });

  it("begin or end with the window where it is silent there", () => {
    const sound = listenTo(levels([1, 0.001], [2, 0.3], [1, 0.001]));
    expect(sound.pause(0, 0.5)).toMatchObject({ from: 0 });
    expect(sound.pause(0.2, 0.1)?.to).toBeCloseTo(1, 1);
    expect(sound.pause(4, 0.5)).toMatchObject({ to: 4 });
  });

  it("are not what is shorter than a fifth of a second", () => {
    expect(listenTo(levels([2, 0.3], [0.15, 0.001], [2, 0.3])).pause(2.05, 0.5)).toBeUndefined();
  });

  it("are told by the sound around them: a quiet voice is not a pause of a loud one", () => {
    const sound = listenTo(levels([8, 0.5], [8, 0.01], [0.5, 0.0005], [8, 0.01]));
    expect(sound.pause(14, 0.5)).toBeUndefined();
    expect(sound.pause(16.2, 0.5)?.to).toBeCloseTo(16.5, 1);
  });

  it("lie in hum as in silence", () => {
    const hum = TWO.map((x, i) => x + 0.2 * Math.sin((2 * Math.PI * 50 * i) / RATE));
    expect(listenTo(hum).pause(2.3, 0.2)?.to).toBeCloseTo(2.6, 1);
  });

  it("are measured: the longest within, and the sound beside them", () => {
    const sound = listenTo(levels([2, 0.3], [0.3, 0.001], [2, 0.3], [0.7, 0.001], [2, 0.3], [1, 0.001]));
    expect(sound.longestPause(0.5, 6.5)?.from).toBeCloseTo(4.3, 1);
    expect(sound.longestPause(0.5, 4.5)?.from).toBeCloseTo(2, 1);
    expect(sound.longestPause(0.5, 1.5)).toBeUndefined();
    expect(sound.sounding(1, 5)).toBeCloseTo(3, 1);
    expect(Math.abs(sound.sounding(0, 8) - 6)).toBeLessThanOrEqual(0.06); // a frame at each edge
    expect(sound.sounding(4.4, 4.9)).toBe(0);
  });

  it("are not told where loud and quiet are much the same, or there is nothing", () => {
    expect(listenTo(levels([3, 0.3], [0.5, 0.15], [3, 0.3])).pause(3.2, 0.5)).toBeUndefined();
    expect(listenTo(new Float32Array(RATE)).pause(0.5, 0.5)).toBeUndefined();
    expect(listenTo(new Float32Array(0)).pause(0, 0.5)).toBeUndefined();
  });
});
