import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { medianFilter } from "../../src/decoding/median-filter.ts";

/** SciPy's `median_filter` with mode "mirror", which openai/whisper's own test compares with, for one row. */
function restated(values: number[], width: number): number[] {
  const half = (width - 1) / 2;
  const mirrored = [
    ...values.slice(1, half + 1).reverse(),
    ...values,
    ...values.slice(-half - 1, -1).reverse(),
  ];
  return values.map((_, i) => mirrored.slice(i, i + width).sort((a, b) => a - b)[half]!);
}

describe("medianFilter", () => {
  it("is the median around each value, the ends mirrored", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(3, 5, 7, 13),
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 7, maxLength: 40 }),
        (width, values) => {
          const filtered = Float64Array.from(values);
          medianFilter(filtered, width);
          expect([...filtered].map((x) => x + 0)).toEqual(restated(values, width).map((x) => x + 0));
        },
      ),
    );
  });

  it("leaves rows too short to mirror as they are", () => {
    const values = Float64Array.of(3, 1, 2);
    medianFilter(values, 7);
    expect([...values]).toEqual([3, 1, 2]);
  });
});
