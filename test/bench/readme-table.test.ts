import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { withTable } from "../../bench/report/readme-table.mjs";

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

interface Entry {
  name: string;
  kind: string;
  lacks?: string;
  median?: number;
}
interface Result {
  runtime: string;
  suite: string;
  title: string;
  failed?: string;
  jobs: { name: string; entries: Entry[] }[];
}
interface Report {
  effort: string;
  machine: { load?: number };
  runtimes: Record<string, { version?: string; missing?: string }>;
  results: Result[];
}

const readReport = async (): Promise<Report> => JSON.parse(await read("bench/report/results.json"));

/** The table of a report, as cells of its rows: job, contender, a figure for each runtime, bytes. */
async function rowsOf(report: Report): Promise<string[][]> {
  const [, generated] = withTable(await read("README.md"), report).split("<!-- bench:begin -->");
  const lines = generated!.split("<!-- bench:end -->")[0]!.split("\n");
  const cells = lines.filter((line) => line.startsWith("|")).map((line) => line.slice(2, -2).split(" | "));
  return cells.slice(2).map((row) => row.map((cell) => cell.trim()));
}

/** Makes a suite fail, as main.mjs says it. */
function fail(report: Report, suite: string, runtimes = Object.keys(report.runtimes)): void {
  report.results = report.results.map((result) =>
    result.suite === suite && runtimes.includes(result.runtime)
      ? { runtime: result.runtime, suite, title: suite, failed: "out of memory", jobs: [] }
      : result,
  );
}

it("is what the committed report generates: npm run bench:report", async () => {
  const readme = await read("README.md");
  const report = JSON.parse(await read("bench/report/results.json"));
  expect(readme).toBe(withTable(readme, report));
});

it("changes with a figure, and nothing around it does", async () => {
  const readme = await read("README.md");
  const report = JSON.parse(await read("bench/report/results.json"));
  const { jobs } = report.results.find(({ suite }: { suite: string }) => suite === "ring");
  jobs[0].entries[0].median = 123456;
  const changed = withTable(readme, report);
  expect(changed).toContain("| 123456 |");
  expect(changed.split("<!-- bench:end -->")[1]).toBe(readme.split("<!-- bench:end -->")[1]);
});

it("has a place in the README", () => {
  expect(() => withTable("# wavepool", {})).toThrow(/no <!-- bench:begin -->/);
});

it("tells a suite that failed in a runtime from what there is not", async () => {
  const report = await readReport();
  fail(report, "ring", ["node", "deno"]);
  const rows = await rowsOf(report);
  const ring = rows.find(([, contender]) => contender === "ringbuf.js")!;
  expect(ring.slice(2, 4)).toEqual(["failed", "failed"]);
  expect(Number(ring[4])).toBeGreaterThan(0);
  const native = rows.find(([, contender]) => contender === "FFTW 3, native")!;
  expect(native.slice(3, 5)).toEqual(["–", "–"]);
});

it("shows what Deno counted where Node did not", async () => {
  const report = await readReport();
  for (const [runtime, bytes] of [
    ["node", undefined],
    ["deno", 1234],
  ]) {
    const { jobs } = report.results.find((result) => result.runtime === runtime && result.suite === "ring")!;
    Object.assign(jobs[0]!.entries.find(({ name }) => name === "ringbuf.js")!, { bytes });
  }
  const rows = await rowsOf(report);
  expect(rows.find(([, contender]) => contender === "ringbuf.js")!.at(-1)).toBe("1234 bytes");
});

it("keeps the row of a suite that failed everywhere", async () => {
  const report = await readReport();
  fail(report, "ring");
  const rows = await rowsOf(report);
  const failed = Object.keys(report.runtimes).map(() => "failed");
  expect(rows).toContainEqual(["ring: 128 samples in, 128 out", "", ...failed, ""]);
});

it("keeps the row of a peer that can do it nowhere, and none of ours", async () => {
  const rows = await rowsOf(await readReport());
  const encoder = (name: string) => rows.findIndex(([job]) => job!.endsWith(`encoder, ${name}, ms`));
  const [short, long, next] = [
    encoder("10 s"),
    encoder("30 s"),
    rows.findIndex(([job]) => /: decoder/.test(job!)),
  ];
  const peer = (from: number, to: number) =>
    rows
      .slice(from, to)
      .find(([, contender]) => contender!.startsWith("@huggingface/transformers"))!
      .slice(2);
  expect(peer(short, long).join("")).toMatch(/^–+$/);
  expect(peer(long, next).join(" ")).toMatch(/^\d/);
  for (const row of rows.slice(short, long)) {
    if (row[1]!.startsWith("wavepool")) expect(row.slice(2).join()).toMatch(/\d/);
  }
});

it.each([
  [
    "a quick run",
    (report: Report) => Object.assign(report, { effort: "quick" }),
    /effort "full" \(it is "quick"\)/,
  ],
  [
    "a run of some suites",
    (report: Report) =>
      Object.assign(report, { results: report.results.filter(({ suite }) => suite === "mel") }),
    /lacks fft, stream, resample, pools, ring, transcription, inference, service: .* without --quick and --only/,
  ],
  [
    "a run without one of the jobs",
    (report: Report) => {
      for (const { jobs } of report.results.filter(({ suite }) => suite === "mel")) jobs.shift();
      for (const { suite, jobs } of report.results) if (suite === "pools") jobs.splice(1, 1);
    },
    /lacks pools: 960 kB: /,
  ],
])("takes no report of %s", async (_, change, message) => {
  const report = await readReport();
  change(report);
  const readme = await read("README.md");
  expect(() => withTable(readme, report)).toThrow(message);
});

it("says what the machine did beside it, and which runtimes are not there", async () => {
  const report = await readReport();
  report.machine.load = 3.25;
  report.runtimes.webkit = { missing: "not installed here" };
  const readme = withTable(await read("README.md"), report);
  expect(readme).toMatch(/, \d+ cores, load 3\.25 at the start, commit /);
  expect(readme).toContain("\nNot here: webkit.\n");
});
