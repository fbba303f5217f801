import { expect, it } from "vitest";
import { findModel } from "../../src/models/model-files.ts";
import { readWhisperConfig } from "../../src/models/whisper-config.ts";
import { loadTokenizer } from "../../src/models/whisper-tokenizer.ts";
import { languageName } from "../../src/output/language-names.ts";

it("names languages as the OpenAI API does", () => {
  expect(["en", "DE", "ht", "nn", "yue", "my"].map(languageName)).toEqual([
    "english",
    "german",
    "haitian creole",
    "nynorsk",
    "cantonese",
    "myanmar",
  ]);
  expect(languageName("english")).toBe("english");
  expect(languageName("tlh")).toBe("tlh");
});

it("knows every language of the model, each by a name of its own", async () => {
  const model = await findModel("tiny");
  const { languages } = await loadTokenizer(model, await readWhisperConfig(model));
  expect(languages).toHaveLength(99);
  const names = languages.map(languageName);
  expect(names.filter((name) => languages.includes(name))).toEqual([]);
  expect(new Set(names).size).toBe(99);
});
