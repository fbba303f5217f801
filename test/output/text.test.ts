import { expect, it } from "vitest";
import { formatTranscription } from "../../src/output/formats.ts";
import { resultOf, segment } from "./samples.ts";

const result = resultOf([segment(0, 1, " Grüß Gott,"), segment(1, 2, " 世界 🎉 ")]);

it("is one segment a line, trimmed", () => {
  expect(formatTranscription(result, "text")).toBe("Grüß Gott,\n世界 🎉\n");
  expect(formatTranscription(resultOf([segment(0, 1, "")]), "text")).toBe("\n");
  expect(formatTranscription(resultOf([]), "text")).toBe("");
});

it("is the whole text as the OpenAI API has it", () => {
  expect(formatTranscription(result, "text", { dialect: "openai" })).toBe("Grüß Gott, 世界 🎉\n");
});
