import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { programVersion } from "../../bench/harness/machine.mjs";
import { problemLine, problemsOf } from "../../bench/harness/problems.mjs";

const PAGE = join(mkdtempSync(join(tmpdir(), "wavepool-bench-")), "page.html");
afterAll(() => rmSync(dirname(PAGE), { recursive: true }));
const MAIN = fileURLToPath(new URL("../../bench/main.mjs", import.meta.url));

const peersThere = existsSync(new URL("../../bench/node_modules/ringbuf.js/", import.meta.url));
if (!peersThere) console.warn("SKIPPED: the peers are not installed: npm run peers");

/** Has Node import another module in place of ringbuf.js, in all processes. */
function insteadOfRingbuf(source: string): string {
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  const hook = `export const resolve = (name, context, next) => name === "ringbuf.js"
    ? { url: ${JSON.stringify(url)}, shortCircuit: true } : next(name, context);`;
  const hooks = `data:text/javascript,${encodeURIComponent(hook)}`;
  const program = `import { register } from "node:module"; register(${JSON.stringify(hooks)});`;
  return `--import=data:text/javascript,${encodeURIComponent(program)}`;
}

/** Two suites in Node, of which one has such a ringbuf.js. */
function benchWith(source: string): Promise<{ code: number; stdout: string }> {
  const args = [MAIN, "--quick", "--only", "ring,resample", "--runtime", "node", "--page", PAGE];
  const env = { ...process.env, NODE_OPTIONS: insteadOfRingbuf(source) };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env }, (error, stdout) =>
      resolve({ code: error ? Number(error.code) : 0, stdout }),
    );
  });
}

it.skipIf(!peersThere).each([
  ["does not load", 'throw new Error("no such luck")', "no such luck"],
  [
    "gives wrong samples",
    "export class RingBuffer { static getStorageForCapacity() {} push() {} pop(out) { out.fill(7); } }",
    "wrong result: off the reference by ",
  ],
])("names a peer that %s, measures the rest, and ends with code 3", async (_, source, message) => {
  const { code, stdout } = await benchWith(source);
  expect(stdout).toMatch(new RegExp(`ringbuf\\.js +failed: ${message}`));
  expect(stdout).toContain(`\n  node, ring, 128 samples in, 128 out, ringbuf.js: ${message}`);
  expect(stdout).toMatch(/wavepool, analysis buffer +[\d.]+ \[/);
  expect(stdout).toMatch(/48000 → 16000 Hz, ms\n {4}wavepool +[\d.]+ \[/);
  expect(code).toBe(3);
});

it.skipIf(!peersThere)(
  "names a runtime that is not installed, measures the others, and ends with code 3",
  () => {
    const args = [MAIN, "--quick", "--only", "ring", "--runtime", "deno,node", "--page", PAGE];
    const env = { ...process.env, DENO: "/nowhere/deno" };
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8", env });
    expect(stdout).toMatch(/wavepool, analysis buffer +[\d.]+ \[/);
    expect(stdout).toMatch(/missing or failed\n {2}deno: DENO names nothing at \/nowhere\/deno\n/);
    expect(status).toBe(3);
  },
);

it("names a runtime that is not there, a suite that ended early, and a contender that failed", () => {
  const job = {
    name: "5 s",
    unit: "ms",
    entries: [{ name: "meyda", failed: "not installed" }, { name: "us" }],
  };
  const lines = problemsOf({
    runtimes: { node: { version: "Node 20" }, webkit: { missing: "not installed here" } },
    results: [
      { runtime: "node", suite: "mel", jobs: [job] },
      { runtime: "node", suite: "fft", jobs: [], failed: "ended with SIGKILL" },
    ],
  }).map(problemLine);
  expect(lines).toEqual([
    "webkit: not installed here",
    "node, mel, 5 s, meyda: not installed",
    "node, fft: ended with SIGKILL",
  ]);
});

it("is not what a whole report has", () => {
  const results = [{ runtime: "node", suite: "mel", jobs: [{ name: "5 s", entries: [{ name: "us" }] }] }];
  expect(problemsOf({ runtimes: { node: { version: "Node 20" } }, results })).toEqual([]);
});

it.each([
  ["--runtime", "netscape"],
  ["--only", "melt"],
  ["--compare", MAIN],
  ["--json", "/nowhere/report.json"],
  ["--page", "/nowhere/page.html"],
  ["--page", dirname(MAIN)],
])("%s %s is refused before anything runs, with code 2", (flag, value) => {
  try {
    execFileSync(process.execPath, [MAIN, flag, value], { stdio: "pipe" });
    expect.unreachable();
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: Buffer };
    expect(status).toBe(2);
    expect(String(stderr)).toContain(value);
  }
});

it("leaves no empty file where it is told in time that a flag is wrong", () => {
  const json = join(dirname(PAGE), "report.json");
  const args = [MAIN, "--json", json, "--page", "/nowhere/page.html"];
  expect(spawnSync(process.execPath, args).status).toBe(2);
  expect(existsSync(json)).toBe(false);
});

it("knows a program's version before a suite has told it", () => {
  expect(programVersion("node", process.execPath)).toBe(`Node ${process.versions.node}`);
  expect(programVersion("deno", "/nowhere/deno")).toBe("deno");
});
