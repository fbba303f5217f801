import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findRepetition } from "../../src/decoding/repetition.ts";

const repeat = (phrase: number[], times: number) => Array.from({ length: times }, () => phrase).flat();

describe("findRepetition", () => {
  it("finds a phrase that follows on itself to the end, whatever stands before it and at whatever phase", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 100, max: 1e6 }), { maxLength: 60 }),
        fc.uniqueArray(fc.nat(99), { minLength: 1, maxLength: 32 }),
        fc.nat(31),
        (before, phrase, more) => {
          const times = Math.max(5, Math.ceil(48 / phrase.length));
          const tokens = [...before, ...repeat(phrase, times), ...phrase.slice(0, more % phrase.length)];
          expect(findRepetition(tokens)).toEqual({ start: before.length, period: phrase.length });
        },
      ),
    );
  });

  it("leaves alone what does not repeat, and what people repeat", () => {
    const counting = Array.from({ length: 200 }, (_, i) => i >> 1).map((n, i) => (i % 2 ? 13 : 1000 + n));
    expect(findRepetition(counting)).toBeUndefined();
    expect(findRepetition(repeat([7, 13], 20))).toBeUndefined(); // "no, no, no …" twenty times
    expect(findRepetition(repeat([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], 4))).toBeUndefined(); // a chorus
    expect(findRepetition([])).toBeUndefined();
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1e6), { maxLength: 224 }), (tokens) => {
        expect(findRepetition(tokens)).toBeUndefined();
      }),
    );
  });

  it("forgets a loop that the text got out of", () => {
    expect(findRepetition([...repeat([5], 60), 6])).toBeUndefined();
  });
});
