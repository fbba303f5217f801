import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  AudioFormatError,
  CoreMemoryError,
  createCore,
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
import { findModel } from "../src/models/model-files.ts";
import { poolStatistics } from "../src/pools/pool-statistics.ts";
import { SAMPLE, WORDS } from "./reference/sample.ts";
import { whiteNoise } from "./reference/signals.ts";
import { wavFile } from "./reference/wav-file.ts";
import { wordErrorRate } from "./reference/word-error-rate.ts";

let sample: Uint8Array;
let transcriber: Transcriber;

beforeAll(async () => {
  sample = await readFile(SAMPLE);
  // Two files are tested at a time, on two cores: more threads would wait for each other, awake.
  transcriber = await createTranscriber({ model: "tiny", threads: 1 });
});

afterAll(() => transcriber.dispose());

afterEach(() => {
  for (const pool of transcriber.stats()) {
    expect(pool.inUse, `leases left in pool ${pool.name}`).toBe(0);
    expect(pool.releases, pool.name).toBe(pool.acquires);
  }
});

/** The error of a creation that must fail; a transcriber that is created all the same is too big to be printed. */
async function failure(begun: Promise<Transcriber>): Promise<Error> {
  const outcome = await begun.then(
    () => new Error("created all the same"),
    (error: Error) => error,
  );
  return outcome;
}

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
    const joined = await base.transcribe(
      { sampleRate: 16000, channels: [long] },
      // A sentence said five times is no mistake here.
      { timestamps: "none", compressionRatioThreshold: null },
    );
    expect(joined.windows).toBe(2);
    expect(wordErrorRate([[Array(times).fill(WORDS).join(" "), joined.text]])).toBe(0);
    for (const pool of base.stats()) {
      expect(pool).toMatchObject({ inUse: 0, releases: pool.acquires });
    }
    await base.dispose();
  });

  it("finds a model by directory", async () => {
    const { directory } = await findModel("tiny");
    const other = await createTranscriber({ model: directory, threads: 1 });
    expect(other.model.origin).toBe("directory");
    await other.dispose();
  });

  it("refuses an unknown language before it loads the weights", async () => {
    const error = await failure(createTranscriber({ model: "tiny", language: "xx" }));
    expect(error).toBeInstanceOf(UnknownLanguageError);
    expect(error.message).toMatch(/unknown language code "xx"; give one of af, am, ar/);
  });

  it.each([
    ["tiny", /options are "tiny"; give an object/],
    [{ model: 5 }, /model is 5; give tiny, base, .*a directory/],
    [{ model: "" }, /model is ""/],
    [{ model: "tiny", language: 5 }, /unknown language code 5/],
  ])("refuses %o", async (options, message) => {
    expect((await failure(createTranscriber(options as object))).message).toMatch(message);
  });

  it("leaves a core of the caller's for another transcriber", async () => {
    const core = await createCore({ threads: false });
    for (let round = 0; round < 2; round++) {
      const transcriber = await createTranscriber({ model: "tiny", threads: 1, warm: false, core });
      await transcriber.dispose();
      expect(poolStatistics(core)).toEqual([]);
    }
  });

  it("refuses a memory that its buffers do not fit", async () => {
    const error = await failure(createTranscriber({ model: "tiny", memoryBytes: 2 ** 21 }));
    expect(error).toBeInstanceOf(CoreMemoryError);
    expect(error.message).toMatch(/pool "audio" needs 768\d{4} bytes/);
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
    for (const pool of transcriber.stats()) expect(pool.peakInUse).toBeLessThanOrEqual(4);
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

  it("lets timers abort it, and lets them run at all", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await transcriber.transcribe(sample);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
    const running = transcriber.transcribe(sample, { signal: AbortSignal.timeout(50) });
    await expect(running).rejects.toThrow(/timeout/);
  });

  it("rejects a call that waits in the queue at once when it is aborted", async () => {
    const controller = new AbortController();
    let firstDone = false;
    const first = transcriber.transcribe(sample).then(() => {
      firstDone = true;
    });
    const second = transcriber.transcribe(sample, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("no longer wanted")), 10);
    await expect(second).rejects.toThrow("no longer wanted");
    expect(firstDone).toBe(false);
    await first;
  });

  it("refuses a signal that is aborted already, whatever the input", async () => {
    const signal = AbortSignal.abort(new Error("too late"));
    await expect(transcriber.transcribe(new Uint8Array(0), { signal })).rejects.toThrow("too late");
  });

  it("hears nothing in silence", async () => {
    for (const length of [1, 16000, 480001]) {
      const result = await transcriber.transcribe({
        sampleRate: 16000,
        channels: [new Float32Array(length)],
      });
      expect(result.text).toBe("");
    }
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
    ["a claim of 2 GB", wavFile(whiteNoise(100, 1), { claimedBytes: 0x70000000 }), AudioFormatError],
    ["NaN samples", wavFile([0, Number.NaN], { tag: 3, bits: 32 }), NonFiniteSamplesError],
  ])("refuses %s", async (_, bytes, type) => {
    await expect(transcriber.transcribe(bytes)).rejects.toThrow(type);
  });

  it("refuses NaN in samples that were decoded elsewhere", async () => {
    const channel = new Float32Array(44100);
    channel[22050] = Number.NaN;
    const running = transcriber.transcribe({ sampleRate: 44100, channels: [channel] });
    await expect(running).rejects.toThrow(NonFiniteSamplesError);
    await expect(running).rejects.toThrow(/1 of \d+ samples are NaN or infinite/);
  });

  it.each([
    ["null", null, /the sound is null; give bytes, a path/],
    ["no channels", { sampleRate: 16000, channels: [] }, /channels is an array of 0/],
    ["an empty channel", { sampleRate: 16000, channels: [new Float32Array(0)] }, /channel 1 has 0 samples/],
    [
      "16-bit values",
      { sampleRate: 16000, channels: [Float32Array.of(0, 12345)] },
      /a sample of 12345 at 0\.000 s of channel 1; scale the samples/,
    ],
    [
      "channels of two lengths",
      { sampleRate: 16000, channels: [new Float32Array(9), new Float32Array(8)] },
      /channel 2 has 8 samples, channel 1 has 9/,
    ],
  ])("refuses %s in place of sound", async (_, audio, message) => {
    await expect(transcriber.transcribe(audio as never)).rejects.toThrow(InvalidArgumentError);
    await expect(transcriber.transcribe(audio as never)).rejects.toThrow(message);
  });

  it("takes an ArrayBuffer, and undefined for the default language", async () => {
    const buffer = sample.buffer.slice(sample.byteOffset, sample.byteOffset + sample.length) as ArrayBuffer;
    const options = { language: undefined } as unknown as { language: string };
    expect((await transcriber.transcribe(buffer, options)).language).toBe("en");
  });

  it("refuses an unknown language", async () => {
    await expect(transcriber.transcribe(sample, { language: "klingon" })).rejects.toThrow(
      UnknownLanguageError,
    );
  });

  it("ends its work before it is disposed of and refuses more after", async () => {
    const short = await createTranscriber({ model: "tiny", threads: 1 });
    const working = short.transcribe(sample);
    await Promise.all([short.dispose(), short.dispose()]);
    expect((await working).text).toMatch(/Good morning/);
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

  const optional = ["generation_config.json", "tokenizer_config.json"];
  it.each(files.filter((file) => !optional.includes(file)))("without %s is named", async (file) => {
    const model = await modelWith({ [file]: undefined });
    const error = await failure(createTranscriber({ model }));
    expect(error).toBeInstanceOf(ModelNotFoundError);
    expect(error.message).toContain(`model directory ${model} has no ${file.replace("_quantized", "")}`);
  });

  it.each([
    [
      "onnx/encoder_model_quantized.onnx",
      "not an onnx file",
      /encoder_model_quantized\.onnx is no ONNX model/,
    ],
    ["onnx/decoder_model_merged_quantized.onnx", "", /decoder_model_merged_quantized\.onnx is no ONNX model/],
    ["config.json", "{", /config\.json is no JSON/],
    ["config.json", "null", /config\.json holds no JSON object/],
    ["generation_config.json", "[]", /generation_config\.json holds no JSON object/],
    ["config.json", '{"model_type":"bert"}', /model_type is "bert"; wavepool runs "whisper"/],
    [
      "preprocessor_config.json",
      '{"feature_size":64}',
      /feature_size is 64; wavepool computes 80 or 128 mels/,
    ],
    [
      "preprocessor_config.json",
      '{"feature_size":80,"hop_length":320}',
      /hop_length is 320; wavepool computes 160/,
    ],
    [
      "preprocessor_config.json",
      '{"feature_size":128}',
      /says 128 mels, .*config\.json 80; check that all files/,
    ],
    ["tokenizer.json", "{}", /tokenizer\.json is no tokenizer/],
  ])("with a broken %s of %j is named", async (file, content, message) => {
    const error = await failure(createTranscriber({ model: await modelWith({ [file]: content }) }));
    expect(error.message).toMatch(message);
    expect(error).toBeInstanceOf(ModelFormatError);
  });

  it.each([
    [{ vocab_size: 51864 }, /gives 51865 logits, but config\.json has a vocab_size of 51864/],
    [{ d_model: 385 }, /d_model 385 does not divide into 6 decoder_attention_heads/],
    [{ max_target_positions: 4 }, /max_target_positions is 4, not an integer from 32/],
    [{ vocab_size: 1e12 }, /vocab_size is 1000000000000, not an integer/],
    [
      { decoder_start_token_id: 50257 },
      /starts and ends a text with tokens 50258 and 50257, .* with 50257 and 50257/,
    ],
    [{ decoder_layers: 5 }, /no merged Whisper decoder: it has 16 caches/],
  ])("whose config.json says %o is named", async (change, message) => {
    const good = JSON.parse(await readFile(join((await findModel("tiny")).directory, "config.json"), "utf8"));
    const model = await modelWith({ "config.json": JSON.stringify({ ...good, ...change }) });
    const use = async () => {
      const changed = await createTranscriber({ model, threads: 1 });
      try {
        await changed.transcribe(sample);
      } finally {
        for (const pool of changed.stats()) expect(pool.inUse, pool.name).toBe(0);
        await changed.dispose();
      }
    };
    await expect(use()).rejects.toThrow(message);
  });

  it("works without generation_config.json and tokenizer_config.json", async () => {
    const model = await modelWith({
      "generation_config.json": undefined,
      "tokenizer_config.json": undefined,
    });
    const older = await createTranscriber({ model, threads: 1 });
    const { text } = await older.transcribe(sample);
    expect(text).toBe((await transcriber.transcribe(sample)).text);
    await older.dispose();
  });

  it("that does not exist is named with the known model names", async () => {
    const error = await failure(createTranscriber({ model: join(directory, "none") }));
    expect(error.message).toMatch(/has no config\.json.*tiny, base/);
  });
});
