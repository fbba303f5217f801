import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  AudioFormatError,
  CoreMemoryError,
  createTranscriber,
  InvalidArgumentError,
  ModelFormatError,
  ModelNotFoundError,
  NonFiniteSamplesError,
  type Progress,
  readWav,
  type Transcriber,
  UnknownLanguageError,
} from "../src/index.ts";
import { findModel } from "../src/inference/model-files.ts";
import { whiteNoise } from "./reference/signals.ts";
import { wavFile } from "./reference/wav-file.ts";
import { wordErrorRate } from "./reference/word-error-rate.ts";

const WORDS = "Good morning. The train to London leaves at half past seven. Please take your seats.";
let sample: Uint8Array;
let transcriber: Transcriber;

beforeAll(async () => {
  sample = await readFile(new URL("../samples/hello.wav", import.meta.url));
  transcriber = await createTranscriber({ model: "tiny" });
});

afterAll(() => transcriber.dispose());

afterEach(() => {
  for (const pool of transcriber.stats()) {
    expect(pool.inUse, `leases left in pool ${pool.name}`).toBe(0);
    expect(pool.releases, pool.name).toBe(pool.acquires);
  }
});

function samplesOf(wav: Uint8Array): Float32Array {
  return readWav(wav).channels[0]!;
}

describe("createTranscriber", () => {
  it("uses base by default and finds the sample's words, also in a clip of two windows", async () => {
    const base = await createTranscriber();
    const { text, language, windows, duration, model } = await base.transcribe(sample);
    expect(wordErrorRate([[WORDS, text]])).toBe(0);
    expect({ language, windows, model }).toEqual({ language: "en", windows: 1, model: "base" });
    expect(duration).toBeCloseTo(7.2, 1);
    expect(base.languages).toHaveLength(99);

    // A clip of more than 30 s is cut at a pause and its texts are joined.
    const clip = samplesOf(sample);
    const times = 5;
    const long = new Float32Array(clip.length * times);
    for (let i = 0; i < times; i++) long.set(clip, i * clip.length);
    const joined = await base.transcribe({ sampleRate: 16000, channels: [long] });
    expect(joined.windows).toBe(2);
    expect(wordErrorRate([[Array(times).fill(WORDS).join(" "), joined.text]])).toBe(0);
    for (const pool of base.stats()) expect(pool).toMatchObject({ inUse: 0, acquires: 3, releases: 3 });
    await base.dispose();
  });

  it("finds a model by directory", async () => {
    const { directory } = await findModel("tiny");
    const other = await createTranscriber({ model: directory });
    expect(other.model.origin).toBe("directory");
    await other.dispose();
  });

  it("refuses an unknown language before it loads the weights", async () => {
    const begun = createTranscriber({ model: "tiny", language: "xx" });
    await expect(begun).rejects.toThrow(UnknownLanguageError);
    await expect(begun).rejects.toThrow(/unknown language code "xx"; the model knows af, am, ar/);
  });

  it("refuses a memory that its buffers do not fit", async () => {
    const begun = createTranscriber({ model: "tiny", memoryBytes: 2 ** 21 });
    await expect(begun).rejects.toThrow(CoreMemoryError);
    await expect(begun).rejects.toThrow(/pool "audio" needs 3840000 bytes/);
  });
});

describe("transcribe", () => {
  it("takes bytes or samples of any rate and channel count", async () => {
    const { text } = await transcriber.transcribe(sample);
    expect(wordErrorRate([[WORDS, text]])).toBeLessThanOrEqual(0.2);
    const mono = samplesOf(sample);
    // Each sample three times: the same sound at 48 kHz, with images that the resampler must remove.
    const tripled = Float32Array.from({ length: mono.length * 3 }, (_, i) => mono[Math.floor(i / 3)]!);
    const stereo = await transcriber.transcribe({ sampleRate: 48000, channels: [tripled, tripled] });
    expect(wordErrorRate([[WORDS, stereo.text]])).toBeLessThanOrEqual(0.2);
  });

  it("queues calls that overlap and keeps its pools small", async () => {
    const results = await Promise.all([1, 2, 3].map(() => transcriber.transcribe(sample)));
    expect(new Set(results.map((result) => result.text)).size).toBe(1);
    for (const pool of transcriber.stats()) expect(pool.peakInUse).toBe(1);
  });

  it("reports its progress in order", async () => {
    const seen: Progress[] = [];
    await transcriber.transcribe(sample, { onProgress: (progress) => seen.push(progress) });
    const stages = seen.map((progress) => progress.stage).filter((stage, i, all) => stage !== all[i - 1]);
    expect(stages).toEqual(["audio", "mel", "encoder", "decoder"]);
    expect(seen.at(-1)!.tokens).toBeGreaterThan(10);
  });

  it("stops on abort within a decoding step and gives its leases back", async () => {
    const controller = new AbortController();
    let tokens = 0;
    const running = transcriber.transcribe(sample, {
      signal: controller.signal,
      onProgress: (progress) => {
        tokens = progress.tokens;
        if (tokens === 3) controller.abort(new Error("enough"));
      },
    });
    await expect(running).rejects.toThrow("enough");
    expect(tokens).toBe(3);
  });

  it("gives its leases back when a callback throws", async () => {
    const running = transcriber.transcribe(sample, {
      onProgress: ({ stage }) => {
        if (stage === "decoder") throw new Error("callback");
      },
    });
    await expect(running).rejects.toThrow("callback");
  });

  it.each([
    ["an empty file", new Uint8Array(0), AudioFormatError],
    ["a cut-off header", wavFile(whiteNoise(100, 1)).subarray(0, 30), AudioFormatError],
    ["a claim of 4 GB", wavFile(whiteNoise(100, 1), { claimedBytes: 0xffffffff }), AudioFormatError],
    ["NaN samples", wavFile([0, Number.NaN], { tag: 3, bits: 32 }), NonFiniteSamplesError],
  ])("refuses %s", async (_, bytes, type) => {
    await expect(transcriber.transcribe(bytes)).rejects.toThrow(type);
  });

  it("refuses NaN in samples that were decoded elsewhere", async () => {
    const audio = { sampleRate: 16000, channels: [Float32Array.of(0, Number.NaN, 0)] };
    await expect(transcriber.transcribe(audio)).rejects.toThrow(NonFiniteSamplesError);
  });

  it("refuses an unknown language", async () => {
    await expect(transcriber.transcribe(sample, { language: "english" })).rejects.toThrow(
      UnknownLanguageError,
    );
  });

  it("refuses work after dispose", async () => {
    const short = await createTranscriber({ model: "tiny" });
    await short.dispose();
    await short.dispose();
    await expect(short.transcribe(sample)).rejects.toThrow(InvalidArgumentError);
  });
});

describe("a broken model directory", () => {
  let directory: string;
  const files = [
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "onnx/encoder_model_quantized.onnx",
    "onnx/decoder_model_merged_quantized.onnx",
  ];

  /** A copy of the tiny model by links, with some files replaced (text) or left out (undefined). */
  async function modelWith(changes: Record<string, string | undefined>): Promise<string> {
    const good = (await findModel("tiny")).directory;
    const copy = await mkdtemp(join(directory, "model-"));
    await mkdir(join(copy, "onnx"));
    for (const file of files) {
      if (!(file in changes)) await symlink(join(good, file), join(copy, file));
      else if (changes[file] !== undefined) await writeFile(join(copy, file), changes[file]);
    }
    return copy;
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "wavepool-models-"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it.each(files.filter((file) => file !== "generation_config.json"))("without %s is named", async (file) => {
    const model = await modelWith({ [file]: undefined });
    const begun = createTranscriber({ model });
    await expect(begun).rejects.toThrow(ModelNotFoundError);
    await expect(begun).rejects.toThrow(`model directory ${model} has no ${file}`);
  });

  it.each([
    ["onnx/encoder_model_quantized.onnx", "not an onnx file", /encoder_model_quantized\.onnx does not load/],
    ["onnx/decoder_model_merged_quantized.onnx", "", /decoder_model_merged_quantized\.onnx does not load/],
    ["config.json", "{", /config\.json is no JSON/],
    ["config.json", '{"model_type":"bert"}', /model_type is "bert"; wavepool runs "whisper"/],
    [
      "preprocessor_config.json",
      '{"feature_size":64}',
      /feature_size is 64; wavepool computes 80 or 128 mels/,
    ],
    ["tokenizer.json", "{}", /tokenizer\.json is no tokenizer/],
  ])("with a broken %s of %j is named", async (file, content, message) => {
    const begun = createTranscriber({ model: await modelWith({ [file]: content }) });
    await expect(begun).rejects.toThrow(ModelFormatError);
    await expect(begun).rejects.toThrow(message);
  });

  it("works without generation_config.json, as older exports are", async () => {
    const model = await modelWith({ "generation_config.json": undefined });
    const older = await createTranscriber({ model });
    const { text } = await older.transcribe(sample);
    expect(text).toBe((await transcriber.transcribe(sample)).text);
    await older.dispose();
  });

  it("that does not exist is named with the known model names", async () => {
    await expect(createTranscriber({ model: join(directory, "none") })).rejects.toThrow(
      /has no config\.json.*tiny and base/,
    );
  });
});
