import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileError } from "../../src/core/errors.ts";
import type { DownloadProgress } from "../../src/models/download-progress.ts";
import { fetchModel } from "../../src/models/fetch-model.ts";
import { type Hub, startHub } from "./hub-server.ts";
import { freshCache } from "./setting.ts";
import { smallModel } from "./small-model.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const NAME = "someone/model";
const ENCODER = "onnx/encoder_model_quantized.onnx";
const files = smallModel(5);
const bytes = [...files].reduce((sum, [path, file]) => sum + (path === "README.md" ? 0 : file.length), 0);

let hub: Hub;
let cache: Awaited<ReturnType<typeof freshCache>>;
let directory: string;

beforeEach(async () => {
  cache = await freshCache();
  hub = await startHub({ [NAME]: files });
  process.env.HF_ENDPOINT = hub.url;
  directory = join(cache.directory, "models", NAME, "main");
});
afterEach(async () => {
  await hub.close();
  await cache.remove();
});

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `wavepool models` as a user does, without a terminal. */
function models(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, "models", ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

async function expectComplete(): Promise<void> {
  for (const [path, file] of files) {
    if (path !== "README.md") expect(file.equals(await readFile(join(directory, path))), path).toBe(true);
  }
  expect((await readdir(directory, { recursive: true })).filter((name) => /part|lock/.test(name))).toEqual(
    [],
  );
}

/** Answers the first request for the encoder with its first bytes, and then with nothing more. */
function holdBack(count: number): Promise<void> {
  let first = true;
  return new Promise((arrived) => {
    hub.behave = async ({ path, kind, response }) => {
      if (path !== ENCODER || kind !== "bytes" || !first) return undefined;
      first = false;
      response.writeHead(200, { "Content-Length": files.get(ENCODER)!.length });
      response.write(files.get(ENCODER)!.subarray(0, count), () => arrived());
      return "answered";
    };
  });
}

/** Resolves once the part of the encoder has at least so many bytes. */
async function partOf(count: number): Promise<void> {
  for (;;) {
    const names = await readdir(join(directory, "onnx")).catch(() => []);
    const part = names.find((name) => name.endsWith(".part"));
    if (part && (await readFile(join(directory, "onnx", part))).length >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const ended = (child: ChildProcess) => new Promise<void>((resolve) => child.once("exit", () => resolve()));

describe("wavepool models", () => {
  it("adds, lists, finds and removes a model", async () => {
    const added = await models("add", NAME);
    expect(added).toEqual({
      code: 0,
      stdout: `${directory}\n`,
      stderr: expect.stringMatching(/^wavepool: downloading someone\/model: [\d.]+ of 1\.8 MB/),
    });
    await expectComplete();
    const { stdout: table } = await models("list");
    expect(table).toMatch(/^name +origin +revision +dtype +MB +path\n/);
    expect(table).toMatch(/\ntiny +package +- +q8 +[\d.]+ +\S+whisper-tiny\n/);
    expect(table).toMatch(new RegExp(`\nsomeone/model +cache +main +q8 +1.8 +${directory}\n$`));
    const listed = JSON.parse((await models("list", "--json")).stdout);
    expect(listed).toContainEqual(
      expect.objectContaining({ name: NAME, bytes, path: directory, dtypes: ["q8"] }),
    );
    expect((await models("path", NAME)).stdout).toBe(`${directory}\n`);
    expect((await models("path")).stdout).toBe(`${join(cache.directory, "models")}\n`);
    expect((await models("add", NAME, "--offline")).stdout).toBe(`${directory}\n`);
    expect((await models("remove", NAME)).stdout).toBe(`removed ${directory} (1.8 MB)\n`);
    await expect(readdir(directory)).rejects.toThrow("ENOENT");
  });

  it.each([
    [["add", "nonsense"], 2, /model is "nonsense"; give tiny, base/],
    [["add", "no/such", "--offline"], 2, /model "no\/such" is not here: .*offline/],
    [
      ["add", "no/such"],
      2,
      /no\/such\S* answers 401 .*there is no such repository, or it is private or gated/,
    ],
    [["add", NAME, "--dtype", "q5"], 2, /'q5' is invalid/],
    [["add", NAME, "--revision", ".."], 2, /revision is "\.\."/],
    [["path", NAME], 2, /the hub was not asked/],
    [["remove", NAME], 2, /there is no model "someone\/model" in /],
    [["frobnicate"], 2, /unknown command|too many arguments|help/],
  ])("%j ends in one line and code %i", async (args, code, message) => {
    const outcome = await models(...args);
    expect(outcome.stderr).toMatch(/^wavepool: [^\n]+\n$/);
    expect(outcome.stderr).toMatch(message);
    expect(outcome).toMatchObject({ code, stdout: "" });
  });

  it("ends with code 1 when what comes is wrong", async () => {
    hub.behave = ({ path }) => (path === ENCODER ? { body: Buffer.alloc(700_000) } : undefined);
    const { code, stderr } = await models("add", NAME);
    expect(stderr).toMatch(
      /\nwavepool: http\S+ came with SHA-256 \w+, but the hub tells \w+; it was removed[^\n]+\n$/,
    );
    expect(code).toBe(1);
  });
});

describe("processes", () => {
  it("that fetch the same model at once fetch it once", async () => {
    const outcomes = await Promise.all([models("add", NAME), models("add", NAME), models("add", NAME)]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(hub.log.filter(({ path, kind }) => path === ENCODER && kind === "bytes")).toHaveLength(1);
    await expectComplete();
  });

  it("that are killed leave what has come to the next, which waits for no one", async () => {
    const count = 400_000;
    const arrived = holdBack(count);
    const child = spawn(process.execPath, [CLI, "models", "add", NAME], { stdio: "ignore" });
    await arrived;
    await partOf(count);
    child.kill("SIGKILL");
    await ended(child);
    hub.log.length = 0;
    expect((await models("add", NAME)).code).toBe(0);
    expect(hub.log.filter(({ path, kind }) => path === ENCODER && kind === "bytes")).toEqual([
      { kind: "bytes", path: ENCODER, from: count },
    ]);
    await expectComplete();
  });

  it("that wait for another can be called off", async () => {
    const arrived = holdBack(1000);
    const child = spawn(process.execPath, [CLI, "models", "add", NAME], { stdio: "ignore" });
    try {
      await arrived;
      const reason = new Error("enough");
      const controller = new AbortController();
      const waiting = fetchModel(NAME, NAME, { signal: controller.signal });
      setTimeout(() => controller.abort(reason), 500);
      await expect(waiting).rejects.toBe(reason);
    } finally {
      child.kill();
      await ended(child);
    }
  });
});

const bin = (name: string) => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));
const RUNTIMES: [string, string[]][] = [
  ["deno", ["run", "--allow-all", "--quiet", CLI]],
  ["bun", [CLI]],
];

describe.each(RUNTIMES)("%s", (name, args) => {
  const works = (() => {
    try {
      execFileSync(bin(name), ["--version"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  })();
  if (!works) console.warn(`SKIPPED: ${name}. It does not run; reinstall with install scripts allowed.`);

  const run = (...more: string[]) =>
    new Promise<Outcome>((resolve) => {
      execFile(bin(name), [...args, "models", ...more], (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      });
    });

  it.skipIf(!works)("fetches a model over cuts, waits for others, and refuses wrong bytes", async () => {
    hub.behave = ({ path, kind, from }) => {
      return path === ENCODER && kind === "bytes" && from === undefined ? { cutAt: 300_000 } : undefined;
    };
    const outcomes = await Promise.all([run("add", NAME), run("add", NAME)]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ code: 0, stdout: `${directory}\n` });
    const begun = hub.log.filter(({ path, kind }) => path === ENCODER && kind === "bytes");
    expect(begun).toHaveLength(2);
    expect(begun[1]!.from).toBeGreaterThan(0);
    await expectComplete();
    expect((await run("remove", NAME)).stdout).toBe(`removed ${directory} (1.8 MB)\n`);
    hub.behave = ({ path }) => (path === ENCODER ? { body: Buffer.alloc(700_000) } : undefined);
    const wrong = await run("add", NAME);
    expect(wrong.stderr).toMatch(/\nwavepool: http\S+ came with SHA-256 \w+, but the hub tells/);
    expect(wrong.code).toBe(1);
  });
});

/** A file system of `size`, or why there is none. */
async function smallDisk(size: string): Promise<{ at: string } | { reason: string }> {
  const at = await mkdtemp(join(tmpdir(), "wavepool-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", at], { stdio: "pipe" });
    return { at };
  } catch (error) {
    await rm(at, { recursive: true });
    return { reason: (error as Error).message };
  }
}

describe("a full disk", async () => {
  const disk = await smallDisk("1m");
  const [at, reason] = "at" in disk ? [disk.at, ""] : ["", disk.reason];
  if (reason) console.warn(`SKIPPED: a full disk. No file system can be mounted (${reason}); run as root.`);

  it.skipIf(!at)("is named, keeps what fits, and is no end once there is room", async () => {
    try {
      process.env.WAVEPOOL_CACHE = at;
      const told: DownloadProgress[] = [];
      const onProgress = (progress: DownloadProgress) => void told.push(progress);
      const error = await fetchModel(NAME, NAME, { onProgress }).catch((error: Error) => error);
      expect(error).toBeInstanceOf(FileError);
      expect((error as Error).message).toMatch(/^cannot write \S+: the disk is full; free some space$/);
      const { code, stderr } = await models("add", NAME);
      expect(stderr).toMatch(/\nwavepool: cannot write \S+: the disk is full; free some space\n$/);
      expect(code).toBe(2);
      execFileSync("mount", ["-o", "remount,size=8m", at]);
      hub.log.length = 0;
      await fetchModel(NAME, NAME);
      const [resumed] = hub.log.filter(({ kind }) => kind === "bytes");
      expect(resumed!.from).toBeGreaterThan(0);
      directory = join(at, "models", NAME, "main");
      await expectComplete();
    } finally {
      execFileSync("umount", [at]);
      await rm(at, { recursive: true });
    }
  });

  it("of names that lead through a file is a typed error too", async () => {
    await mkdir(cache.directory, { recursive: true });
    process.env.WAVEPOOL_CACHE = CLI; // a file where a directory should be
    const error = await fetchModel(NAME, NAME).catch((error: Error) => error);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(/^cannot write .*; check the path$/);
  });
});
