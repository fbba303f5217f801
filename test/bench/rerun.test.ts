import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { withTable } from "../../bench/report/readme-table.mjs";
import { type Dated, type Rerun, rerunOf, rerunText } from "../../bench/report/rerun.mjs";

type Report = Dated & { rerun?: Rerun };
const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");
const committed = async (): Promise<Report> => {
  const { rerun, ...report } = JSON.parse(await read("bench/report/results.json"));
  return report;
};

/** A run of so many minutes later, all of whose figures of a runtime are so many times those of the report. */
function later(report: Report, minutes: number, ratios: Record<string, number> = {}): Report {
  const again: Report = structuredClone(report);
  again.date = new Date(Date.parse(report.date) + minutes * 60_000).toISOString();
  for (const { runtime, jobs } of again.results) {
    const ratio = ratios[runtime] ?? 1;
    for (const entry of jobs.flatMap(({ entries }) => entries)) {
      if (entry.median === undefined) continue;
      for (const of of ["p10", "median", "p90"] as const) entry[of]! *= ratio;
    }
  }
  return again;
}

const entryOf = (report: Report, runtime: string, contender: string) => {
  const result = report.results.find((each) => each.runtime === runtime && each.suite === "ring")!;
  return result.jobs[0]!.entries.find(({ name }) => name === contender)!;
};

describe("a later run", () => {
  it("of a slower machine is within noise, which is told with the drift", async () => {
    const report = await committed();
    const { minutesLater, unlike, runtimes } = rerunOf(report, later(report, 95, { node: 1.25 }));
    expect(minutesLater).toBe(95);
    expect(unlike).toEqual([]);
    expect(Object.keys(runtimes)).toEqual([...new Set(report.results.map(({ runtime }) => runtime))]);
    expect(runtimes.node!.drift).toBeCloseTo(1.25, 10);
    expect(runtimes.deno!.drift).toBeCloseTo(1, 10);
    for (const { noise, counts, outside } of Object.values(runtimes)) {
      expect(noise).toBeCloseTo(Math.log(1.03), 10);
      expect(counts).toEqual({ "within noise": expect.any(Number), faster: 0, slower: 0 });
      expect(counts["within noise"]).toBeGreaterThan(30);
      expect(outside).toEqual([]);
    }
  });

  it("names figures of wavepool's that are outside it, or gone, and none of peers", async () => {
    const report = await committed();
    const again = later(report, 95);
    for (const contender of ["wavepool, analysis buffer", "ringbuf.js"]) {
      const entry = entryOf(again, "bun", contender);
      for (const of of ["p10", "median", "p90"] as const) entry[of]! *= 9;
    }
    delete entryOf(again, "deno", "wavepool, analysis buffer, readInto").median;
    const { bun, deno, node } = rerunOf(report, again).runtimes;
    const place = { suite: "ring", job: "128 samples in, 128 out" };
    expect(bun!.counts).toMatchObject({ faster: 0, slower: 1 });
    expect(bun!.outside).toEqual([
      { ...place, contender: "wavepool, analysis buffer", ratio: expect.closeTo(9, 6), verdict: "slower" },
    ]);
    expect(deno!.counts).toMatchObject({ slower: 0, gone: 1 });
    expect(deno!.outside).toMatchObject([
      { ...place, contender: "wavepool, analysis buffer, readInto", verdict: "gone" },
    ]);
    expect(node!.outside).toEqual([]);
  });

  it("is not the same one, or an earlier one", async () => {
    const report = await committed();
    for (const minutes of [0, -5]) {
      expect(() => rerunOf(report, later(report, minutes))).toThrow(/give a run after that/);
    }
  });

  it("tells what its conditions were unlike in", async () => {
    const report = await committed();
    const again = Object.assign(later(report, 200), { effort: "quick", commit: "abc1234" });
    const { head } = rerunText({ ...report, rerun: rerunOf(report, again) })!;
    expect(head).toMatch(
      /^Run again 3 h later \(.*, commit abc1234, unlike conditions, effort: full then, quick now\)/,
    );
  });
});

it("is told below the README's table, for each runtime, and only where there is one", async () => {
  const report = await committed();
  const readme = await read("README.md");
  const without = withTable(readme, report);
  expect(without).not.toContain("Run again");
  const again = later(report, 95, { node: 1.25 });
  entryOf(again, "bun", "wavepool, analysis buffer").median! *= 9;
  for (const of of ["p10", "p90"] as const) entryOf(again, "bun", "wavepool, analysis buffer")[of]! *= 9;
  report.rerun = rerunOf(report, again);
  const [, told] = withTable(readme, report).split(/\n\nRun again 95 min later/);
  const [generated] = told!.split("<!-- bench:end -->");
  const lines = generated!.split("\n").filter((line) => line.startsWith("- "));
  expect(lines).toHaveLength(Object.keys(report.rerun.runtimes).length);
  const { node, bun } = report.rerun.runtimes;
  const all = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count);
  expect(lines[0]).toMatch(/^- Node \d+\.\d+: drift 1\.25 × the time, noise ±3\.00 %; /);
  expect(lines[0]).toMatch(
    new RegExp(`; ${all(node!.counts)} of wavepool's ${all(node!.counts)} figures within it$`),
  );
  expect(lines.find((line) => line.startsWith("- Bun"))).toContain(
    `; ${all(bun!.counts) - 1} of wavepool's ${all(bun!.counts)} figures within it; outside: ring, 128 samples in, 128 out, wavepool, analysis buffer (slower, 9.00 × the time)`,
  );
});
