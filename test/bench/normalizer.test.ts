import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  normalizeBasic,
  normalizeEnglish,
  normalizeSpelling,
  spellingTable,
} from "../../bench/wer/english-normalizer.mjs";
import { numbersAsDigits } from "../../bench/wer/number-words.mjs";
import { findModel } from "../../src/models/model-files.ts";

const { directory } = await findModel("tiny");
const spellings = spellingTable(readFileSync(join(directory, "normalizer.json"), "utf8"));

/** openai/whisper `tests/test_normalizer.py`: test_number_normalizer, which holds for the whole normaliser too. */
const NUMBERS: [string, string][] = [
  ["two", "2"],
  ["thirty one", "31"],
  ["five twenty four", "524"],
  ["nineteen ninety nine", "1999"],
  ["twenty nineteen", "2019"],
  ["two point five million", "2500000"],
  ["four point two billions", "4200000000s"],
  ["200 thousand", "200000"],
  ["200 thousand dollars", "$200000"],
  ["$20 million", "$20000000"],
  ["€52.4 million", "€52400000"],
  ["£77 thousands", "£77000s"],
  ["two double o eight", "2008"],
  ["three thousand twenty nine", "3029"],
  ["forty three thousand two hundred sixty", "43260"],
  ["forty three thousand two hundred and sixty", "43260"],
  ["nineteen fifties", "1950s"],
  ["thirty first", "31st"],
  ["thirty three thousand and three hundred and thirty third", "33333rd"],
  ["three billion", "3000000000"],
  ["millions", "1000000s"],
  ["july third twenty twenty", "july 3rd 2020"],
  ["august twenty sixth twenty twenty one", "august 26th 2021"],
  ["3 14", "3 14"],
  ["3.14", "3.14"],
  ["3 point 2", "3.2"],
  ["3 point 14", "3.14"],
  ["fourteen point 4", "14.4"],
  ["two point two five dollars", "$2.25"],
  ["two hundred million dollars", "$200000000"],
  ["$20.1 million", "$20100000"],
  ["ninety percent", "90%"],
  ["seventy six per cent", "76%"],
  ["double oh seven", "007"],
  ["double zero seven", "007"],
  ["nine one one", "911"],
  ["nine double one", "911"],
  ["one triple oh one", "10001"],
  ["two thousandth", "2000th"],
  ["thirty two thousandth", "32000th"],
  ["minus 500", "-500"],
  ["positive twenty thousand", "+20000"],
  ["two dollars and seventy cents", "$2.70"],
  ["3 cents", "¢3"],
  ["$0.36", "¢36"],
  ["three euros and sixty five cents", "€3.65"],
  ["three and a half million", "3500000"],
  ["forty eight and a half dollars", "$48.5"],
  ["b747", "b 747"],
  ["10 th", "10th"],
  ["10th", "10th"],
];

describe("the reference's own cases", () => {
  it.each(NUMBERS)("numbers: %j is %j", (text, expected) => {
    expect(numbersAsDigits(text)).toBe(expected);
    expect(normalizeEnglish(text, spellings)).toBe(expected);
  });

  it("spellings", () => {
    expect(normalizeSpelling("mobilisation", spellings)).toBe("mobilization");
    expect(normalizeSpelling("cancelation", spellings)).toBe("cancellation");
  });

  it.each([
    ["Let's", "let us"],
    ["he's like", "he is like"],
    ["she's been like", "she has been like"],
    ["10km", "10 km"],
    ["10mm", "10 mm"],
    ["RC232", "rc 232"],
    ["Mr. Park visited Assoc. Prof. Kim Jr.", "mister park visited associate professor kim junior"],
  ])("text: %j is %j", (text, expected) => {
    expect(normalizeEnglish(text, spellings)).toBe(expected);
  });
});

describe("rules that the reference's cases leave out, by its source", () => {
  it.each([
    ["one of the ones", "one of the ones"], // 1 and 1s are written out again
    ["the ninth, the seventh", "the ninth the 7th"], // the reference makes "nineth" of nine
    ["twenty one hundred", "2100"], // 21 × 100, all of it below a thousand
    ["one hundred and one", "101"],
    ["hundred and fifty", "150"],
    ["you and six others", "you and 6 others"],
    ["two and", "2 and"],
    ["at that point we left", "at that point we left"],
    ["point seven", ".7"],
    ["plus size", "plus size"],
    ["double trouble", "double trouble"],
    ["minus twenty degrees", "-20 degrees"],
    ["dollars", "dollars"],
    ["per hour", "per hour"],
    ["20 per hour", "20 per hour"],
    ["zero", "0"],
    ["one nineteen", "119"],
    ["two hundred nineteen", "219"],
    ["twenty twenties", "2020s"],
    ["one decillion", "1000000000000000000000000000000000"],
    ["1,234.50", "1234.50"],
    ["1.2.3", "one.2.3"], // so does the reference
    ["$2 and 7 cents", "$2.07"],
    ["Um, [laughs] (aside) well <unk> hmm", " well "],
    ["naïve Œuvre Łódź", "naive oeuvre lodz"],
    ["don 't", "do not"],
    ["Straße 50 %", "strasse 50%"],
    ["colour and aeroplanes", "color and airplanes"],
    ["", ""],
    ["constructor toString", "constructor tostring"], // no word of the table's prototype
  ])("%j is %j", (text, expected) => {
    expect(normalizeEnglish(text, spellings).trim()).toBe(expected.trim());
  });

  it("knows letters beyond ASCII as parts of words, as Python's \\b does", () => {
    expect(normalizeEnglish("prést été's", spellings)).toBe("prest ete is");
  });
});

describe("the normaliser of other languages", () => {
  it("takes symbols and brackets out and leaves diacritics unless told", () => {
    expect(normalizeBasic("Größe: «naïf» [Musik] (leise)!")).toBe("größe naïf ");
    expect(normalizeBasic("Größe: «naïf»", { removeDiacritics: true })).toBe("grosse naif ");
  });

  it("splits letters of scripts without spaces", () => {
    expect(normalizeBasic("東京", { splitLetters: true })).toBe("東 京");
  });
});
