import { describe, expect, it } from "vitest";
import { decodeWindow } from "../../src/decoding/decode-window.ts";
import { findModel } from "../../src/models/model-files.ts";
import { readWhisperConfig } from "../../src/models/whisper-config.ts";
import { createTokenizer } from "../../src/models/whisper-tokenizer.ts";
import { englishVocabulary, idOf, largeV3Vocabulary } from "../models/vocabularies.ts";
import { scriptedDecoder } from "./scripted-decoder.ts";
import { NO_TENSOR } from "./toy-decoder.ts";

// No weights of these vocabularies are at hand: the decoder is a script, the ids are those of the files.
describe.each([
  ["English-only", englishVocabulary, false, -1, "en"],
  ["large-v3's", largeV3Vocabulary, true, 1, "yue"],
] as const)("decodeWindow with an %s vocabulary", (_, read, multilingual, more, language) => {
  it("starts, suppresses, times and ends by that vocabulary's ids", async () => {
    const vocabulary = await read();
    const tiny = await readWhisperConfig(await findModel("tiny"));
    const config = {
      ...tiny,
      vocabularySize: tiny.vocabularySize + more,
      startToken: idOf(vocabulary, "<|startoftranscript|>"),
      endToken: idOf(vocabulary, "<|endoftext|>"),
      multilingual,
      suppress: [],
      suppressFirst: [],
    };
    const tokenizer = createTokenizer(vocabulary, {}, config, {
      tokenizer: "tokenizer.json",
      config: "config.json",
    });
    const at = (seconds: number) => tokenizer.timestampBegin + Math.round(seconds * 50);
    const words = tokenizer.encode(" Good morning.");
    const text = [at(0), ...words, at(1.5)];
    const { decoder } = scriptedDecoder(config, (sampled) => text[sampled.length] ?? tokenizer.endOfText);
    for (const beamSize of [1, 3]) {
      const found = await decodeWindow(decoder, config, tokenizer, NO_TENSOR, {
        language,
        beamSize,
        seconds: 2,
      });
      expect(tokenizer.decodeWithTimestamps(found.tokens)).toBe("<|0.00|> Good morning.<|1.50|>");
      expect(found).toMatchObject({ text: "Good morning.", language, stop: "end", temperature: 0 });
    }
    // What the decoder wants most may not come: music first, then a special token.
    const [note] = tokenizer.encode("♪");
    const wanted = [at(0), note!, tokenizer.startOfPrevious];
    const singing = scriptedDecoder(config, (sampled) => wanted[sampled.length] ?? tokenizer.endOfText);
    const silent = await decodeWindow(singing.decoder, config, tokenizer, NO_TENSOR, {
      language,
      temperatures: [0],
    });
    expect(silent.tokens).not.toContain(note);
    expect(silent.tokens).not.toContain(tokenizer.startOfPrevious);
  });
});
