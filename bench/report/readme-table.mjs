/** The README's table, from a report: no number in it is typed by hand. */
import { amount, figure } from "../harness/print.mjs";
import { rerunText } from "./rerun.mjs";

/** Between these lines of the README it stands. */
export const BEGIN = "<!-- bench:begin -->";
export const END = "<!-- bench:end -->";

/** Jobs that the README shows: of which suite, and under which name. */
const SHOWN = [
  ["mel", "whisper-80, 30 s"],
  ["mel", "whisper-128, 30 s"],
  ["mel", "nemo-80, 30 s"],
  ["mel", "kaldi-80, 30 s"],
  ["fft", "400 points"],
  ["fft", "512 points"],
  ["fft", "512 points, one a call"],
  ["stream", "whisper-80"],
  ["resample", "48000 → 16000 Hz"],
  ["pools", "960 kB"],
  ["ring", "128 samples in, 128 out"],
  ["transcription", "whole"],
  ["inference", "encoder, 10 s"],
  ["inference", "encoder, 30 s"],
  ["inference", "decoder, a token"],
  ["service", "4 clients, between answers"],
];

/** Where bytes can be counted; the first that did is shown. */
const COUNTING = ["node", "deno"];

/** What stands between the markers. */
export function readmeTable(report) {
  const runtimes = Object.entries(report.runtimes).filter(([, { missing }]) => missing === undefined);
  const { processor, cores, load } = report.machine;
  const before = load === undefined ? "" : `, load ${load} at the start`;
  const missing = Object.entries(report.runtimes).filter(([, { missing }]) => missing !== undefined);
  const lines = [
    BEGIN,
    `${processor}, ${cores} cores${before}, commit ${report.commit}; medians, smaller is faster; bytes allocated for each item in Node, or in Deno where only there they were counted; – where there is none, for reasons that the report tells:`,
    "",
    `| | | ${runtimes.map(([, { version }]) => shortVersion(version)).join(" | ")} | allocated |`,
    `|---|---|${runtimes.map(() => "---|").join("")}---|`,
  ];
  for (const [suite, job] of SHOWN) lines.push(...jobRows(report, suite, job, runtimes));
  if (missing.length > 0) lines.push("", `Not here: ${missing.map(([name]) => name).join(", ")}.`);
  const again = rerunText(report, shortVersion);
  if (again) lines.push("", again.head, "", ...again.items.map((item) => `- ${item}`));
  lines.push(END);
  return lines.join("\n");
}

/** "Chrome 156.0.0.0" is Chrome 156. */
const shortVersion = (version) => version.replace(/^(\D+\d+(?:\.[1-9]\d*)?)[.\d]*$/, "$1");

function jobRows({ results }, suite, name, runtimes) {
  const ofSuite = results.filter((result) => result.suite === suite);
  const byRuntime = new Map(
    ofSuite.map(({ runtime, failed, jobs }) => [
      runtime,
      { failed, job: jobs.find((job) => job.name === name) },
    ]),
  );
  const found = [...byRuntime.values()].flatMap(({ job }) => job ?? []);
  // The suite's name where it failed, see main.mjs.
  const { title } = ofSuite.find(({ failed }) => failed === undefined) ?? ofSuite[0];
  const heading = found.length === 0 ? `${title}: ${name}` : `${title}: ${name}, ${found[0].unit}`;
  const contenders = contendersOf(found);
  return contenders.map((contender, row) => {
    const entriesOf = ({ entries }) => entries.filter((entry) => entry.name === contender);
    const entryOf = (runtime) => entriesOf(byRuntime.get(runtime)?.job ?? { entries: [] })[0];
    const cells = runtimes.map(([runtime]) =>
      cell(byRuntime.get(runtime)?.failed === undefined ? entryOf(runtime) : { failed: true }),
    );
    const other = found.flatMap(entriesOf).some((entry) => entry.other);
    const bytes = COUNTING.map((runtime) => entryOf(runtime)?.bytes).find((count) => count !== undefined);
    return `| ${row === 0 ? heading : ""} | ${contender}${other ? " (other features)" : ""} | ${cells.join(" | ")} | ${amount(bytes)} |`;
  });
}

/**
 * Those of a job in any runtime, but for what of ours, or of yardsticks, has no figure anywhere: the report names it. One without a
 * name where the suite failed everywhere.
 */
function contendersOf(jobs) {
  const entries = jobs.flatMap(({ entries }) => entries);
  const shown = entries.filter(({ kind, lacks }) => kind === "peer" || lacks === undefined);
  return jobs.length === 0 ? [""] : [...new Set(shown.map(({ name }) => name))];
}

function cell(entry) {
  if (entry === undefined) return "–";
  if (entry.failed !== undefined) return "failed";
  return entry.lacks === undefined ? figure(entry.median) : "–";
}

/**
 * What of SHOWN a report has neither figures of nor a failure.
 *
 * @returns names, of suites, or of jobs with their suite
 */
function leftOut({ results }) {
  const missing = SHOWN.flatMap(([suite, name]) => {
    const ofSuite = results.filter((result) => result.suite === suite);
    if (ofSuite.length === 0) return suite;
    const there = ofSuite.some(
      ({ failed, jobs }) => failed !== undefined || jobs.some((job) => job.name === name),
    );
    return there ? [] : `${suite}: ${name}`;
  });
  return [...new Set(missing)];
}

/**
 * A README with the table of a report in place of its own.
 *
 * @throws Error when it has no markers, or when the report is not of a full run
 */
export function withTable(readme, report) {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin)
    throw new Error(`README.md has no ${BEGIN} … ${END}; put both lines where the table goes`);
  if (!report.commit || !report.machine?.processor)
    throw new Error("the report names no commit or machine: the README takes those of npm run bench");
  const missing = leftOut(report);
  if (report.effort !== "full" || missing.length > 0) {
    const what = [report.effort === "full" ? [] : `effort "full" (it is "${report.effort}")`, missing].flat();
    throw new Error(
      `the report lacks ${what.join(", ")}: the README takes that of a run without --quick and --only; give bench:report --out FILE for the page alone`,
    );
  }
  return readme.slice(0, begin) + readmeTable(report) + readme.slice(end + END.length);
}
