import { describe, expect, it } from "vitest";
import { cutIntoSegments, type DecodedWindow } from "../../src/transcription/segments.ts";

/** Id of <|0.00|> in these tests; text tokens lie below and stand for their own number. */
const BEGIN = 1000;
const at = (seconds: number) => BEGIN + Math.round(seconds / 0.02);
const text = (tokens: readonly number[]) => tokens.map((token) => ` w${token}`).join("");
const PLACE = { start: 60, seconds: 30 };

function window(...tokens: number[]): DecodedWindow {
  return { tokens, temperature: 0.2, avgLogprob: -0.3, compressionRatio: 1.5, noSpeechProb: 0.1 };
}
const cut = (...tokens: number[]) => cutIntoSegments(window(...tokens), PLACE, BEGIN, text);
const spans = (...tokens: number[]) =>
  cut(...tokens).segments.map(({ start, end, text }) => [start, end, text]);

describe("cutIntoSegments", () => {
  it("cuts at pairs of timestamps and goes on where the last finished segment ended", () => {
    const tokens = [at(0), 1, 2, at(2.5), at(2.5), 3, at(4), at(6), 4, 5];
    expect(spans(...tokens)).toEqual([
      [60, 62.5, " w1 w2"],
      [62.5, 64, " w3"],
    ]);
    expect(cut(...tokens).advance).toBeCloseTo(4);
  });

  it("takes the whole window when the text ends with a single timestamp", () => {
    const tokens = [at(0), 1, at(2), at(3), 2, at(5)];
    expect(spans(...tokens)).toEqual([
      [60, 62, " w1"],
      [63, 65, " w2"],
    ]);
    expect(cut(...tokens).advance).toBe(30);
  });

  it("makes one segment of a text without pairs, up to its last timestamp", () => {
    expect(spans(at(0), 1, 2, at(7))).toEqual([[60, 67, " w1 w2"]]);
    expect(spans(1, 2)).toEqual([[60, 90, " w1 w2"]]);
    expect(spans(at(0), 1)).toEqual([[60, 90, " w1"]]);
    expect(cut(at(0), 1).advance).toBe(30);
  });

  it("leaves out what has no length or no text", () => {
    expect(spans(at(1), 1, at(1), at(1), at(2), at(2), 3, at(3), at(3))).toEqual([[62, 63, " w3"]]);
    expect(spans()).toEqual([]);
    expect(cut().advance).toBe(30);
  });

  it("sets times beyond the window to its end", () => {
    const place = { start: 0, seconds: 4.2 };
    const { segments, advance } = cutIntoSegments(
      window(at(0), 1, at(3), at(3), 2, at(9), at(9)),
      place,
      BEGIN,
      text,
    );
    expect(segments.map(({ start, end }) => [start, end])).toEqual([
      [0, 3],
      [3, 4.2],
    ]);
    expect(advance).toBeCloseTo(4.2);
  });

  it("always advances, whatever the tokens say", () => {
    expect(cut(at(0), at(0), 1).advance).toBe(30);
  });

  it("carries the window's figures and its place in frames", () => {
    expect(cut(at(0), 1, at(1)).segments[0]).toMatchObject({
      seek: 6000,
      tokens: [at(0), 1, at(1)],
      temperature: 0.2,
      avgLogprob: -0.3,
      compressionRatio: 1.5,
      noSpeechProb: 0.1,
    });
  });
});
