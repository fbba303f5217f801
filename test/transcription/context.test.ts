import { describe, expect, it } from "vitest";
import { contextFrames, isDoubtful, takesTail } from "../../src/transcription/context.ts";

const BASE = { width: 512, decoderLayers: 6 };
const TINY = { width: 384, decoderLayers: 4 };
const LARGE = { width: 1280, decoderLayers: 32 };

describe("contextFrames", () => {
  it("follows the clip: at least 8 s, and 2 s more than it, with a silence tail", () => {
    const frames = (seconds: number) => contextFrames(seconds, "auto", true, true, BASE);
    expect([0.5, 6, 7, 10, 20].map(frames)).toEqual([800, 800, 900, 1200, 2200]);
    expect([22.5, 29, 30].map(frames)).toEqual([3000, 3000, 3000]);
  });

  it("is more careful without the tail, and takes all with tiny", () => {
    expect(contextFrames(3, "auto", true, false, BASE)).toBe(1000);
    expect(contextFrames(3, "auto", true, false, TINY)).toBe(3000);
  });

  it("takes all where it was not tried, where the graph takes no less, and when asked to", () => {
    expect(contextFrames(3, "auto", true, true, LARGE)).toBe(3000);
    expect(contextFrames(3, "auto", false, true, BASE)).toBe(3000);
    expect(contextFrames(3, "full", true, true, BASE)).toBe(3000);
    expect([takesTail(BASE), takesTail(TINY), takesTail(LARGE)]).toEqual([true, true, false]);
  });

  it("rounds up to the lengths that there are, where there are only some", () => {
    const lengths = [1000, 2000, 3000];
    const frames = (seconds: number) => contextFrames(seconds, "auto", true, true, BASE, lengths);
    expect([0.5, 8, 8.01, 18, 18.01, 25].map(frames)).toEqual([1000, 1000, 2000, 2000, 3000, 3000]);
    expect(contextFrames(3, "auto", true, true, LARGE, lengths)).toBe(3000);
    expect(contextFrames(3, { least: 5, margin: 1 }, true, false, LARGE, lengths)).toBe(1000);
    expect(contextFrames(3, "auto", true, true, BASE, [1500])).toBe(1500);
    expect(contextFrames(20, "auto", true, true, BASE, [1500])).toBe(3000);
  });

  it("takes a rule of one's own for models of any size", () => {
    expect(contextFrames(3, { least: 5, margin: 1 }, true, false, LARGE)).toBe(500);
    expect(contextFrames(0, { least: 0, margin: 0 }, true, false, LARGE)).toBe(50);
    expect(contextFrames(7.01, { least: 5, margin: 1 }, true, false, LARGE)).toBe(850);
  });
});

describe("isDoubtful", () => {
  const heard = { text: "Guten Morgen.", failed: false, truncated: false, silent: false };

  it("trusts a text that ends and passes", () => {
    expect(isDoubtful(heard, 2)).toBe(false);
  });

  it.each(["failed", "truncated", "silent"] as const)("asks the full window for what %s", (what) => {
    expect(isDoubtful({ ...heard, [what]: true }, 2)).toBe(true);
  });

  it("asks the full window for a text that is short for its sound, as one that ended early is", () => {
    expect(isDoubtful(heard, 6.5)).toBe(false);
    expect(isDoubtful(heard, 6.6)).toBe(true);
    expect(isDoubtful({ ...heard, text: "" }, 0.5)).toBe(true);
  });
});
