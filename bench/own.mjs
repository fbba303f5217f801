/** The suites without peers, for `wavepool bench`: scripts/build.mjs bundles them into dist. */
import { REFERENCES } from "../test/features/preset-references.ts";
import { compareReports } from "./harness/compare.mjs";
import { coreBinary } from "./harness/core-binary.mjs";
import { EFFORTS, measureSuite } from "./harness/measure.mjs";
import { poolRuns } from "./harness/pool-runs.mjs";
import { comparisonLines, problemLines, suiteLines } from "./harness/print.mjs";
import { problemsOf } from "./harness/problems.mjs";
import { chosen, parseReport } from "./harness/request.mjs";
import { speechOf, threadsOf } from "./harness/speech.mjs";
import { SUITES } from "./suites/index.mjs";

/** Encoder and decoder apart from the rest are no part of what the package exports. */
const { inference: _, ...OWN } = SUITES;

export { chosen, parseReport };
/** Names of the suites, in the order of the report. */
export const OWN_SUITES = Object.keys(OWN);
/** In one process: rounds apart in time take up some of the machine's noise. */
const RUNS = { full: 3, quick: 1 };

/**
 * Measures in this runtime.
 *
 * @param wavepool the package's exports
 * @param options { suites, effort: "full" or "quick", runtime, version of the package, machine: as
 * machineState gives it, startThread(data), speech(): see speechOf, print(line) }
 * @returns a report as bench/main.mjs writes it
 */
export async function measureOwn(
  wavepool,
  { suites, effort, runtime, version, machine, startThread, speech, print },
) {
  const core = await coreBinary(wavepool);
  const report = {
    format: 1,
    date: new Date().toISOString(),
    effort,
    commit: version,
    machine,
    runtimes: { here: { version: runtime, core } },
    results: [],
    skipped: [
      "peers, encoder and decoder apart, service, and bytes and collections, which are in the repository's npm run bench",
    ],
  };
  const context = {
    wavepool,
    references: REFERENCES,
    startThread,
    speech: async () => speechOf(wavepool, { ...(await speech()), threads: threadsOf(machine.cores) }),
  };
  for (const name of suites) {
    report.results.push({ runtime: "here", ...(await measured(name, context, effort)) });
    for (const line of suiteLines(report.results.at(-1), `${runtime}, core by default: ${core}`)) print(line);
  }
  report.problems = problemsOf(report);
  for (const line of problemLines(report.problems)) print(line);
  print(`\nleft out: ${report.skipped.join("; ")}`);
  return report;
}

async function measured(name, context, effort) {
  const runs = [];
  try {
    for (let i = 0; i < RUNS[effort]; i++) runs.push(await measureSuite(OWN[name], context, EFFORTS[effort]));
    return poolRuns(runs);
  } catch (error) {
    return { suite: name, title: OWN[name].title, failed: error.message, jobs: [] };
  }
}

/** Lines of what changed since an older report. */
export const comparison = (older, newer) => comparisonLines(compareReports(older, newer));
