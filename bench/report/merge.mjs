/**
 * One report of several of the same machine and commit, so that a long run can be made in pieces:
 *
 *     node bench/report/merge.mjs first.json second.json > results.json
 *
 * What a later report measured takes the place of the same suite in the same runtime.
 */
import { readFileSync } from "node:fs";
import { problemsOf } from "../harness/problems.mjs";

/** Drivers of browsers give null for what is undefined. */
const read = (path) =>
  JSON.parse(readFileSync(path, "utf8"), (_, value) => (value === null ? undefined : value));
const reports = process.argv.slice(2).map(read);
const [first] = reports;
for (const { effort, machine } of reports) {
  if (effort !== first.effort) throw new Error(`runs are ${first.effort} and ${effort}`);
  if (machine.processor !== first.machine.processor) throw new Error("they are of different machines");
}
const byPlace = new Map();
for (const { results } of reports) {
  for (const result of results) byPlace.set(`${result.suite} in ${result.runtime}`, result);
}
const runtimes = Object.assign({}, ...reports.map((report) => report.runtimes));
const results = [...byPlace.values()];

/** What no report measured, with the reason where one gives it. */
function gaps() {
  const said = reports.flatMap(({ skipped }) => skipped);
  const suites = [...new Set(results.map(({ suite }) => suite))];
  const present = Object.keys(runtimes).filter((name) => runtimes[name].missing === undefined);
  const places = present.flatMap((runtime) => suites.map((suite) => `${suite} in ${runtime}`));
  return places
    .filter((place) => !byPlace.has(place))
    .map(
      (place) => said.find((line) => line.startsWith(`${place} (`)) ?? `${place} (not measured in this run)`,
    );
}

const merged = {
  ...first,
  commit: [...new Set(reports.map(({ commit }) => commit))].join(", "),
  runtimes,
  results,
  skipped: gaps(),
};
process.stdout.write(`${JSON.stringify({ ...merged, problems: problemsOf(merged) })}\n`);
