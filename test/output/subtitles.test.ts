import { parse as parsePlussub } from "@plussub/srt-vtt-parser";
import fc from "fast-check";
import subsrt from "subsrt-ts";
import { describe, expect, it } from "vitest";
import { createCueLayout } from "../../src/output/cues.ts";
import { milliseconds } from "../../src/output/format-time.ts";
import type { FormatOptions, FormattableResult } from "../../src/output/format-writer.ts";
import { formatTranscription } from "../../src/output/formats.ts";
import { limits, resultOf, results, segment, wordsOf } from "./samples.ts";

const SEED = 43;
const RUNS = 400;

const plain = resultOf([segment(0, 2.5, " Hello & welcome."), segment(3661.5, 3665, " a --> b < c")]);

describe("srt", () => {
  it("is what openai/whisper writes", () => {
    expect(formatTranscription(plain, "srt")).toBe(
      "1\n00:00:00,000 --> 00:00:02,500\nHello & welcome.\n\n2\n01:01:01,500 --> 01:01:05,000\na -> b < c\n\n",
    );
  });

  it("underlines the word that is said", () => {
    const text = " One two three";
    const result = resultOf([segment(0, 2, text, wordsOf(text))]);
    expect(formatTranscription(result, "srt", { highlightWords: true, maxLineWidth: 8 })).toBe(
      [
        "1\n00:00:00,000 --> 00:00:00,500\n<u>One</u> two\nthree\n",
        "2\n00:00:00,500 --> 00:00:00,600\nOne two\nthree\n",
        "3\n00:00:00,600 --> 00:00:01,100\nOne <u>two</u>\nthree\n",
        "4\n00:00:01,100 --> 00:00:01,200\nOne two\nthree\n",
        "5\n00:00:01,200 --> 00:00:01,700\nOne two\n<u>three</u>\n\n",
      ].join("\n"),
    );
  });

  it("leaves no arrow of any length, not even across words", () => {
    const text = " x ---> y";
    expect(formatTranscription(resultOf([segment(0, 1, text)]), "srt")).toContain("\nx -> y\n");
    const words = [" --", ">", " z"].map((word) => ({ word, start: 0, end: 1, probability: 1 }));
    const result = resultOf([segment(0, 1, " --> z", words)]);
    expect(formatTranscription(result, "srt")).toContain("\n-> z\n");
    const highlighted = formatTranscription(result, "srt", { highlightWords: true });
    expect(highlighted.match(/-->/g)).toHaveLength(highlighted.match(/,\d{3} --> /g)!.length);
  });

  it("keeps line breaks, but no blank line within a cue", () => {
    const result = resultOf([segment(0, 1, " a\r\nb\n \n\nc\rd")]);
    expect(formatTranscription(result, "srt")).toBe("1\n00:00:00,000 --> 00:00:01,000\na\nb\nc\nd\n\n");
  });

  it("is empty without segments and has an empty cue for an empty text", () => {
    expect(formatTranscription(resultOf([]), "srt")).toBe("");
    expect(formatTranscription(resultOf([segment(0, 0, "")]), "srt")).toBe(
      "1\n00:00:00,000 --> 00:00:00,000\n\n\n",
    );
  });
});

describe("vtt", () => {
  it("is what openai/whisper writes, with the signs that the standard reserves escaped", () => {
    expect(formatTranscription(plain, "vtt")).toBe(
      "WEBVTT\n\n00:00.000 --> 00:02.500\nHello &amp; welcome.\n\n01:01:01.500 --> 01:01:05.000\na -&gt; b &lt; c\n\n",
    );
    expect(formatTranscription(resultOf([]), "vtt")).toBe("WEBVTT\n\n");
  });

  it("escapes words but not the tags around them", () => {
    const result = resultOf([segment(0, 1, " <i>", wordsOf(" <i>"))]);
    expect(formatTranscription(result, "vtt", { highlightWords: true })).toContain("\n<u>&lt;i&gt;</u>\n");
  });
});

/** What the parsers should find: the cues, laid out but not yet written. */
function expected({ segments }: FormattableResult, options: FormatOptions) {
  const layout = createCueLayout(options);
  return [...segments.flatMap((one) => layout.add(one)), ...layout.flush()].map(
    ({ start, end, parts, said }) => ({
      from: milliseconds(start),
      to: milliseconds(end),
      text: parts.map((part, i) => (i === said ? part.replace(/\S+/, "<u>$&</u>") : part)).join(""),
    }),
  );
}

const unescaped = (text: string) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

describe.each([
  ["segments", results(false), fc.constant({})],
  ["words", results(true), limits],
] as const)("parsed back, %s", (_, arbitrary, options) => {
  it.each(["srt", "vtt"] as const)(`%s gives the same times and texts (seed ${SEED})`, (format) => {
    fc.assert(
      fc.property(arbitrary, options, (result, options) => {
        const written = formatTranscription(result, format, options);
        const wanted = expected(result, options);
        const plussub = parsePlussub(written).entries.map(({ from, to, text }) => ({
          from,
          to,
          text: format === "vtt" ? unescaped(text) : text,
        }));
        expect(plussub).toEqual(wanted);
        const captions = subsrt
          .parse(written, { format, eol: "\n" })
          .flatMap((caption) => (caption.type === "caption" ? [caption] : []))
          .map(({ start, end, content }) => ({
            from: start,
            to: end,
            text: (format === "vtt" ? unescaped(content) : content).trimEnd(),
          }));
        // This parser passes over cues without text.
        expect(captions).toEqual(wanted.filter(({ text }) => text !== ""));
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });
});
