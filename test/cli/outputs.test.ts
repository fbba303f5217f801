import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type OutputTarget, openOutputs, planOutputs } from "../../src/cli/outputs.ts";
import { formatTranscription, OUTPUT_FORMATS } from "../../src/output/formats.ts";
import { resultOf, segment } from "../output/samples.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wavepool-outputs-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const result = resultOf([segment(0, 1, " one"), segment(1, 2, " two\nlines"), segment(2, 3, " three")]);

/** What goes to stdout while `work` runs. */
async function onStdout(work: () => Promise<void>): Promise<string[]> {
  const pieces: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((piece) => pieces.push(String(piece)) > 0);
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return pieces;
}

describe("planOutputs", () => {
  const flags = { model: "base" };

  it("is text on stdout by default, with names where there are several sounds", async () => {
    expect(await planOutputs(["a.wav"], flags)).toEqual([[{ format: "text" }]]);
    expect(await planOutputs(["a.wav", "-"], flags)).toEqual([
      [{ format: "text", prefix: "a.wav: " }],
      [{ format: "text", prefix: "stdin: " }],
    ]);
    expect(await planOutputs(["-"], { ...flags, format: "srt", output: "-" })).toEqual([[{ format: "srt" }]]);
  });

  it("is one file a sound and format in a folder", async () => {
    const plan = await planOutputs(["a.wav", "-"], { ...flags, format: "all", outputDir: "out" });
    expect(plan.map((targets) => targets.map(({ path }) => path))).toEqual(
      ["a", "stdin"].map((name) =>
        ["txt", "srt", "vtt", "tsv", "json", "verbose.json"].map((ending) =>
          join("out", `${name}.${ending}`),
        ),
      ),
    );
  });

  it("takes the flag before the ending of the output", async () => {
    const of = async (rest: object) => (await planOutputs(["a.wav"], { ...flags, ...rest }))[0]![0]!.format;
    expect(await of({ output: "a.srt" })).toBe("srt");
    expect(await of({ output: "a.srt", format: "vtt" })).toBe("vtt");
    expect(await of({ output: "a.out" })).toBe("text");
  });

  it("refuses outputs of one name", async () => {
    // The one's verbose_json and the other's json.
    const files = ["x.wav", "x.verbose.wav"];
    await expect(planOutputs(files, { ...flags, format: "all", outputDir: "out" })).rejects.toThrow(
      `two outputs would be called ${join("out", "x.verbose.json")}; transcribe the files one by one`,
    );
  });
});

describe("openOutputs", () => {
  it("writes files of all formats once it ends, whether segments were told or not", async () => {
    const targets = OUTPUT_FORMATS.map((format): OutputTarget => ({ format, path: join(folder, format) }));
    for (const told of [0, 1, 3]) {
      const outputs = openOutputs(targets, {}, () => undefined);
      for (const one of result.segments.slice(0, told)) outputs.segment(one);
      if (told === 1) expect(await readdir(folder)).toEqual([...OUTPUT_FORMATS].sort());
      else expect(await readdir(folder)).toHaveLength(told === 0 ? 0 : OUTPUT_FORMATS.length);
      await outputs.end(result.segments, result);
      for (const format of OUTPUT_FORMATS) {
        expect(await readFile(join(folder, format), "utf8")).toBe(formatTranscription(result, format));
      }
    }
  });

  it("writes to stdout as segments arrive, and nothing before the first", async () => {
    let wiped = 0;
    const pieces = await onStdout(async () => {
      const outputs = openOutputs([{ format: "vtt" }], {}, () => wiped++);
      outputs.segment(result.segments[0]!);
      expect(process.stdout.write).toHaveBeenCalledTimes(2);
      await outputs.end(result.segments, result);
    });
    expect(pieces.join("")).toBe(formatTranscription(result, "vtt"));
    expect(wiped).toBe(pieces.length);
    expect(await onStdout(async () => void openOutputs([{ format: "vtt" }], {}, () => undefined))).toEqual(
      [],
    );
  });

  it("begins each line with the file's name", async () => {
    const pieces = await onStdout(async () => {
      await openOutputs([{ format: "text", prefix: "a\n.wav: " }], {}, () => undefined).end(
        result.segments,
        result,
      );
    });
    expect(pieces.join("")).toBe(
      "one two lines three"
        .split(" ")
        .map((word) => `a\\n.wav: ${word}\n`)
        .join(""),
    );
  });
});
