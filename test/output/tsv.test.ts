import fc from "fast-check";
import { expect, it } from "vitest";
import { formatTranscription } from "../../src/output/formats.ts";
import { resultOf, results, segment } from "./samples.ts";

const SEED = 47;

it("has times in whole milliseconds, and spaces for tabs and line breaks", () => {
  const result = resultOf([segment(0, 1.2345, "\tone\ttwo "), segment(4000.0005, 4001, "a\r\nb\nc")]);
  expect(formatTranscription(result, "tsv")).toBe(
    "start\tend\ttext\n0\t1234\tone two\n4000000\t4001000\ta b c\n",
  );
});

it("refuses a negative time", () => {
  expect(() => formatTranscription(resultOf([segment(-0.5, 1, "x")]), "tsv")).toThrow("a time of -0.5 s");
});

it(`reads back row by row (seed ${SEED})`, () => {
  fc.assert(
    fc.property(results(false), (result) => {
      const rows = formatTranscription(result, "tsv").trimEnd().split("\n").slice(1);
      const read = rows.map((row) => row.split("\t"));
      const trailing = result.segments.map(({ start, end, text }) => [
        String(Math.round(start * 1000)),
        String(Math.round(end * 1000)),
        ...(text.trim() === "" ? [] : [text.trim()]),
      ]);
      expect(read.map((row) => row.filter((cell) => cell !== ""))).toEqual(trailing);
    }),
    { seed: SEED },
  );
});
