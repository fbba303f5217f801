import fc from "fast-check";
import { expect, it } from "vitest";
import { formatTranscription } from "../../src/output/formats.ts";
import { resultOf, results, segment, wordsOf } from "./samples.ts";

const SEED = 53;
const result = resultOf([segment(0.1 + 0.2, 2, " Hi.", wordsOf(" Hi."))], { language: "de" });

it("is the result of openai/whisper", () => {
  expect(JSON.parse(formatTranscription(result, "json"))).toEqual({
    text: " Hi.",
    segments: [
      {
        id: 0,
        seek: 0,
        start: 0.30000000000000004,
        end: 2,
        text: " Hi.",
        tokens: [50364, 2425, 50414],
        temperature: 0,
        avg_logprob: -0.25,
        compression_ratio: 0.8,
        no_speech_prob: 0.01,
        words: [{ word: " Hi.", start: 0, end: 0.5, probability: 0.9 }],
      },
    ],
    language: "de",
  });
});

it("has no words where there are none, and one segment a line", () => {
  const text = formatTranscription(resultOf([segment(0, 1, "a"), segment(1, 2, "b\n\u2028")]), "json");
  expect(text.split("\n")).toHaveLength(5);
  expect(JSON.parse(text).segments[1]).not.toHaveProperty("words");
  expect(formatTranscription(resultOf([]), "json")).toBe('{"segments":[],"text":"","language":"en"}\n');
});

it("adds what else is known, but nothing in place of the reference's keys", () => {
  const extra = { model: "tiny", text: "no", segments: "no", windows: 2 };
  const parsed = JSON.parse(formatTranscription({ ...result, extra }, "json"));
  expect(parsed).toMatchObject({ text: " Hi.", model: "tiny", windows: 2 });
  expect(parsed.segments).toHaveLength(1);
});

it("is the text alone as the OpenAI API has it", () => {
  expect(formatTranscription(result, "json", { dialect: "openai" })).toBe('{"text":"Hi."}\n');
});

it(`gives every number and text back as it was (seed ${SEED})`, () => {
  fc.assert(
    fc.property(results(true), fc.double({ min: 0, max: 1e5, noNaN: true }), (result, shift) => {
      const moved = { ...result, segments: result.segments.map((one) => ({ ...one, end: one.end + shift })) };
      const { segments } = JSON.parse(formatTranscription(moved, "json"));
      for (const [i, one] of moved.segments.entries()) {
        expect(segments[i]).toMatchObject({
          start: one.start,
          end: one.end,
          text: one.text,
          words: one.words,
        });
      }
    }),
    { seed: SEED },
  );
});
