import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ModelFormatError } from "../../src/index.ts";
import { findModel, type ModelFiles } from "../../src/models/model-files.ts";
import { readWhisperConfig } from "../../src/models/whisper-config.ts";

type Json = Record<string, unknown>;
let files: ModelFiles;
let folder: string;

beforeAll(async () => {
  files = await findModel("tiny");
  folder = await mkdtemp(join(tmpdir(), "wavepool-config-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Reads tiny's configuration with some entries changed; undefined leaves one out. */
async function read(config: Json, generation: Json, preprocessor: Json = {}) {
  const changed = async (path: string, entries: Json, name: string) => {
    const json = { ...(JSON.parse(await readFile(path, "utf8")) as Json), ...entries };
    await writeFile(join(folder, name), JSON.stringify(json));
    return join(folder, name);
  };
  return readWhisperConfig({
    ...files,
    config: await changed(files.config, config, "config.json"),
    generationConfig: await changed(files.generationConfig!, generation, "generation_config.json"),
    preprocessorConfig: await changed(files.preprocessorConfig, preprocessor, "preprocessor_config.json"),
  });
}

describe("readWhisperConfig", () => {
  it("reads what the model says of its languages and alignment heads", async () => {
    const config = await read({}, {});
    expect(config.multilingual).toBe(true);
    // As in openai/whisper's own list for tiny.
    expect(config.alignmentHeads).toEqual([
      [2, 2],
      [3, 0],
      [3, 2],
      [3, 3],
      [3, 4],
      [3, 5],
    ]);
  });

  it("takes all heads of the upper half of the layers where there is no list", async () => {
    const { alignmentHeads } = await read({}, { alignment_heads: undefined });
    const heads = [0, 1, 2, 3, 4, 5];
    expect(alignmentHeads).toEqual([...heads.map((head) => [2, head]), ...heads.map((head) => [3, head])]);
  });

  it.each([
    [true, 51864, true],
    [false, 51865, false],
    [undefined, 51865, true],
    [undefined, 51866, true],
    [undefined, 51864, false],
  ])("with is_multilingual %s and %s tokens is multilingual: %s", async (flag, size, expected) => {
    const { multilingual } = await read({ vocab_size: size }, { is_multilingual: flag });
    expect(multilingual).toBe(expected);
  });

  it("knows the front end of large-v3", async () => {
    const { mels, preset } = await read({ num_mel_bins: 128, vocab_size: 51866 }, {}, { feature_size: 128 });
    expect({ mels, preset }).toEqual({ mels: 128, preset: "whisper-128" });
  });

  it.each([[[]], [[[4, 0]]], [[[0, 6]]], [[[0]]], ["all"], [[[0.5, 1]]], [[[-1, 0]]]])(
    "refuses the alignment heads %j",
    async (heads) => {
      await expect(read({}, { alignment_heads: heads })).rejects.toThrow(ModelFormatError);
      await expect(read({}, { alignment_heads: heads })).rejects.toThrow(/alignment_heads/);
    },
  );
});
