import { expect, it } from "vitest";
import { InvalidArgumentError } from "../../src/core/errors.ts";
import { formatTranscription } from "../../src/output/formats.ts";
import { resultOf, segment, wordsOf } from "./samples.ts";

const result = resultOf(
  [segment(0, 2, " Good day,", wordsOf(" Good day,")), segment(2, 3, " Sir.", wordsOf(" Sir.", 2))],
  {
    language: "haw",
    duration: 3.25,
  },
);
const parse = (...args: Parameters<typeof formatTranscription>) => JSON.parse(formatTranscription(...args));

it("has segments alone by default", () => {
  const parsed = parse(result, "verbose_json");
  expect(Object.keys(parsed).sort()).toEqual(["duration", "language", "segments", "task", "text"]);
  expect(parsed).toMatchObject({
    task: "transcribe",
    language: "hawaiian",
    duration: 3.25,
    text: "Good day, Sir.",
  });
  expect(parsed.segments[1]).toEqual({
    id: 1,
    seek: 0,
    start: 2,
    end: 3,
    text: " Sir.",
    tokens: [50364, 2425, 50414],
    temperature: 0,
    avg_logprob: -0.25,
    compression_ratio: 0.8,
    no_speech_prob: 0.01,
  });
});

it("has the words when asked, without their spaces", () => {
  const words = [
    { word: "Good", start: 0, end: 0.5 },
    { word: "day,", start: 0.6, end: 1.1 },
    { word: "Sir.", start: 2, end: 2.5 },
  ];
  const alone = parse(result, "verbose_json", { timestampGranularities: ["word"] });
  expect(alone.words).toEqual(words);
  expect(alone).not.toHaveProperty("segments");
  const both = parse(result, "verbose_json", { timestampGranularities: ["word", "segment"] });
  expect(both.words).toEqual(words);
  expect(both.segments).toHaveLength(2);
  expect(parse(resultOf([]), "verbose_json", { timestampGranularities: ["segment", "word"] })).toMatchObject({
    segments: [],
    words: [],
    language: "english",
  });
});

it("names the language of a translation, which is English", () => {
  expect(parse({ ...result, task: "translate" }, "verbose_json")).toMatchObject({
    task: "translate",
    language: "english",
  });
});

it("says how to get words that are not there", () => {
  const write = () =>
    formatTranscription(resultOf([segment(0, 1, "x")]), "verbose_json", { timestampGranularities: ["word"] });
  expect(write).toThrow(InvalidArgumentError);
  expect(write).toThrow(
    'timestampGranularities has "word", segment 0 has no words; transcribe with timestamps: "word"',
  );
});
