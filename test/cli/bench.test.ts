import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startBenchThread } from "../../src/cli/bench.ts";
import { createBufferPool, createCore } from "../../src/index.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wavepool-bench-"));
});

afterAll(() => rm(folder, { recursive: true }));

function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, "bench", "--quick", ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

it("measures the suites asked for, each result checked first, and compares with an older run", async () => {
  const old = join(folder, "old.json");
  const { code, stdout } = await bench("--only", "pools,fft", "--json", old);
  expect(code).toBe(0);
  expect(stdout).toMatch(/512 points, µs\n {4}wavepool +[\d.]+ \[/);
  const { results } = JSON.parse(await readFile(old, "utf8"));
  expect(results.map(({ suite }: { suite: string }) => suite)).toEqual(["pools", "fft"]);
  expect(stdout).toMatch(/2 threads, 4 kB, a pair, ns\n {4}wavepool, one shared pool +[\d.]+ \[/);
  const { failed, difference } = results[1].jobs[0].entries[0];
  expect(failed).toBeUndefined();
  expect(difference).toBeLessThan(3e-6);
  const again = await bench("--only", "fft", "--compare", old);
  expect(again.stdout).toMatch(/compared\n[\s\S]+\d (within noise|faster|slower)/);
});

it("refuses a suite that there is none of, and a file that no bench wrote", async () => {
  const text = join(folder, "text.json");
  await writeFile(text, "{}");
  expect(await bench("--only", "ffts")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--only is "ffts"/),
  });
  expect(await bench("--json", join(folder, "nowhere", "new.json"))).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(/new\.json/),
  });
  expect(await bench("--compare", text)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/is no report of the bench/),
  });
});

it("leaves an older report as it is when it is ended early", async () => {
  const report = join(folder, "kept.json");
  await writeFile(report, "older");
  const child = spawn(process.execPath, [CLI, "bench", "--quick", "--only", "fft,mel", "--json", report], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  // Its first line is printed when a suite has been measured, and one is left.
  await once(child.stdout, "data");
  child.kill("SIGINT");
  expect(await once(child, "exit")).not.toContain(0);
  expect(await readFile(report, "utf8")).toBe("older");
  expect((await readdir(folder)).filter((name) => name.includes("kept"))).toEqual(["kept.json"]);
});

it("rejects whatever is asked of a thread that has died", async () => {
  const core = await createCore({ threads: true });
  createBufferPool(core, { name: "shared", dtype: "f32", bytes: 4096, max: 4 });
  const thread = await startBenchThread({ handle: core.share(), pairs: 10, work: "pool" });
  expect(await thread.ask("go")).toBe(10);
  // A lease of what is no pool any more is a trap; the check for leaks is to find one again.
  const bytes = new Uint8Array(core.share().memory.buffer);
  const before = bytes.slice();
  bytes.fill(0xff);
  await expect(thread.ask("go")).rejects.toThrow();
  bytes.set(before);
  await expect(thread.ask("go")).rejects.toThrow();
  await thread.end();
}, 20_000);
