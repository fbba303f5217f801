import { describe, expect, it } from "vitest";
import { compareReports, tally } from "../../bench/harness/compare.mjs";
import { comparison } from "../../bench/own.mjs";

type Figure = [p10: number, median: number, p90: number] | undefined;

/** A report of one job, by contender; undefined for one that failed. Those of peers begin with "peer". */
function report(figures: Record<string, Figure>) {
  const entries = Object.entries(figures).map(([name, figure]) => {
    const kind = name.startsWith("peer") ? "peer" : "wavepool";
    if (figure === undefined) return { name, kind, failed: "it did not load" };
    const [p10, median, p90] = figure;
    return { name, kind, p10, median, p90 };
  });
  return { results: [{ runtime: "node", suite: "mel", jobs: [{ name: "30 s", unit: "ms", entries }] }] };
}

/** Ten peers whose medians are so many times 10. */
const peers = (ratios: number[]) =>
  Object.fromEntries(ratios.map((x, i) => [`peer ${i}`, [9 * x, 10 * x, 11 * x] as Figure]));
const still = peers(Array(10).fill(1));
const verdicts = (older: object, newer: object) =>
  Object.fromEntries(
    compareReports(report(older as never), report(newer as never))
      .rows.filter(({ kind }) => kind === "wavepool")
      .map(({ contender, verdict }) => [contender, verdict]),
  );

describe("two runs", () => {
  it("differ only where the intervals of both leave no doubt", () => {
    const older = { ...still, a: [9, 10, 11], b: [9, 10, 11], c: [9, 10, 11], d: [9, 10, 11], e: undefined };
    const newer = { ...still, a: [11, 12, 13], b: [12, 20, 21], c: [4, 5, 8], d: undefined, e: [1, 1, 1] };
    expect(verdicts(older, newer)).toEqual({
      a: "within noise",
      b: "slower",
      c: "faster",
      d: "gone",
      e: "new",
    });
  });

  it("of a machine that has become slower do not: the peers tell by how much", () => {
    const slower = peers(Array(10).fill(1.5));
    const older = { ...still, same: [9, 10, 11], worse: [9, 10, 11], better: [9, 10, 11] };
    const newer = { ...slower, same: [14, 15, 16], worse: [28, 30, 32], better: [9, 10, 11] };
    expect(verdicts(older, newer)).toEqual({ same: "within noise", worse: "slower", better: "faster" });
    const { machine, rows } = compareReports(report(older as never), report(newer as never));
    expect(machine.node!.drift).toBeCloseTo(1.5, 10);
    expect(rows.find(({ contender }) => contender === "worse")!.ratio).toBeCloseTo(2, 10);
    expect(tally(rows)).toEqual({ reference: 10, "within noise": 1, slower: 1, faster: 1 });
  });

  it("of a noisy machine differ only by more than its noise", () => {
    const noisy = peers([0.8, 0.8, 0.85, 0.9, 1, 1, 1.1, 1.2, 1.25, 1.25]);
    const older = { ...still, a: [9.9, 10, 10.1], b: [9.9, 10, 10.1] };
    const newer = { ...noisy, a: [11.4, 11.5, 11.6], b: [13.9, 14, 14.1] };
    expect(verdicts(older, newer)).toEqual({ a: "within noise", b: "slower" });
    expect(verdicts({ ...older, ...still }, { ...newer, ...still })).toEqual({ a: "slower", b: "slower" });
  });

  it("differ by no less than the processes of either do", () => {
    const older = report({ ...still, a: [9.9, 10, 10.1] } as never);
    const newer = report({ ...still, a: [14.9, 15, 15.1] } as never);
    const mine = ({ results }: typeof older) => results[0]!.jobs[0]!.entries.at(-1)!;
    const verdict = () => compareReports(older, newer).rows.at(-1)!.verdict;
    expect(verdict()).toBe("slower");
    Object.assign(mine(older), { runs: [8, 13] });
    expect(verdict()).toBe("within noise");
  });

  it("tell nothing by peers of other versions", () => {
    const older = { ...report({ ...still, a: [9.9, 10, 10.1] } as never), peers: { peer: "1.0.0" } };
    const same = {
      ...report({ ...peers(Array(10).fill(2)), a: [9.9, 10, 10.1] } as never),
      peers: older.peers,
    };
    expect(compareReports(older, same).machine.node!.drift).toBeCloseTo(2, 10);
    const other = { ...same, peers: { peer: "2.0.0" } };
    expect(compareReports(older, other).machine.node).toMatchObject({ drift: 1, others: 0 });
  });

  it("without peers take a tenth for noise", () => {
    const older = { a: [9.9, 10, 10.1], b: [9.9, 10, 10.1] };
    const newer = { a: [10.6, 10.7, 10.8], b: [11.4, 11.5, 11.6] };
    expect(verdicts(older, newer)).toEqual({ a: "within noise", b: "slower" });
  });

  it("do not miss the jobs that the newer one left out", () => {
    const older = report({ ...still, a: [9, 10, 11] } as never);
    const [result] = older.results;
    const newer = (left: string[]) => ({ results: [{ ...result!, jobs: [], left }] });
    expect(compareReports(older, newer(["30 s"])).rows).toEqual([]);
    expect(tally(compareReports(older, newer(["600 s"])).rows)).toEqual({ gone: 11 });
  });

  it("are unlike where the core's binary is another, as far as both know it", () => {
    const of = (core?: string) => ({ ...report(still), runtimes: { node: { version: "Node 20", core } } });
    expect(compareReports(of("threads"), of("threads, relaxed SIMD")).unlike).toEqual([
      "node, core by default: threads then, threads, relaxed SIMD now",
    ]);
    expect(compareReports(of("threads"), of("threads")).unlike).toEqual([]);
    expect(compareReports(of("threads"), of()).unlike).toEqual([]);
  });

  it("of other suites or runtimes have nothing in common, and say so", () => {
    const newer = report({ a: [9, 10, 11] } as never);
    const older = { results: newer.results.map((result) => ({ ...result, suite: "fft" })) };
    const lines = (then: object) => comparison(then as never, newer as never).slice(2);
    expect(lines(older)).toEqual(["  nothing in common: no figure is in both reports", "  1 new"]);
    expect(comparison(newer as never, { results: [] } as never).slice(2)).toEqual([
      "  nothing in common: no figure is in both reports",
    ]);
    expect(lines(newer).join()).not.toContain("nothing in common");
  });
});
