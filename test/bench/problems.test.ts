import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { problemLine, problemsOf } from "../../bench/harness/problems.mjs";

const MAIN = fileURLToPath(new URL("../../bench/main.mjs", import.meta.url));

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
