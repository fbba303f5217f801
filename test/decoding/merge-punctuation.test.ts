import { describe, expect, it } from "vitest";
import type { WordTiming } from "../../src/decoding/align-words.ts";
import { mergePunctuation } from "../../src/decoding/merge-punctuation.ts";

function timings(words: string[]): WordTiming[] {
  return words.map((word, i) => ({ word, tokens: [i], start: i, end: i + 1, probability: 1 }));
}

function merged(words: string[]): [string, number[]][] {
  return mergePunctuation(timings(words)).map(({ word, tokens }): [string, number[]] => [word, tokens]);
}

describe("mergePunctuation", () => {
  it("joins punctuation to the word before, and opening marks to the word after", () => {
    expect(merged([" He", " said", ",", ' "', "hello", "!", '"'])).toEqual([
      [" He", [0]],
      [" said,", [1, 2]],
      ["", []],
      ["", []],
      [' "hello!"', [3, 4, 5, 6]],
      ["", []],
      ["", []],
    ]);
  });

  it("leaves words alone, keeps times, and does not touch what it is given", () => {
    const given = timings([" one", " two", "."]);
    const result = mergePunctuation(given);
    expect(result[1]).toEqual({ word: " two.", tokens: [1, 2], start: 1, end: 2, probability: 1 });
    expect(result[0]!.word).toBe(" one");
    expect(given[1]!.tokens).toEqual([1]);
  });

  it("takes nothing for nothing", () => {
    expect(mergePunctuation([])).toEqual([]);
  });
});
