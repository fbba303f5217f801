import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatOfEnding, outputNames } from "../../src/cli/output-names.ts";

const SEED = 61;

describe("outputNames", () => {
  it.each([
    [["talk.wav"], ["talk"]],
    [
      ["/a/one.wav", "/b/two.flac"],
      ["one", "two"],
    ],
    [
      ["/a/talk.wav", "/a/talk.mp3"],
      ["talk.wav", "talk.mp3"],
    ],
    [
      ["/a/talk.wav", "/b/talk.wav"],
      ["a-talk.wav", "b-talk.wav"],
    ],
    [
      ["/x/a/talk.wav", "/y/a/talk.wav", "/b/talk.wav"],
      ["x-a-talk.wav", "y-a-talk.wav", "b-talk.wav"],
    ],
    [
      ["/a/talk.wav", "/a/talk.wav"],
      ["a-talk.wav", "a-talk.wav-2"],
    ],
    [
      ["/a/Talk.wav", "/a/talk.WAV"],
      ["a-Talk.wav", "a-talk.WAV-2"],
    ],
    [
      ["-", "/a/stdin.wav"],
      ["stdin", "stdin.wav"],
    ],
    [
      ["/a/x", "/a/x.wav"],
      ["x", "x.wav"],
    ],
  ])("names %o %o", (files, names) => {
    expect(outputNames(files)).toEqual(names);
  });

  it(`never gives a name twice (seed ${SEED})`, () => {
    const part = fc.constantFrom("a", "b", "A", "a-b", "a.wav", "b-2");
    const file = fc
      .tuple(fc.array(part, { maxLength: 3 }), part, fc.constantFrom("", ".wav", ".mp3", ".WAV"))
      .map(([folders, name, ending]) => `/${[...folders, name + ending].join("/")}`);
    fc.assert(
      fc.property(fc.array(file, { minLength: 1, maxLength: 12 }), (files) => {
        const names = outputNames(files);
        expect(names.every((name) => name !== "" && !name.includes("/"))).toBe(true);
        expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(files.length);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});

describe("formatOfEnding", () => {
  it.each([
    ["out/talk.srt", "srt"],
    ["TALK.VTT", "vtt"],
    ["talk.json", "json"],
    ["talk.verbose.json", "verbose_json"],
    ["talk.txt", "text"],
    ["talk.doc", undefined],
    ["srt", undefined],
  ])("of %s is %s", (path, format) => {
    expect(formatOfEnding(path)).toBe(format);
  });
});
