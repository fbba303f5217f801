import { spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "@plussub/srt-vtt-parser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readWav } from "../src/audio/wav.ts";
import { SAMPLE, WORDS } from "./reference/sample.ts";
import { wavFile } from "./reference/wav-file.ts";
import { wordErrorRate } from "./reference/word-error-rate.ts";

const CLI = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
/** On one thread: two files are tested at a time, on two cores, and more threads would wait for each other, awake. */
const MODEL = ["--model", "tiny", "--threads", "1"];
/** Windows in the sound that is long enough to be interrupted. */
const REPEATS = 20;

let folder: string;
let audio: { sampleRate: number; samples: Float32Array };
const at = (name: string) => join(folder, name);

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface RunOptions {
  /** What comes on stdin; null leaves it open without a byte. */
  stdin?: Uint8Array | null;
  /** Signal to send once stderr matches. */
  interrupt?: { signal: NodeJS.Signals; when: RegExp };
}

/** Runs the built command line with the tiny model, as a user does. */
function transcribe(
  args: string[],
  { stdin = new Uint8Array(0), interrupt }: RunOptions = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, "transcribe", ...MODEL, ...args], { cwd: folder });
    const outcome = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text) => {
      outcome.stdout += text;
    });
    let sent = false;
    child.stderr.setEncoding("utf8").on("data", (text) => {
      outcome.stderr += text;
      if (interrupt && !sent && interrupt.when.test(outcome.stderr)) {
        sent = true;
        child.kill(interrupt.signal);
      }
    });
    child.stdin.on("error", () => undefined); // it may end without reading
    if (stdin !== null) child.stdin.end(stdin);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...outcome }));
  });
}

/** One word of tiny's hangs on the rounding of a provider. */
function expectWords(text: string): void {
  expect(wordErrorRate([[WORDS, text]])).toBeLessThan(0.07);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wavepool-transcribe-"));
  const { sampleRate, channels } = readWav(await readFile(SAMPLE));
  audio = { sampleRate, samples: channels[0]! };
  await mkdir(at("a"));
  await mkdir(at("b"));
  await copyFile(SAMPLE, at("hello.wav"));
  await copyFile(SAMPLE, at("a/talk.wav"));
  await copyFile(SAMPLE, at("b/talk.wav"));
  await writeFile(at("text.wav"), "no sound at all");
  await writeFile(at("silence.wav"), wavFile(new Float32Array(16000)));
  const long = new Float32Array(audio.samples.length * REPEATS);
  for (let i = 0; i < REPEATS; i++) long.set(audio.samples, i * audio.samples.length);
  await writeFile(at("long.wav"), wavFile(long, { rate: sampleRate }));
});

afterAll(() => rm(folder, { recursive: true }));

describe("wavepool transcribe", () => {
  it("writes every format of several files into a folder, and nothing on stdout", async () => {
    const { code, stdout, stderr } = await transcribe([
      "hello.wav",
      "silence.wav",
      "--format",
      "all",
      "--output-dir",
      "out/all",
    ]);
    expect(stderr).toMatch(/^wavepool: hello\.wav \(1 of 2\)\nwavepool: silence\.wav \(2 of 2\)\n$/);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    const endings = ["json", "srt", "tsv", "txt", "verbose.json", "vtt"];
    expect((await readdir(at("out/all"))).sort()).toEqual(
      ["hello", "silence"].flatMap((name) => endings.map((ending) => `${name}.${ending}`)),
    );
    const read = (name: string) => readFile(at(`out/all/${name}`), "utf8");
    expectWords(await read("hello.txt"));
    for (const format of ["srt", "vtt"]) {
      const { entries } = parse(await read(`hello.${format}`));
      expectWords(entries.map(({ text }) => text).join(" "));
      expect(entries[0]!.from).toBeGreaterThanOrEqual(0);
      expect(entries.at(-1)!.to).toBeGreaterThan(4000);
      expect(entries.at(-1)!.to).toBeLessThanOrEqual(
        Math.round((audio.samples.length / audio.sampleRate) * 1000),
      );
    }
    expect(await read("hello.tsv")).toMatch(/^start\tend\ttext\n\d+\t\d+\tGood morning/);
    expect(JSON.parse(await read("hello.json"))).toMatchObject({
      language: "en",
      model: "tiny",
      segments: expect.arrayContaining([expect.objectContaining({ id: 0, start: expect.any(Number) })]),
    });
    expect(JSON.parse(await read("hello.verbose.json"))).toMatchObject({
      task: "transcribe",
      language: "english",
    });
    expect(JSON.parse(await read("silence.json"))).toMatchObject({ text: "", segments: [] });
    expect(await read("silence.vtt")).toBe("WEBVTT\n\n");
  });

  it("names the file before each line of several on stdout, and goes on after one that fails", async () => {
    const { code, stdout, stderr } = await transcribe(["a/talk.wav", "text.wav", "nowhere.wav", "-"], {
      stdin: await readFile(SAMPLE),
    });
    const lines = stdout.trimEnd().split("\n");
    for (const name of ["a/talk.wav", "stdin"]) {
      const own = lines.filter((line) => line.startsWith(`${name}: `));
      expectWords(own.map((line) => line.slice(name.length + 2)).join(" "));
    }
    expect(stderr.split("\n").filter((line) => !/\(\d of 4\)$/.test(line))).toEqual([
      expect.stringMatching(/^wavepool: text\.wav: no sound file that wavepool knows/),
      expect.stringMatching(/^wavepool: cannot read nowhere\.wav: no such file/),
      "",
    ]);
    expect(code).toBe(2);
  });

  it("keeps files of one name from two folders apart", async () => {
    for (const name of ["a", "b"]) await copyFile(at("silence.wav"), at(`${name}/quiet.wav`));
    const { code } = await transcribe(["a/quiet.wav", "b/quiet.wav", "--output-dir", "out/same"]);
    expect(code).toBe(0);
    expect((await readdir(at("out/same"))).sort()).toEqual(["a-quiet.wav.txt", "b-quiet.wav.txt"]);
  });

  it("writes one file in the format of its ending", async () => {
    const { code, stdout } = await transcribe(["hello.wav", "-o", "hello.vtt"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(await readFile(at("hello.vtt"), "utf8")).toMatch(
      /^WEBVTT\n\n00:00\.\d{3} --> 00:0\d\.\d{3}\nGood/,
    );
  });

  it("streams subtitles to stdout", async () => {
    const { stdout } = await transcribe(["hello.wav", "--format", "srt"]);
    expectWords(
      parse(stdout)
        .entries.map(({ text }) => text)
        .join(" "),
    );
  });

  it("takes bare 16-bit samples from stdin and float ones of two channels from a file", async () => {
    const { samples, sampleRate } = audio;
    const words = Int16Array.from(samples, (x) => Math.max(-32768, Math.min(32767, Math.round(x * 32768))));
    const rate = ["--rate", String(sampleRate)];
    const s16 = await transcribe(["-", "--raw", "s16", ...rate], { stdin: new Uint8Array(words.buffer) });
    expectWords(s16.stdout);
    const stereo = new Float32Array(samples.length * 2);
    for (const [i, x] of samples.entries()) stereo[2 * i] = stereo[2 * i + 1] = x;
    await writeFile(at("stereo.f32"), new Uint8Array(stereo.buffer));
    const f32 = await transcribe(["stereo.f32", "--raw", "f32", ...rate, "--channels", "2"]);
    expectWords(f32.stdout);
  });

  it("says once that there is no model, however many files", async () => {
    const { code, stderr } = await transcribe(["a/talk.wav", "b/talk.wav", "--model", "a"]);
    expect(stderr).toMatch(
      /^wavepool: a\/talk\.wav \(1 of 2\)\nwavepool: model directory a has no config\.json[^\n]*\n$/,
    );
    expect(code).toBe(2);
  });
});

describe("Ctrl-C", () => {
  it.each([
    ["SIGINT", /loading model/, 130, "interrupted"],
    ["SIGINT", /decoder/, 130, "interrupted"],
    ["SIGTERM", /encoder/, 143, "stopped by SIGTERM"],
  ] as const)("(%s at %s) ends with code %i and no file", async (signal, when, code, message) => {
    const out = `out/${signal}-${code}-${when.source.split(" ")[0]}`;
    const outcome = await transcribe(["long.wav", "--format", "all", "--output-dir", out], {
      interrupt: { signal, when },
    });
    expect(outcome.stderr).toMatch(new RegExp(`\nwavepool: ${message}\n$`));
    expect(outcome).toMatchObject({ code, stdout: "" });
    expect(await readdir(at(out))).toEqual([]);
  });

  it("keeps the files that were whole, and leaves the old one of the file at work", async () => {
    const out = "out/partial";
    await mkdir(at(out), { recursive: true });
    await writeFile(at(`${out}/long.txt`), "from yesterday");
    const { code } = await transcribe(["hello.wav", "long.wav", "--output-dir", out], {
      interrupt: { signal: "SIGINT", when: /2 of 2/ },
    });
    expect(code).toBe(130);
    expect((await readdir(at(out))).sort()).toEqual(["hello.txt", "long.txt"]);
    expectWords(await readFile(at(`${out}/hello.txt`), "utf8"));
    expect(await readFile(at(`${out}/long.txt`), "utf8")).toBe("from yesterday");
  });

  it("does not wait for stdin", async () => {
    const outcome = await transcribe(["nowhere.wav", "-"], {
      stdin: null,
      interrupt: { signal: "SIGINT", when: /2 of 2/ },
    });
    expect(outcome.stderr).toMatch(/wavepool: interrupted\n$/);
    expect(outcome.code).toBe(130);
  });
});

describe("bad input", () => {
  it.each([
    [
      ["hello.wav", "a/talk.wav", "--format", "srt"],
      "--format srt is for one sound, here are 2; give --output-dir",
    ],
    [["hello.wav", "a/talk.wav", "-o", "x.txt"], "--output is for one sound, here are 2"],
    [["hello.wav", "--format", "all"], "--format all writes several files; add --output-dir"],
    [
      ["hello.wav", "-o", "x.txt", "--output-dir", "out"],
      "--output names one file and --output-dir a folder",
    ],
    [["hello.wav", "-o", "./a/../hello.wav"], "the output ./a/../hello.wav is the sound file itself"],
    [["-", "-"], "- is given twice, but stdin can be read once"],
    [["hello.wav", "--output-dir", "hello.wav"], "cannot write into hello.wav"],
    [["hello.wav", "-o", "no/x.txt"], "cannot write no/x.txt: its folder is not there"],
    [["-"], "stdin: the file is empty"],
    [["-", "--raw", "f32", "--rate", "16000"], "stdin: the raw PCM holds no samples"],
    [["hello.wav", "--raw", "s16"], "--raw does not say how fast to play"],
    [["hello.wav", "--format", "vtt", "--timestamps", "none"], "--format vtt needs times"],
    [
      ["hello.wav", "--highlight-words", "--timestamps", "segment"],
      "--highlight-words needs the times of words",
    ],
    [["hello.wav", "--temperature", "hot"], '--temperature is "hot"'],
  ])("%o ends in one line and code 2", async (args, message) => {
    const { code, stdout, stderr } = await transcribe(args);
    const lines = stderr
      .split("\n")
      .filter((line) => !/^wavepool: (loading|audio|mel|encoder|decoder)/.test(line));
    expect(lines).toEqual([expect.stringContaining(`wavepool: ${message}`), ""]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});
