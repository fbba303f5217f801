import { Command } from "commander";
import { describe, expect, it } from "vitest";
import {
  addTranscribeCommand,
  formatOptions,
  neededTimestamps,
  rawSound,
  type TranscribeFlags,
  transcribeRequest,
  transcriberRequest,
  warnings,
} from "../../src/cli/transcribe-flags.ts";
import { InvalidArgumentError } from "../../src/core/errors.ts";

/** What the command line makes of arguments. */
async function parse(...args: string[]): Promise<{ files: string[]; flags: TranscribeFlags }> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  const seen: { files: string[]; flags: TranscribeFlags }[] = [];
  addTranscribeCommand(program, async (files, flags) => void seen.push({ files, flags }));
  await program.parseAsync(["transcribe", ...args], { from: "user" });
  return seen[0]!;
}

describe("wavepool transcribe", () => {
  it("asks but for the times of the transcriber, which text does not show", async () => {
    const { files, flags } = await parse("a.wav", "b.wav", "-");
    expect(files).toEqual(["a.wav", "b.wav", "-"]);
    expect(transcriberRequest(flags)).toEqual({ model: "base" });
    expect(transcribeRequest(flags, neededTimestamps(flags, ["text"]))).toEqual({ timestamps: "none" });
  });

  it("hands every flag to its option", async () => {
    const { flags } = await parse(
      ..."a.wav --model tiny --language auto --task translate --timestamps word --beam-size 5 --best-of 3".split(
        " ",
      ),
      ..."--temperature 0,0.2,.4 --prompt Ada --no-condition-on-previous-text --no-speech-threshold none".split(
        " ",
      ),
      ..."--logprob-threshold -1.5 --compression-ratio-threshold 2.4 --provider native --threads 2 --dtype q4".split(
        " ",
      ),
      ..."--vad --full-window --offline".split(" "),
    );
    expect(transcriberRequest(flags)).toEqual({
      model: "tiny",
      language: "auto",
      dtype: "q4",
      offline: true,
      threads: 2,
      providers: ["native"],
    });
    expect(transcribeRequest(flags, "word")).toEqual({
      language: "auto",
      task: "translate",
      timestamps: "word",
      beamSize: 5,
      bestOf: 3,
      temperature: [0, 0.2, 0.4],
      prompt: "Ada",
      conditionOnPreviousText: false,
      noSpeechThreshold: null,
      logprobThreshold: -1.5,
      compressionRatioThreshold: 2.4,
      voiceActivity: true,
      context: "full",
    });
    expect((await parse("a.wav", "--provider", "auto")).flags).toMatchObject({ provider: "auto" });
    expect(transcriberRequest((await parse("a.wav", "--provider", "auto")).flags)).toEqual({ model: "base" });
    expect((await parse("a.wav", "--condition-on-previous-text")).flags.conditionOnPreviousText).toBe(true);
    expect((await parse("a.wav", "--temperature", "0.5")).flags.temperature).toBe(0.5);
  });

  it.each([
    ["--beam-size", "0", '--beam-size is "0"; give an integer of 1 or more'],
    ["--best-of", "2.5", '--best-of is "2.5"'],
    ["--threads", "many", '--threads is "many"'],
    ["--temperature", "2", '--temperature is "2"; give a number from 0 to 1'],
    ["--temperature", "0,", '--temperature is ""'],
    ["--no-speech-threshold", "", '--no-speech-threshold is ""; give a number, or none'],
    ["--max-line-width", "-3", '--max-line-width is "-3"'],
    ["--rate", "0x10", '--rate is "0x10"'],
  ])("refuses %s %s", async (flag, value, message) => {
    await expect(parse("a.wav", flag, value)).rejects.toThrow(InvalidArgumentError);
    await expect(parse("a.wav", flag, value)).rejects.toThrow(message);
  });
});

const flags = (rest: Partial<TranscribeFlags>): TranscribeFlags => ({ model: "base", ...rest });

describe("neededTimestamps", () => {
  it("follows the formats and the flags that lay out words", () => {
    expect(neededTimestamps(flags({}), ["text"])).toBe("none");
    expect(neededTimestamps(flags({}), ["text", "srt"])).toBe("segment");
    expect(neededTimestamps(flags({ timestamps: "word" }), ["json"])).toBe("word");
    expect(neededTimestamps(flags({ highlightWords: true }), ["vtt"])).toBe("word");
    expect(neededTimestamps(flags({ timestamps: "none" }), ["json"])).toBe("none");
    expect(formatOptions(flags({ maxLineWidth: 40 }), "word")).toEqual({
      maxLineWidth: 40,
      timestampGranularities: ["segment", "word"],
    });
  });

  it("refuses what does not go together", () => {
    expect(() => neededTimestamps(flags({ maxLineWidth: 9, timestamps: "segment" }), ["srt"])).toThrow(
      "--max-line-width needs the times of words; give --timestamps word",
    );
    expect(() => neededTimestamps(flags({ timestamps: "none" }), ["text", "tsv"])).toThrow(
      "--format tsv needs times; leave out --timestamps none",
    );
  });

  it("warns of flags without effect", () => {
    expect(warnings(flags({ maxLineCount: 2 }))).toEqual([
      expect.stringContaining("without --max-line-width"),
    ]);
    expect(warnings(flags({ maxLineCount: 2, maxLineWidth: 40, maxWordsPerLine: 3 }))).toHaveLength(1);
    expect(warnings(flags({ maxLineWidth: 40, maxWordsPerLine: 3 }))).toEqual([]);
  });
});

describe("rawSound", () => {
  it("takes format, rate and channels", () => {
    expect(rawSound(flags({}))).toBeUndefined();
    expect(rawSound(flags({ raw: "s16", rate: 8000 }))).toEqual({
      format: "s16",
      sampleRate: 8000,
      channels: 1,
    });
  });

  it.each([
    [{ raw: "f32" }, "--raw does not say how fast to play; add --rate"],
    [{ rate: 8000 }, "--rate is for bare samples; add --raw f32 or --raw s16"],
    [{ channels: 2 }, "--channels is for bare samples"],
    [{ raw: "f32", rate: 10 }, "--rate is 10; give an integer from 1000 to 384000"],
    [{ raw: "f32", rate: 8000, channels: 9 }, "--channels is 9; give an integer from 1 to 8"],
  ] as const)("refuses %o", (given, message) => {
    expect(() => rawSound(flags(given))).toThrow(message);
  });
});
