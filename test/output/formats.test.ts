import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidArgumentError } from "../../src/core/errors.ts";
import type { FormatOptions } from "../../src/output/format-writer.ts";
import {
  createFormatWriter,
  formatTranscription,
  OUTPUT_FORMATS,
  type OutputFormat,
} from "../../src/output/formats.ts";
import { limits, resultOf, results, segment } from "./samples.ts";

const SEED = 59;

describe("formatTranscription", () => {
  it("knows the formats of the OpenAI API and openai/whisper", () => {
    expect(OUTPUT_FORMATS).toEqual(["text", "srt", "vtt", "tsv", "json", "verbose_json"]);
  });

  it.each([
    ["xml", {}, 'format is "xml"; give one of text, srt, vtt, tsv, json, verbose_json'],
    ["toString", {}, 'format is "toString"'],
    [undefined, {}, "format is undefined"],
    ["srt", { maxLineWidth: 0 }, "maxLineWidth is 0; give an integer of 1 or more"],
    ["srt", { maxLineCount: 1.5 }, "maxLineCount is 1.5"],
    ["text", { maxWordsPerLine: "4" }, 'maxWordsPerLine is "4"'],
    ["vtt", { highlightWords: "yes" }, 'highlightWords is "yes"; give true or false'],
    ["json", { dialect: "api" }, 'dialect is "api"; give one of whisper, openai'],
    ["verbose_json", { timestampGranularities: ["words"] }, 'timestampGranularities has "words"'],
    ["verbose_json", { timestampGranularities: [undefined] }, "timestampGranularities has undefined"],
    ["verbose_json", { timestampGranularities: [] }, "timestampGranularities is empty"],
    ["verbose_json", { timestampGranularities: "word" }, 'timestampGranularities is "word"'],
    ["srt", null, "format: options are null; give an object"],
  ])("refuses %o with %o", (format, options, message) => {
    const write = () => formatTranscription(resultOf([]), format as OutputFormat, options as FormatOptions);
    expect(write).toThrow(InvalidArgumentError);
    expect(write).toThrow(message);
  });

  it("refuses what is no result", () => {
    const text = { text: "hello" } as unknown as Parameters<typeof formatTranscription>[0];
    expect(() => formatTranscription(text, "srt")).toThrow(
      "segments are undefined; give what transcribe() returned",
    );
  });
});

describe("createFormatWriter", () => {
  it.each(OUTPUT_FORMATS)(`writes %s piece by piece as the whole at once (seed ${SEED})`, (format) => {
    const options = fc
      .tuple(
        limits,
        fc.constantFrom("whisper", "openai"),
        fc.constantFrom(["segment"], ["word"], ["segment", "word"]),
      )
      .map(([limits, dialect, timestampGranularities]) => ({ ...limits, dialect, timestampGranularities }));
    fc.assert(
      fc.property(results(true), options, (result, options) => {
        const { segments, ...summary } = { ...result, extra: { model: "tiny" } };
        const writer = createFormatWriter(format, options as FormatOptions);
        const pieces = [writer.begin(), ...segments.map((one) => writer.segment(one)), writer.end(summary)];
        expect(pieces.join("")).toBe(
          formatTranscription({ ...summary, segments }, format, options as FormatOptions),
        );
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  it.each(OUTPUT_FORMATS)("hands out each segment of %s when it comes", (format) => {
    const writer = createFormatWriter(format);
    writer.begin();
    expect(writer.segment(segment(0, 1, " spoken"))).toContain("spoken");
  });

  it("refuses calls out of turn", () => {
    const writer = createFormatWriter("text");
    const summary = resultOf([]);
    expect(() => writer.segment(segment(0, 1, "x"))).toThrow("segment is out of turn; call begin once");
    writer.begin();
    expect(() => writer.begin()).toThrow("begin is out of turn");
    writer.end(summary);
    expect(() => writer.end(summary)).toThrow(InvalidArgumentError);
    const failed = createFormatWriter("srt");
    failed.begin();
    expect(() => failed.segment(segment(0, Number.NaN, "x"))).toThrow(/NaN/);
    expect(() => failed.segment(segment(0, 1, "x"))).toThrow("segment is out of turn");
  });
});
