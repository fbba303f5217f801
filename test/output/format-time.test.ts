import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidArgumentError } from "../../src/core/errors.ts";
import { formatTime, milliseconds } from "../../src/output/format-time.ts";

const SEED = 41;

describe("milliseconds", () => {
  it("rounds halves to the even neighbour, as Python does", () => {
    // 0.0005 · 1000 and the like are exact halves in binary.
    expect([0.0005, 0.0015, 0.0025, 0.0035].map(milliseconds)).toEqual([0, 2, 2, 4]);
    expect([0, 0.0004, 0.0006, 1.2, 7.9999].map(milliseconds)).toEqual([0, 0, 1, 1200, 8000]);
  });

  it.each([-0.001, Number.NaN, Number.POSITIVE_INFINITY, "1" as unknown as number])("refuses %s", (time) => {
    expect(() => milliseconds(time)).toThrow(InvalidArgumentError);
    expect(() => milliseconds(time)).toThrow(/a time of .* s; give a finite number/);
  });
});

describe("formatTime", () => {
  it.each([
    [0, "00:00:00,000", "00:00.000"],
    [59.9996, "00:01:00,000", "01:00.000"],
    [3599.999, "00:59:59,999", "59:59.999"],
    [3600, "01:00:00,000", "01:00:00.000"],
    [45296.789, "12:34:56,789", "12:34:56.789"],
    [360000.5, "100:00:00,500", "100:00:00.500"],
  ])("writes %s s as %s and %s", (seconds, srt, vtt) => {
    expect(formatTime(seconds, "always", ",")).toBe(srt);
    expect(formatTime(seconds, "from-one", ".")).toBe(vtt);
  });

  it(`gives whole milliseconds back exactly (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (ms) => {
        const [h, m, s] = formatTime(ms / 1000, "always", ".").split(":");
        expect(Number(h) * 3_600_000 + Number(m) * 60_000 + Math.round(Number(s) * 1000)).toBe(ms);
      }),
      { seed: SEED },
    );
  });
});
