import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findModel } from "../src/models/model-files.ts";
import { maxError, referenceLogMel } from "./reference/log-mel.ts";
import { SAMPLE, WORDS } from "./reference/sample.ts";
import { tone, whiteNoise } from "./reference/signals.ts";
import { wavFile } from "./reference/wav-file.ts";
import { wordErrorRate } from "./reference/word-error-rate.ts";

const CLI = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

let folder: string;
const at = (name: string) => join(folder, name);

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the built command line as a user does. */
function wavepool(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wavepool-cli-"));
  const noise = whiteNoise(1000, 5);
  await mkdir(at("directory"));
  await mkdir(at("model"));
  await writeFile(at("empty.wav"), "");
  await writeFile(at("text.wav"), "hello, I am a text file, not a sound");
  await writeFile(at("cut.wav"), wavFile(noise).subarray(0, 30));
  await writeFile(at("2gb.wav"), wavFile(noise, { claimedBytes: 0x70000000 }));
  await writeFile(at("nan.wav"), wavFile([0, Number.NaN], { tag: 3, bits: 32 }));
  await writeFile(at("none.wav"), wavFile([], { channels: 0 }));
  await writeFile(at("adpcm.wav"), wavFile(noise, { tag: 2 }));
  await writeFile(at("good.wav"), wavFile(noise));
  await writeFile(at("short.wav"), wavFile(noise.subarray(0, 100)));
  const opus = await readFile(new URL("fixtures/hello.opus", import.meta.url));
  opus.fill(0x55, opus.length / 2, opus.length / 2 + 300);
  await writeFile(at("damaged.opus"), opus);
  await writeFile(at("long.wav"), wavFile(new Float32Array(480001)));
});

afterAll(() => rm(folder, { recursive: true }));

describe("wavepool transcribe", () => {
  it("prints the sample's words on stdout and its progress on stderr", async () => {
    const { code, stdout, stderr } = await wavepool("transcribe", SAMPLE);
    expect(code).toBe(0);
    expect(wordErrorRate([[WORDS, stdout]])).toBe(0);
    expect(stdout.split("\n")).toHaveLength(2);
    expect(stderr).toMatch(
      /^wavepool: loading model\nwavepool: audio\nwavepool: mel\nwavepool: encoder\nwavepool: decoder/,
    );
  });

  it("prints JSON with times and pools", async () => {
    const { code, stdout } = await wavepool(
      "transcribe",
      SAMPLE,
      "--model",
      "tiny",
      "--format",
      "json",
      "--stats",
    );
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ language: "en", model: "tiny", windows: 1 });
    expect(Object.keys(result.times)).toEqual(["audio", "mel", "encoder", "decoder", "total"]);
    expect(result.pools.map((pool: { name: string }) => pool.name)).toContain("mel");
    for (const pool of result.pools) {
      expect(pool.acquires).toBeGreaterThan(0);
      expect(pool).toMatchObject({ inUse: 0, releases: pool.acquires });
    }
  });

  it("prints statistics beside plain text without touching stdout", async () => {
    const { stdout, stderr } = await wavepool("transcribe", SAMPLE, "--model", "tiny", "--stats");
    expect(stdout.split("\n")).toHaveLength(2);
    expect(stderr).toMatch(/encoder +\d+\.\d/);
    expect(stderr).toMatch(/mel +4 +0 +1 +1 +1/);
  });
});

describe("wavepool mel", () => {
  it.each([
    [["--preset", "whisper-80"], 80, 77, undefined],
    [["--preset", "whisper-128", "--pad"], 128, 3000, 480000],
  ] as const)("writes %o as raw float32 (seed 6)", async (flags, mels, frames, padTo) => {
    const samples = whiteNoise(12345, 6).map((x) => x / 2);
    await writeFile(at("noise.wav"), wavFile(samples, { tag: 3, bits: 32 }));
    const out = at(`features-${mels}.f32`);
    const { code, stdout } = await wavepool("mel", at("noise.wav"), ...flags, "--out", out);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      preset: `whisper-${mels}`,
      shape: [mels, frames],
      dtype: "float32",
      out,
    });
    const bytes = await readFile(out);
    expect(bytes.length).toBe(4 * mels * frames);
    const features = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    expect(maxError(features, referenceLogMel(samples, mels, padTo))).toBeLessThanOrEqual(1e-5);
  });

  it("resamples and mixes down", async () => {
    await writeFile(at("hifi.wav"), wavFile(tone(44100, 440, 44100), { rate: 44100, channels: 2, bits: 24 }));
    const { stdout } = await wavepool(
      "mel",
      at("hifi.wav"),
      "--preset",
      "whisper-80",
      "--out",
      at("hifi.f32"),
    );
    expect(JSON.parse(stdout).shape).toEqual([80, 100]);
  });
});

describe("wavepool doctor", () => {
  it("tells what the runtime offers and what would be used", async () => {
    const { code, stdout } = await wavepool("doctor");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^runtime +Node 2\d/);
    expect(stdout).toMatch(/Wasm SIMD +yes/);
    expect(stdout).toMatch(/shared memory +yes/);
    expect(stdout).toMatch(/WebGPU +/);
    expect(stdout).toMatch(/WebNN +/);
    expect(stdout).toMatch(/core +works, 64 MiB/);
    expect(stdout).toMatch(/model +base from package /);
    expect(stdout).toMatch(/provider +(native|wasm), onnxruntime-\w+ \S+, \d+ thread/);
    expect(stdout).toMatch(/ {2}webnn +no: this runtime has no WebNN/);
    expect(stdout).toMatch(/ {2}webgpu +no: this runtime has no WebGPU/);
    expect(stdout).toMatch(/ {2}native +/);
    expect(stdout).toMatch(/ {2}wasm +onnxruntime-web \S+, \d+ threads?; tensors stay in its heap\n/);
  });

  it("loads a model that is named on each provider", async () => {
    const { code, stdout } = await wavepool("doctor", "--model", "tiny");
    expect(code).toBe(0);
    expect(stdout).toMatch(/ {2}wasm +onnxruntime-web .*; loads the model\n/);
  });

  it("says when the model is missing", async () => {
    const { code, stdout } = await wavepool("doctor", "--model", at("model"));
    expect(code).toBe(0);
    expect(stdout).toMatch(/model +none: .* has no config\.json/);
  });
});

describe("bad input", () => {
  it.each([
    [
      "a missing file",
      ["transcribe", "nowhere.wav"],
      /cannot read nowhere\.wav: no such file or folder; check the path/,
    ],
    ["a directory", ["transcribe", "directory"], /cannot read .*directory: it is a directory; give a file/],
    ["an empty file", ["transcribe", "empty.wav"], /empty\.wav: the file is empty/],
    ["a text file", ["transcribe", "text.wav"], /text\.wav: no sound file that wavepool knows/],
    ["a truncated header", ["transcribe", "cut.wav"], /cut\.wav: the WAV header is cut off/],
    [
      "a WAV that claims 2 GB",
      ["transcribe", "2gb.wav"],
      /2gb\.wav: .* claims 1879048192 bytes, 2000 are there/,
    ],
    ["NaN samples", ["transcribe", "nan.wav"], /nan\.wav: 1 of 2 samples are NaN or infinite/],
    ["zero channels", ["transcribe", "none.wav"], /none\.wav: the WAV has 0 channels/],
    ["an unknown codec", ["transcribe", "adpcm.wav"], /adpcm\.wav: unknown WAV codec 0x0002; convert it/],
    [
      "a model directory without files",
      ["transcribe", "good.wav", "--model", "model"],
      /model .*has no config\.json; give a directory/,
    ],
    [
      "a wrong language code",
      ["transcribe", "good.wav", "--model", "tiny", "--language", "xx"],
      /unknown language code "xx"; give one of af, am/,
    ],
    [
      "a wrong format",
      ["transcribe", "good.wav", "--format", "xml"],
      /'xml' is invalid. Allowed choices are text, srt, vtt, tsv, json, verbose_json, all/,
    ],
    ["an unknown option", ["transcribe", "good.wav", "--loud"], /unknown option '--loud'/],
    ["a missing argument", ["transcribe"], /missing required argument 'file'/],
    ["an unknown command", ["sing"], /unknown command 'sing'/],
    [
      "a clip too long for mel with padding",
      ["mel", "long.wav", "--preset", "whisper-80", "--pad", "--out", "x.f32"],
      /long\.wav: the clip has 480001 samples .* takes up to 480000 \(30 s\): leave --pad out, or cut it/,
    ],
    ["an unknown preset", ["mel", "good.wav", "--preset", "mfcc", "--out", "x.f32"], /'mfcc' is invalid/],
    [
      "an output in no directory",
      ["mel", "good.wav", "--preset", "whisper-80", "--out", "no/x.f32"],
      /cannot write .*no\/x\.f32: no such/,
    ],
  ])("of %s ends in one line and code 2", async (_, args, message) => {
    const local = (arg: string) =>
      /\.(wav|f32|opus)$|^(directory|model)$/.test(arg) && arg !== "nowhere.wav" ? at(arg) : arg;
    const { code, stdout, stderr } = await wavepool(...args.map(local));
    // What shows only when the sound is read comes behind the lines of progress.
    const lines = stderr.split("\n");
    expect(lines.slice(0, -2).filter((line) => !/^wavepool: (loading model|audio|mel)$/.test(line))).toEqual(
      [],
    );
    expect(lines.slice(-2)).toEqual([expect.stringMatching(/^wavepool: ./), ""]);
    expect(stderr).toMatch(message);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });

  it("of a broken model ends in one line and code 1", async () => {
    await mkdir(at("broken/onnx"), { recursive: true });
    for (const name of ["config", "preprocessor_config", "tokenizer", "tokenizer_config"]) {
      await writeFile(at(`broken/${name}.json`), "{");
    }
    await writeFile(at("broken/onnx/encoder_model.onnx"), "x");
    await writeFile(at("broken/onnx/decoder_model_merged.onnx"), "x");
    const { code, stderr } = await wavepool("transcribe", SAMPLE, "--model", at("broken"));
    expect(stderr).toMatch(/^wavepool: \S+config\.json is no JSON .*; fetch the model again\n$/);
    expect(code).toBe(1);
  });

  it("of a broken ONNX file ends in one line and code 1", async () => {
    const { directory } = await findModel("tiny");
    for (const file of ["config", "preprocessor_config", "tokenizer", "tokenizer_config"]) {
      await mkdir(at("corrupt/onnx"), { recursive: true });
      await copyFile(join(directory, `${file}.json`), at(`corrupt/${file}.json`));
    }
    const encoder = await readFile(join(directory, "onnx/encoder_model_quantized.onnx"));
    await writeFile(at("corrupt/onnx/encoder_model_quantized.onnx"), encoder.subarray(0, encoder.length / 2));
    await writeFile(at("corrupt/onnx/decoder_model_merged.onnx"), "");
    const { code, stderr } = await wavepool("transcribe", SAMPLE, "--model", at("corrupt"));
    expect(stderr).toMatch(
      /^wavepool: loading model\nwavepool: \S+encoder_model_quantized\.onnx is no ONNX model \([^\n]+; fetch the model again\n$/,
    );
    expect(code).toBe(1);
  });

  it("shows the stack only with --debug", async () => {
    const { code, stderr } = await wavepool("transcribe", at("empty.wav"), "--debug");
    expect(stderr).toMatch(/^wavepool: .*empty\n? */);
    expect(stderr).toMatch(/\n +at /);
    expect(code).toBe(2);
  });

  it("is not a reader that has had enough", async () => {
    const script = `"${process.execPath}" "${CLI}" doctor | true; echo "codes \${PIPESTATUS[*]}"`;
    const stdout = await new Promise<string>((resolve) => {
      execFile("bash", ["-c", script], (_, stdout) => resolve(stdout));
    });
    expect(stdout).toBe("codes 0 0\n");
  });

  it("is not what help and version are", async () => {
    expect(await wavepool("--version")).toMatchObject({ code: 0, stdout: "0.1.0\n", stderr: "" });
    const help = await wavepool("transcribe", "--help");
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toMatch(/Usage: wavepool transcribe \[options\] <file\.\.\.>/);
  });
});
