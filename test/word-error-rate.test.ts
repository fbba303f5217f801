import { describe, expect, it } from "vitest";
import { normalize, wordErrorRate, wordErrors } from "./reference/word-error-rate.ts";

describe("the measure of word errors that the other tests rely on", () => {
  it.each([
    ["Mr. Hale's, um, don't-care [laughs] café!", "mister hale is do not care cafe"],
    ["twenty three and two hundred and one", "23 and 201"],
    ["half past seven, 1,200 or three thousand and five", "half past 7 1200 or 3005"],
    ["one two three", "123"],
    ["I'll say it's nine", "i will say it is 9"],
  ])("normalises %j", (text, expected) => {
    expect(normalize(text).join(" ")).toBe(expected);
  });

  it("maps spellings where a table is given", () => {
    expect(normalize("the colour", { colour: "color" })).toEqual(["the", "color"]);
  });

  it("counts substitutions, insertions and deletions", () => {
    expect(wordErrors(["a", "b", "c"], ["a", "b", "c"])).toBe(0);
    expect(wordErrors(["a", "b", "c"], ["a", "x", "c"])).toBe(1);
    expect(wordErrors(["a", "b", "c"], ["a", "c"])).toBe(1);
    expect(wordErrors(["a", "b"], ["a", "b", "c", "d"])).toBe(2);
    expect(wordErrors([], ["a"])).toBe(1);
    expect(wordErrorRate([["a b c d", "a b x d"]])).toBe(0.25);
  });
});
