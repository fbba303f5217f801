import { describe, expect, it } from "vitest";
import { createTokenChooser } from "../src/decoding/token-chooser.ts";
import { ModelFormatError } from "../src/index.ts";

const config = { vocabularySize: 10, suppress: [2, 3], suppressFirst: [1, 4] };
const choose = createTokenChooser(config, 8);

/** Logits of two tokens, of which only the last row counts; `high` are the tokens in falling order of it. */
function logits(high: number[], vocabulary = 10): Float32Array {
  const data = new Float32Array(2 * vocabulary);
  data.fill(100, 0, vocabulary);
  for (const [rank, id] of high.entries()) data[vocabulary + id] = 50 - rank;
  return data;
}

describe("createTokenChooser", () => {
  it("takes the highest of the last row", () => {
    expect(choose(logits([7, 5]), false)).toBe(7);
  });

  it("passes over suppressed tokens and timestamps", () => {
    expect(choose(logits([2, 3, 8, 9, 6, 5]), false)).toBe(6);
  });

  it("passes over blanks and the end of text for the first token alone", () => {
    expect(choose(logits([1, 4, 5]), true)).toBe(5);
    expect(choose(logits([1, 4, 5]), false)).toBe(1);
  });

  it("refuses logits of which none is a number", () => {
    expect(() => choose(new Float32Array(10).fill(Number.NaN), false)).toThrow(ModelFormatError);
  });
});
