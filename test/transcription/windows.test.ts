import { describe, expect, it } from "vitest";
import { leadingSilence, quietestCut } from "../../src/transcription/windows.ts";
import { whiteNoise } from "../reference/signals.ts";

describe("quietestCut", () => {
  it("cuts in the middle of a pause within the last five seconds (seed 3)", () => {
    const samples = whiteNoise(480000, 3);
    samples.fill(0, 430000, 434000);
    expect(quietestCut(samples)).toBeGreaterThan(431000);
    expect(quietestCut(samples)).toBeLessThan(433000);
  });

  it("ignores pauses before that (seed 4)", () => {
    const samples = whiteNoise(480000, 4);
    samples.fill(0, 100000, 200000);
    expect(quietestCut(samples)).toBeGreaterThanOrEqual(400000);
  });

  it("cuts near the end where all is equally loud", () => {
    expect(quietestCut(new Float32Array(480000).fill(0.5))).toBe(478400);
  });
});

describe("leadingSilence", () => {
  const sound = (silent: number, floor = 0) => {
    const samples = whiteNoise(480000, 5).map((x) => x * 0.5);
    for (let i = 0; i < silent; i++) samples[i]! *= floor;
    return samples;
  };

  it("leaves 0.3 s before the first sound after more than a second (seed 5)", () => {
    expect(leadingSilence(sound(100000))).toBe(100000 - 4800);
    expect(leadingSilence(sound(100000, 0.001))).toBe(100000 - 4800);
  });

  it("leaves shorter silence, a noisy start and windows without any sound alone (seed 5)", () => {
    expect(leadingSilence(sound(16000))).toBe(0);
    expect(leadingSilence(sound(100000, 0.05))).toBe(0);
    expect(leadingSilence(new Float32Array(480000))).toBe(0);
    expect(leadingSilence(new Float32Array(0))).toBe(0);
  });
});
