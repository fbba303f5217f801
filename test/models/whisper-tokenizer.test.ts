import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { UnsupportedTaskError } from "../../src/core/errors.ts";
import { ModelFormatError, UnknownLanguageError } from "../../src/index.ts";
import { LANGUAGE_NAMES } from "../../src/models/languages.ts";
import { findModel } from "../../src/models/model-files.ts";
import { readWhisperConfig, type WhisperConfig } from "../../src/models/whisper-config.ts";
import {
  createTokenizer,
  loadTokenizer,
  TIMESTAMPS,
  type WhisperTokenizer,
} from "../../src/models/whisper-tokenizer.ts";
import { englishVocabulary, idOf, largeV3Vocabulary, type Vocabulary } from "./vocabularies.ts";

const NAMES = { tokenizer: "tokenizer.json", config: "config.json" };
let config: WhisperConfig;
let tokenizer: WhisperTokenizer;

beforeAll(async () => {
  const files = await findModel("tiny");
  config = await readWhisperConfig(files);
  tokenizer = await loadTokenizer(files, config);
});

function from(vocabulary: Vocabulary, multilingual: boolean): WhisperTokenizer {
  const startToken = idOf(vocabulary, "<|startoftranscript|>");
  const endToken = idOf(vocabulary, "<|endoftext|>");
  return createTokenizer(vocabulary, {}, { startToken, endToken, multilingual }, NAMES);
}

describe("a multilingual vocabulary", () => {
  it("starts texts by language, task and timestamps", () => {
    const written = (options: Parameters<WhisperTokenizer["startTokens"]>[0]) =>
      tokenizer.decodeWithTimestamps(tokenizer.startTokens(options));
    expect(written({ language: "de" })).toBe("<|startoftranscript|><|de|><|transcribe|><|notimestamps|>");
    expect(written({ language: "German", task: "translate", timestamps: true })).toBe(
      "<|startoftranscript|><|de|><|translate|>",
    );
    // The ids that openai/whisper's multilingual.tiktoken gives.
    expect(tokenizer.startTokens({ language: "en", timestamps: true })).toEqual([50258, 50259, 50359]);
  });

  it("has the special tokens where openai/whisper has them", () => {
    const { startOfText, endOfText, startOfPrevious, startOfLanguageModel, noSpeech } = tokenizer;
    const { noTimestamps, timestampBegin, translate, transcribe } = tokenizer;
    expect([endOfText, startOfText, translate, transcribe]).toEqual([50257, 50258, 50358, 50359]);
    expect([startOfLanguageModel, startOfPrevious, noSpeech]).toEqual([50360, 50361, 50362]);
    expect([noTimestamps, timestampBegin]).toEqual([50363, 50364]);
    expect(timestampBegin + TIMESTAMPS).toBe(config.vocabularySize);
  });

  it.each([
    ["german", "de"],
    ["German", "de"],
    ["DE", "de"],
    ["castilian", "es"],
    ["Mandarin", "zh"],
    ["haitian creole", "ht"],
    ["Burmese", "my"],
  ])("knows %s as %s", (name, code) => {
    expect(tokenizer.languageCode(name)).toBe(code);
  });

  it("knows every language by its name", () => {
    expect(tokenizer.languages).toHaveLength(99);
    for (const code of tokenizer.languages) expect(tokenizer.languageCode(LANGUAGE_NAMES[code]!)).toBe(code);
  });

  it.each(["klingon", "yue", "", "xx", 7])("refuses the language %j", (language) => {
    expect(() => tokenizer.languageCode(language as string)).toThrow(UnknownLanguageError);
  });

  it("suppresses what the published configuration suppresses", () => {
    const special = config.suppress.filter((token) => token > tokenizer.endOfText);
    const { startOfText, translate, transcribe, startOfLanguageModel, startOfPrevious, noSpeech } = tokenizer;
    expect(special).toEqual([
      startOfText,
      translate,
      transcribe,
      startOfLanguageModel,
      startOfPrevious,
      noSpeech,
    ]);
    expect(tokenizer.nonSpeech).toEqual(config.suppress.filter((token) => token < tokenizer.endOfText));
    expect([...tokenizer.blank, tokenizer.endOfText]).toEqual(config.suppressFirst);
  });

  it("gives any text back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it("takes special tokens in a text by their characters", () => {
    const text = "a <|endoftext|> b <|en|><|0.00|> <|startofprev|>";
    const tokens = tokenizer.encode(text);
    expect(tokens.every((token) => token < tokenizer.endOfText)).toBe(true);
    expect(tokenizer.decode(tokens)).toBe(text);
  });

  it("writes timestamps out where they are wanted", () => {
    const at = (seconds: number) => tokenizer.timestampBegin + Math.round(seconds / 0.02);
    const tokens = [at(0), ...tokenizer.encode(" Hello"), at(1.08), at(30)];
    expect(tokenizer.decodeWithTimestamps(tokens)).toBe("<|0.00|> Hello<|1.08|><|30.00|>");
    expect(tokenizer.decode(tokens)).toBe(" Hello");
  });

  it("refuses tokens that it does not have", () => {
    expect(() => tokenizer.decode([config.vocabularySize])).toThrow(ModelFormatError);
  });

  it("splits a broken text where openai/whisper's own test does", () => {
    // tests/test_tokenizer.py, test_split_on_unicode; the fifth token is half a character.
    const tokens = [8404, 871, 287, 6, 246, 526, 3210, 20378];
    const words = tokenizer.splitToWords(tokens, "ja");
    expect(words.map(({ word }) => word)).toEqual([" elle", " est", " l", "'", "\ufffd", "é", "rit", "oire"]);
    expect(words.map((word) => word.tokens)).toEqual(tokens.map((token) => [token]));
  });

  it("keeps words whole, and punctuation apart", () => {
    const tokens = tokenizer.encode(" Don't stop, Zoë!");
    const words = tokenizer.splitToWords([...tokens, tokenizer.endOfText], "en");
    expect(words.map(({ word }) => word)).toEqual([" Don't", " stop", ",", " Zoë", "!", "<|endoftext|>"]);
  });

  it("splits languages without spaces by character, never within one", () => {
    const text = "東京は晴れ𠮷";
    const tokens = tokenizer.encode(text);
    const words = tokenizer.splitToWords(tokens, "ja");
    expect(words.length).toBeGreaterThan(3);
    expect(words.map(({ word }) => word).join("")).toBe(text);
    expect(words.every(({ word }) => !word.includes("\ufffd"))).toBe(true);
    expect(tokenizer.splitToWords(tokens, "en")).toHaveLength(1);
  });

  it("tells tokens that begin a character from those that end one", () => {
    const tokens = tokenizer.encode("𠮷");
    expect(tokens.length).toBeGreaterThan(1);
    expect(tokens.map(tokenizer.beginsCharacter)).toEqual([true, ...tokens.slice(1).map(() => false)]);
  });
});

describe("an English-only vocabulary", () => {
  let english: WhisperTokenizer;
  beforeAll(async () => {
    english = from(await englishVocabulary(), false);
  });

  it("has ids one lower, and starts texts without language and task", () => {
    expect(english.endOfText).toBe(tokenizer.endOfText - 1);
    expect(english.timestampBegin).toBe(tokenizer.timestampBegin - 1);
    expect(english.languages).toEqual(["en"]);
    expect(english.languageTokens.size).toBe(0);
    expect(english.startTokens({ language: "English", timestamps: true })).toEqual([english.startOfText]);
    expect(english.decodeWithTimestamps(english.startTokens({ language: "en" }))).toBe(
      "<|startoftranscript|><|notimestamps|>",
    );
  });

  it("refuses other languages and translating", () => {
    expect(() => english.startTokens({ language: "de" })).toThrow(UnknownLanguageError);
    expect(() => english.startTokens({ language: "en", task: "translate" })).toThrow(UnsupportedTaskError);
  });
});

describe("large-v3's vocabulary", () => {
  it("has Cantonese, and everything behind one higher", async () => {
    const large = from(await largeV3Vocabulary(), true);
    expect(large.languages).toHaveLength(100);
    expect(large.languageCode("cantonese")).toBe("yue");
    expect(large.decodeWithTimestamps(large.startTokens({ language: "yue" }))).toBe(
      "<|startoftranscript|><|yue|><|transcribe|><|notimestamps|>",
    );
    expect(large.timestampBegin).toBe(tokenizer.timestampBegin + 1);
    expect(large.noSpeech).toBe(tokenizer.noSpeech! + 1);
    expect(large.endOfText).toBe(tokenizer.endOfText);
  });
});

describe("createTokenizer", () => {
  it("refuses a vocabulary of another model", async () => {
    const vocabulary = await englishVocabulary();
    expect(() => createTokenizer(vocabulary, {}, config, NAMES)).toThrow(
      /check that all files are of one model/,
    );
  });
});
