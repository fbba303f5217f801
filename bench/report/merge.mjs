/**
 * One report of several of the same machine and commit, so that a long run can be made in pieces:
 *
 *     node bench/report/merge.mjs first.json second.json > results.json
 *
 * What a later report measured takes the place of the same suite in the same runtime.
 */
import { readFileSync } from "node:fs";
import { problemsOf } from "../harness/problems.mjs";

const reports = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, "utf8")));
const merged = reports.reduce((all, next) => {
  for (const field of ["effort", "format"]) {
    if (all[field] !== next[field])
      throw new Error(`${field}: ${all[field]} and ${next[field]} do not go together`);
  }
  if (all.machine.processor !== next.machine.processor) throw new Error("they are of different machines");
  const place = ({ runtime, suite }) => `${suite} in ${runtime}`;
  const newer = new Set(next.results.map(place));
  const results = [...all.results.filter((result) => !newer.has(place(result))), ...next.results];
  const measured = new Set(results.map(place));
  const skipped = [...new Set([...all.skipped, ...next.skipped])];
  return {
    ...all,
    commit: all.commit === next.commit ? all.commit : `${all.commit} to ${next.commit}`,
    runtimes: { ...all.runtimes, ...next.runtimes },
    results,
    skipped: skipped.filter((line) => !measured.has(line.replace(/ \(.*/, ""))),
  };
});
process.stdout.write(`${JSON.stringify({ ...merged, problems: problemsOf(merged) })}\n`);
