import { describe, expect, it } from "vitest";
import { InvalidArgumentError } from "../../src/index.ts";
import { checkOptions } from "../../src/transcription/options.ts";

describe("checkOptions", () => {
  it("fills in the reference's defaults", () => {
    expect(checkOptions({})).toMatchObject({
      task: "transcribe",
      timestamps: "segment",
      context: "auto",
      conditionOnPreviousText: false,
      voiceActivity: false,
      noSpeechThreshold: 0.6,
      logprobThreshold: -1,
    });
    expect(checkOptions({ noSpeechThreshold: null }).noSpeechThreshold).toBeNull();
  });

  it.each([
    [{ timestamps: "words" }, /timestamps is "words"; give "none" or "segment" or "word"/],
    [{ task: "summarize" }, /task is "summarize"; give "transcribe" or "translate"/],
    [{ context: 15 }, /context is 15; give "auto" or "full"/],
    [{ beamSize: 0 }, /beamSize is 0; give a whole number from 1 to 32/],
    [{ beamSize: 2.5 }, /beamSize is 2\.5/],
    [{ bestOf: 99 }, /bestOf is 99/],
    [{ patience: 0 }, /patience is 0; give a number above 0 to 100/],
    [{ lengthPenalty: 2 }, /lengthPenalty is 2/],
    [{ temperature: -1 }, /temperature is -1; give a number from 0 to 2/],
    [{ temperature: [0, Number.NaN] }, /temperature is NaN/],
    [{ temperature: [] }, /temperature is an empty list/],
    [{ compressionRatioThreshold: "2.4" }, /compressionRatioThreshold is "2\.4"/],
    [{ logprobThreshold: 1 }, /logprobThreshold is 1; give a number from -1000 to 0/],
    [{ noSpeechThreshold: 2 }, /noSpeechThreshold is 2/],
    [{ seed: -1 }, /seed is -1/],
    [{ prompt: 7 }, /prompt is 7; give a text/],
    [{ voiceActivity: "yes" }, /voiceActivity is "yes"; give true or false/],
    [{ onSegment: 1 }, /onSegment is 1; give a function/],
  ])("refuses %o", (options, message) => {
    expect(() => checkOptions(options as never)).toThrow(InvalidArgumentError);
    expect(() => checkOptions(options as never)).toThrow(message);
  });
});
