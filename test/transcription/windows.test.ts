import { describe, expect, it } from "vitest";
import { quietestCut } from "../../src/transcription/windows.ts";
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
