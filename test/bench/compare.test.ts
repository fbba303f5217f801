import { expect, it } from "vitest";
import { compareReports, tally } from "../../bench/harness/compare.mjs";

/** A report of one job, [p10, median, p90] by contender; undefined for one that failed. */
function report(figures: Record<string, [number, number, number] | undefined>) {
  const entries = Object.entries(figures).map(([name, figure]) => {
    if (figure === undefined) return { name, kind: "peer", failed: "it did not load" };
    const [p10, median, p90] = figure;
    return { name, kind: "peer", p10, median, p90 };
  });
  return { results: [{ runtime: "node", suite: "mel", jobs: [{ name: "30 s", unit: "ms", entries }] }] };
}

it("calls a change only what the intervals of both runs leave no doubt about", () => {
  const older = report({ a: [9, 10, 11], b: [9, 10, 11], c: [9, 10, 11], d: [9, 10, 11], e: undefined });
  const newer = report({ a: [11, 12, 13], b: [12, 20, 21], c: [4, 5, 8], d: undefined, e: [1, 1, 1] });
  const rows = compareReports(older, newer);
  expect(Object.fromEntries(rows.map(({ contender, verdict }) => [contender, verdict]))).toEqual({
    a: "within noise",
    b: "slower",
    c: "faster",
    d: "gone",
    e: "new",
  });
  expect(rows.find(({ contender }) => contender === "b")).toMatchObject({ before: 10, after: 20, ratio: 2 });
  expect(tally(rows)).toEqual({ "within noise": 1, slower: 1, faster: 1, gone: 1, new: 1 });
});

it("finds a run within the noise of itself", () => {
  const same = report({ a: [9, 10, 11], b: [5, 5, 5] });
  expect(tally(compareReports(same, same))).toEqual({ "within noise": 2 });
});
