import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileError, ModelFormatError } from "../../src/core/errors.ts";
import { loadEncoder } from "../../src/inference/encoder.ts";
import { unpackWeights } from "../../src/inference/graph/unpack-weights.ts";
import { externalReader, readGraphFiles } from "../../src/inference/graph-files.ts";
import { loadNativeRuntime } from "../../src/inference/native-session.ts";
import type { ProviderName } from "../../src/inference/session.ts";
import { findModel, type ModelFiles } from "../../src/models/model-files.ts";
import { readWhisperConfig, type WhisperConfig } from "../../src/models/whisper-config.ts";
import { whiteNoise } from "../reference/signals.ts";
import { externalise } from "./external-weights.ts";

const native = await loadNativeRuntime().then(
  () => true,
  () => false,
);
const FRAMES = 100;

describe("weights in files beside the graph", () => {
  let directory: string;
  let inline: ModelFiles;
  let files: ModelFiles;
  let config: WhisperConfig;

  beforeAll(async () => {
    inline = await findModel("tiny");
    config = await readWhisperConfig(inline);
    directory = await mkdtemp(join(tmpdir(), "wavepool-external-"));
    await mkdir(join(directory, "onnx"));
    for (const path of [
      inline.config,
      inline.preprocessorConfig,
      inline.tokenizer,
      inline.tokenizerConfig,
      inline.generationConfig,
    ]) {
      if (path) await symlink(path, join(directory, basename(path)));
    }
    await symlink(inline.decoder, join(directory, "onnx", basename(inline.decoder)));
    const name = basename(inline.encoder);
    const { bytes, data } = externalise(new Uint8Array(await readFile(inline.encoder)), `${name}_data`);
    await writeFile(join(directory, "onnx", name), bytes);
    await writeFile(join(directory, "onnx", `${name}_data`), data);
    expect(bytes.length).toBeLessThan(data.length / 10);
    files = await findModel(directory);
  });

  afterAll(() => rm(directory, { recursive: true }));

  async function encode(
    { encoder: path, externalData }: ModelFiles,
    provider: ProviderName,
    unpacked = false,
  ) {
    let bytes: (() => Promise<Uint8Array>) | undefined;
    if (unpacked) {
      const graph = await readGraphFiles(path, { externalData: externalData.encoder });
      bytes = async () => unpackWeights(graph.bytes, path, externalReader(graph.externalData));
    }
    const encoder = await loadEncoder(path, config, {
      bytes,
      providers: [provider],
      externalData: externalData.encoder,
    });
    try {
      const state = await encoder.encode(whiteNoise(config.mels * FRAMES, 3));
      const values = ((await state.read()) as Float32Array).slice();
      state.release();
      return values;
    } finally {
      await encoder.release();
    }
  }

  it.each([["wasm"], ...(native ? [["native"]] : [])] as [ProviderName][])(
    "give what inline ones give, to the bit: %s",
    async (provider) => {
      expect(files.externalData.encoder).toHaveLength(1);
      const expected = await encode(inline, provider);
      expect(await encode(files, provider)).toEqual(expected);
    },
  );

  it("are unpacked where they lie", async () => {
    const expected = await encode(inline, "wasm", true);
    expect(await encode(files, "wasm", true)).toEqual(expected);
  });

  it("that are missing or cut off are told by name", async () => {
    const { encoder: path } = files;
    const [data] = files.externalData.encoder as [string];
    const missing = loadEncoder(path, config, { providers: ["wasm"] });
    await expect(missing).rejects.toThrow(ModelFormatError);
    await expect(missing).rejects.toThrow(/keeps weights in encoder_model_quantized.onnx_data, which is not/);
    const elsewhere = loadEncoder(path, config, { externalData: [`${directory}/no/${basename(data)}`] });
    await expect(elsewhere).rejects.toThrow(FileError);
    await truncate(data, 1_000_000);
    const cut = loadEncoder(path, config, { externalData: [data] });
    await expect(cut).rejects.toThrow(ModelFormatError);
    await expect(cut).rejects.toThrow(/onnx_data has 1000000 bytes of the \d+ that .*quantized.onnx needs/);
  });

  it("are none for a graph that has all inside", async () => {
    const { externalData } = await readGraphFiles(inline.encoder, { externalData: ["/no/such/file"] });
    expect(externalData).toEqual([]);
  });
});
