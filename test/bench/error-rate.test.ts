import { describe, expect, it } from "vitest";
import {
  align,
  bootstrap,
  countErrors,
  editDistance,
  normalWords,
  rates,
} from "../../bench/wer/error-rate.mjs";

const words = (text: string) => text.split(" ");

describe("error rates", () => {
  it("counts word and character errors of normal forms", () => {
    const counts = countErrors("Mr. Hale's café", "mister hail is cafes");
    // mister hale is cafe: two words wrong; hale → hail are two characters, the s is one more
    expect(counts).toEqual({ words: 4, wordErrors: 2, characters: 19, characterErrors: 3 });
    expect(rates([counts, countErrors("a b c d", "a b c d")])).toEqual({ wer: 2 / 8, cer: 3 / 26 });
  });

  it("keeps the accents of other languages than English, and leaves their words alone", () => {
    expect(normalWords("Un été, l'Élève… [rires]", {}, "fr")).toEqual(["un", "été", "l", "élève"]);
    expect(normalWords("Ёлка — это Ёж!", {}, "ru")).toEqual(["ёлка", "это", "ёж"]);
    expect(countErrors("un été", "un ete", {}, "fr").wordErrors).toBe(1);
    expect(countErrors("un été", "un ete").wordErrors).toBe(0);
  });

  it("is symmetric, and zero for the same", () => {
    expect(editDistance("kitten", "sitting")).toBe(3);
    expect(editDistance("sitting", "kitten")).toBe(3);
    expect(editDistance("", "abc")).toBe(3);
    expect(editDistance("abc", "abc")).toBe(0);
  });

  it("aligns words, those left out and those too many", () => {
    const { matches, inserted } = align(words("a b c d"), words("a x c c d"));
    expect(matches.filter(({ same }) => same)).toHaveLength(3);
    expect(inserted).toHaveLength(1);
    const lost = align(words("a b c d"), words("a d"));
    expect(lost.matches.map(({ index }) => index)).toEqual([0, -1, -1, 1]);
    expect(lost.inserted).toEqual([]);
  });

  it("gives an interval that holds the figure, covers its spread and is the same for the same seed", () => {
    const clips = Array.from({ length: 100 }, (_, i) => i % 10);
    const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;
    const { value, low, high } = bootstrap(clips, mean, { draws: 4000 });
    expect(value).toBe(4.5);
    // Standard error of the mean: √8.25 / 10 = 0.287; 95 % is 1.96 of it on each side.
    expect(Math.abs(low - (4.5 - 0.563))).toBeLessThan(0.1);
    expect(Math.abs(high - (4.5 + 0.563))).toBeLessThan(0.1);
    expect(bootstrap(clips, mean, { draws: 4000 })).toEqual({ value, low, high });
  });
});
