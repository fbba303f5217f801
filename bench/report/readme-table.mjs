/** The README's table, from a report: no number in it is typed by hand. */
import { amount, figure } from "../harness/print.mjs";

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
  ["inference", "decoder, a token"],
  ["service", "4 clients, between answers"],
];

/** What stands between the markers. */
export function readmeTable(report) {
  const runtimes = Object.entries(report.runtimes).filter(([, { missing }]) => missing === undefined);
  const { processor, cores } = report.machine;
  const missing = Object.entries(report.runtimes).filter(([, { missing }]) => missing !== undefined);
  const lines = [
    BEGIN,
    `${processor}, ${cores} cores, commit ${report.commit}; medians, smaller is faster; bytes allocated for each item in Node, where they were counted; – where there is none, for reasons that the report tells:`,
    "",
    `| | | ${runtimes.map(([, { version }]) => shortVersion(version)).join(" | ")} | allocated |`,
    `|---|---|${runtimes.map(() => "---|").join("")}---|`,
  ];
  for (const [suite, job] of SHOWN) lines.push(...jobRows(report, suite, job, runtimes));
  if (missing.length > 0) lines.push("", `Not here: ${missing.map(([name]) => name).join(", ")}.`);
  lines.push(END);
  return lines.join("\n");
}

/** "Chrome 156.0.0.0" is Chrome 156. */
const shortVersion = (version) => version.replace(/^(\D+\d+(?:\.[1-9]\d*)?)[.\d]*$/, "$1");

function jobRows({ results }, suite, name, runtimes) {
  const byRuntime = new Map(
    results
      .filter((result) => result.suite === suite)
      .map(({ runtime, title, jobs }) => [runtime, { title, job: jobs.find((job) => job.name === name) }]),
  );
  const found = [...byRuntime.values()].filter(({ job }) => job !== undefined);
  // Those that have no figure anywhere are named in the report.
  const entries = found.flatMap(({ job }) => job.entries).filter(({ lacks }) => lacks === undefined);
  const contenders = [...new Set(entries.map(({ name }) => name))];
  return contenders.map((contender, row) => {
    const entryOf = (runtime) =>
      byRuntime.get(runtime)?.job?.entries.find((entry) => entry.name === contender);
    const cells = runtimes.map(([runtime]) => cell(entryOf(runtime)));
    const { title, job } = found[0];
    const other = found.some(({ job }) =>
      job.entries.some((entry) => entry.name === contender && entry.other),
    );
    const heading = row === 0 ? `${title}: ${job.name}, ${job.unit}` : "";
    return `| ${heading} | ${contender}${other ? " (other features)" : ""} | ${cells.join(" | ")} | ${amount(entryOf("node")?.bytes)} |`;
  });
}

function cell(entry) {
  if (entry === undefined) return "–";
  if (entry.failed !== undefined) return "failed";
  return entry.lacks === undefined ? figure(entry.median) : "–";
}

/** A README with the table of a report in place of its own. @throws Error when it has no markers */
export function withTable(readme, report) {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin)
    throw new Error(`README.md has no ${BEGIN} … ${END}; put both lines where the table goes`);
  if (!report.commit || !report.machine?.processor)
    throw new Error("the report names no commit or machine: the README takes those of npm run bench");
  return readme.slice(0, begin) + readmeTable(report) + readme.slice(end + END.length);
}
