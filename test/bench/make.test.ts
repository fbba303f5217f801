/** The program on a copy of what it reads, so that what it writes is the copy's. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withTable } from "../../bench/report/readme-table.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PEERS = join(ROOT, "bench/node_modules");
/** With what it draws its charts. */
const there = existsSync(join(PEERS, "linkedom"));
if (!there) console.warn("SKIPPED: the library of the charts is not installed: npm run peers");

let copy: string;

beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), "wavepool-report-"));
  await mkdir(join(copy, "bench/mel"), { recursive: true });
  for (const path of ["README.md", "bench/report", "bench/harness", "bench/mel/spread.mjs"]) {
    await cp(join(ROOT, path), join(copy, path), { recursive: true });
  }
  await rm(join(copy, "bench/report/index.html"), { force: true });
  // One runtime: charts take their time.
  const { rerun, ...report } = JSON.parse(await read("bench/report/results.json"));
  const runtimes = { node: report.runtimes.node };
  const results = report.results.filter(({ runtime }: { runtime: string }) => runtime === "node");
  await write("bench/report/results.json", JSON.stringify({ ...report, runtimes, results }));
  await write("README.md", withTable(await read("README.md"), { ...report, runtimes, results }));
});

afterEach(() => rm(copy, { recursive: true, force: true }));

const read = (path: string) => readFile(join(copy, path), "utf8");
const write = (path: string, text: string) => writeFile(join(copy, path), text);
const withPeers = () => symlink(PEERS, join(copy, "bench/node_modules"));

function make(...args: string[]) {
  const program = join(copy, "bench/report/make.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: copy,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

/** A report like the committed one in which a figure is another; of a later hour. */
async function otherReport(): Promise<string> {
  const report = JSON.parse(await read("bench/report/results.json"));
  report.date = new Date(Date.parse(report.date) + 3_600_000).toISOString();
  const ring = report.results.find(({ suite }: { suite: string }) => suite === "ring");
  ring.jobs[0].entries[0].median = 123456;
  return JSON.stringify(report);
}

/** A line, and nothing written. */
async function expectMistake(args: string[], line: RegExp): Promise<void> {
  const before = [await read("README.md"), await read("bench/report/results.json")];
  const { status, stdout, stderr } = make(...args);
  expect(stderr).toMatch(line);
  expect(stderr.trimEnd()).not.toContain("\n");
  expect(stdout).toBe("");
  expect(status).toBe(2);
  expect([await read("README.md"), await read("bench/report/results.json")]).toEqual(before);
  expect(existsSync(join(copy, "bench/report/index.html"))).toBe(false);
}

it("says that the library of the charts is missing", () =>
  expectMistake([], /^bench:report: the library of the charts is not installed: npm run peers$/m));

it.each([
  [["--nonsense"], /^bench:report: Unknown option '--nonsense'/],
  [["--out"], /^bench:report: .*--out/],
  [["a.json", "b.json"], /^bench:report: it takes one report, not 2/],
  [
    ["--rerun", "a.json", "b.json"],
    /^bench:report: --rerun is held against bench\/report\/results\.json; give neither/,
  ],
  [["--rerun", "a.json", "--out", "b.html"], /^bench:report: --rerun is held against/],
])("takes no flags %j", (args, line) => expectMistake(args, line));

describe.skipIf(!there)("with that library", () => {
  beforeEach(withPeers);

  it.each([
    ["no report at all", "[1, 2]", /no report of the bench/],
    ["no JSON", "{", /JSON/],
  ])("takes no file with %s", async (_, text, line) => {
    await write("other.json", text);
    await expectMistake(["other.json"], line);
    await expectMistake(["--rerun", "other.json"], line);
  });

  it("takes no file that is not there, and none that cannot be written", async () => {
    await expectMistake(["nowhere.json"], /nowhere\.json: ENOENT/);
    await expectMistake(["--out", "nowhere/page.html"], /nowhere\/page\.html: ENOENT/);
  });

  it("takes no README without a place for the table, and no quick run for it", async () => {
    const readme = await read("README.md");
    await write("README.md", readme.replace("<!-- bench:begin -->", ""));
    await expectMistake([], /README\.md has no <!-- bench:begin -->/);
    await write("README.md", readme);
    const report = JSON.parse(await read("bench/report/results.json"));
    await write("bench/report/results.json", JSON.stringify({ ...report, effort: "quick" }));
    await expectMistake([], /effort "full" \(it is "quick"\).*give bench:report --out FILE/);
  });

  it("makes the page alone of another report, and page and README of the committed one", async () => {
    const readme = await read("README.md");
    await write("other.json", await otherReport());
    expect(make("other.json")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(await read("bench/report/index.html")).toContain("123456 ns");
    expect(await read("README.md")).toBe(readme);
    await write("README.md", readme.replace(/(<!-- bench:begin -->).*(<!-- bench:end -->)/s, "$1$2"));
    expect(make("--out", "page.html").status).toBe(0);
    expect(await read("README.md")).not.toBe(readme);
    expect(await read("page.html")).not.toContain("123456 ns");
    expect(make("bench/report/results.json").status).toBe(0);
    expect(await read("README.md")).toBe(readme);
    expect(await read("bench/report/index.html")).toBe(await read("page.html"));
  });

  it("has the committed report keep what a later run says of it", async () => {
    const before = JSON.parse(await read("bench/report/results.json"));
    await write("again.json", await otherReport());
    expect(make("--rerun", "again.json")).toEqual({ status: 0, stdout: "", stderr: "" });
    const { rerun, ...after } = JSON.parse(await read("bench/report/results.json"));
    expect(rerun).toMatchObject({ minutesLater: 60, runtimes: { node: { drift: 1 } } });
    expect(after).toEqual(before);
    for (const path of ["README.md", "bench/report/index.html"]) {
      expect(await read(path)).toContain("Run again 60 min later");
    }
    await expect(read("README.md")).resolves.toMatch(/^- Node .*: drift 1\.00 × the time, noise ±3\.00 %; /m);
    // The page tells it anew, of what was kept.
    const page = await read("bench/report/index.html");
    expect(make().status).toBe(0);
    expect(await read("bench/report/index.html")).toBe(page);
    await rm(join(copy, "bench/report/index.html"));
    await expectMistake(["--rerun", "bench/report/results.json"], /give a run after that/);
  });
});
