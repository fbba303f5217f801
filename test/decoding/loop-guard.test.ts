import { describe, expect, it } from "vitest";
import { createLoopGuard, cutRepetition } from "../../src/decoding/loop-guard.ts";

const END = 1000;
/** Ids from 900 on hold but further bytes of a character. */
const tokenizer = { endOfText: END, beginsCharacter: (token: number) => token < 900 };
const stamp = (index: number) => END + 100 + index;
const distinct = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

describe("createLoopGuard", () => {
  it("sees a loop through the timestamps between its copies", () => {
    const guard = createLoopGuard(tokenizer, undefined);
    const segments = Array.from({ length: 16 }, (_, i) => [stamp(50 * i), 1, 2, 3, stamp(50 * i + 50)]);
    expect(guard(segments.slice(0, 15).flat())).toBeUndefined();
    expect(guard(segments.flat())).toBe("repetition");
  });

  it("caps the tokens that can be spoken in the time", () => {
    const guard = createLoopGuard(tokenizer, 5);
    expect(guard(distinct(84))).toBeUndefined();
    expect(guard(distinct(85))).toBe("rate");
    expect(createLoopGuard(tokenizer, 5, 20)(distinct(85))).toBeUndefined();
    expect(createLoopGuard(tokenizer, 5, Number.POSITIVE_INFINITY)(distinct(800))).toBeUndefined();
    expect(createLoopGuard(tokenizer, undefined)(distinct(800))).toBeUndefined();
  });

  it("counts neither timestamps nor further bytes of a character", () => {
    const guard = createLoopGuard(tokenizer, 0);
    expect(guard([...distinct(24), ...distinct(100, 900), ...distinct(100, END + 100)])).toBeUndefined();
    expect(guard([...distinct(25), ...distinct(100, 900)])).toBe("rate");
  });
});

describe("cutRepetition", () => {
  it("leaves one copy and what stands before it, with their timestamps", () => {
    const segments = Array.from({ length: 16 }, (_, i) => [stamp(i), 1, 2, 3, stamp(i + 1)]);
    const tokens = [stamp(0), 9, 8, stamp(0), ...segments.flat()];
    expect(cutRepetition(tokens, tokenizer)).toEqual([
      stamp(0),
      9,
      8,
      stamp(0),
      stamp(0),
      1,
      2,
      3,
      stamp(1),
      stamp(1),
    ]);
  });

  it("leaves a text without a loop as it is", () => {
    expect(cutRepetition(distinct(200), tokenizer)).toEqual(distinct(200));
  });
});
