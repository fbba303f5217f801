/** One self-contained HTML page of a report. */
import { amount, collectionsText, figure } from "../harness/print.mjs";
import { problemLine } from "../harness/problems.mjs";
import { bars, escaped, latencies, scaling } from "./charts.mjs";
import { rerunText } from "./rerun.mjs";

const STYLE = `
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c1e21; background: #fff; }
h2 { margin-top: 3rem; border-top: 1px solid #d5d8dc; padding-top: 1rem; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; margin: 0.5rem 0 1.5rem; }
th, td { text-align: left; padding: 0.15rem 1.2rem 0.15rem 0; vertical-align: top; }
td.number { text-align: right; white-space: nowrap; }
.scroll, .chart { overflow-x: auto; }
.chart svg { display: block; min-width: 44rem; max-width: 100%; height: auto; }
h4 { margin: 0.8rem 0 0; color: #5d636c; }
.wavepool { color: #1f77b4; } .peer { color: #a8631a; } .yardstick { color: #5d636c; }`;

/** @param report as main.mjs writes it */
export function reportPage(report) {
  const suites = [...new Set(report.results.map(({ suite }) => suite))];
  const runtimes = Object.entries(report.runtimes).map(
    ([name, { version, core, missing }]) =>
      `<tr><td>${escaped(name)}<td>${escaped(missing ?? version)}<td>${escaped(missing ? "" : (core ?? ""))}`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wavepool, measured</title>
<style>${STYLE}</style>
<h1>wavepool and its peers, measured</h1>
<p>${escaped(conditions(report))}. Medians with p10 to p90 of all rounds; <b class="wavepool">wavepool</b>,
<b class="peer">peers</b>, <b class="yardstick">yardsticks</b>. Results were held against a reference before they were timed, but for those of other features, which are named so.</p>
<table><tr><th>runtime<th>version<th>core's binary by default${runtimes.join("")}</table>
${problems(report)}
${again(report)}
${glance(report)}
${suites.map((suite) => suiteSection(report, suite)).join("\n")}
</html>
`;
}

/** Machine, commit and day, as far as whoever measured knew: pages do not know all of them. */
function conditions({ machine, commit, date, effort }) {
  const { processor, cores, platform, memoryGiB, load } = machine;
  return [
    processor,
    `${cores} cores`,
    platform,
    memoryGiB && `${memoryGiB} GiB`,
    load !== undefined && `load ${load} before`,
    commit && `commit ${commit}`,
    date.slice(0, 10),
    `${effort} run`,
  ]
    .filter(Boolean)
    .join(", ");
}

function problems({ problems = [], skipped = [] }) {
  const list = (title, lines) =>
    lines.length === 0
      ? ""
      : `<h3>${title}</h3><ul>${lines.map((line) => `<li>${escaped(line)}`).join("")}</ul>`;
  return list("Missing or failed", problems.map(problemLine)) + list("Left out", skipped);
}

/** What a later run says, where one was held against this one. */
function again(report) {
  const text = rerunText(report);
  if (text === undefined) return "";
  return `<h2>Run again</h2><p>${escaped(text.head)}<ul>${text.items.map((item) => `<li>${escaped(item)}`).join("")}</ul>`;
}

/** Against the fastest peer of each job in each runtime. */
function glance({ runtimes, results }) {
  const present = Object.keys(runtimes).filter((name) => runtimes[name].missing === undefined);
  const rows = new Map();
  for (const { runtime, title, jobs } of results) {
    for (const { name, entries } of jobs) {
      const [ours, peer] = ["wavepool", "peer"].map((kind) => fastest(entries, kind));
      if (!ours || !peer) continue;
      const row = rows.get(`${title}: ${name}`) ?? { ratios: {}, peers: new Set() };
      row.ratios[runtime] = peer.median / ours.median;
      row.peers.add(peer.name);
      rows.set(`${title}: ${name}`, row);
    }
  }
  if (rows.size === 0) return "";
  const cell = (ratio) =>
    `<td class="number${ratio < 1 ? " peer" : ""}">${ratio === undefined ? "–" : `${figure(ratio)} ×`}`;
  const lines = [...rows].map(
    ([name, { ratios, peers }]) =>
      `<tr><td>${escaped(name)}<td>${escaped([...peers].join("; "))}${present.map((at) => cell(ratios[at])).join("")}`,
  );
  return `<h2>At a glance</h2>
<p>How many times wavepool's time the fastest peer takes; below 1 the peer is faster.</p>
<div class="scroll"><table><tr><th><th>fastest peer${present.map((name) => `<th>${escaped(name)}`).join("")}${lines.join("")}</table></div>`;
}

function fastest(entries, kind) {
  const those = entries.filter((entry) => entry.kind === kind && entry.median !== undefined && !entry.other);
  return those.sort((a, b) => a.median - b.median)[0];
}

function suiteSection({ results }, name) {
  const inSuite = results.filter(({ suite, jobs }) => suite === name && jobs.length > 0);
  if (inSuite.length === 0) return "";
  const { title, measure } = inSuite[0];
  const jobNames = [...new Set(inSuite.flatMap(({ jobs }) => jobs.map((job) => job.name)))];
  const jobs = jobNames.map((job) => jobSection(inSuite, job));
  return `<h2>${escaped(title)}</h2>${scalingSection(inSuite, measure)}${jobs.join("\n")}`;
}

/** A chart for each runtime, by what the jobs' names begin with. */
function scalingSection(inSuite, measure) {
  const groups = new Map();
  for (const { runtime, jobs } of inSuite) {
    for (const job of jobs.filter(({ size }) => size !== undefined)) {
      const group = job.name.includes(",") ? job.name.split(",")[0] : "";
      const byRuntime = groups.get(group) ?? new Map();
      groups.set(group, byRuntime.set(runtime, [...(byRuntime.get(runtime) ?? []), job]));
    }
  }
  return [...groups].map(([group, byRuntime]) => scalingGroup(group, [...byRuntime], measure)).join("");
}

/** Those but the first runtime's on demand: they are alike. */
function scalingGroup(group, byRuntime, measure) {
  const [first, ...others] = scaling(byRuntime, measure ?? measureOf(byRuntime.flatMap(([, jobs]) => jobs)));
  if (first === undefined) return "";
  const more =
    others.length === 0 ? "" : `<details><summary>In other runtimes</summary>${others.join("")}</details>`;
  return `<h3>${escaped(group || "by size")}</h3>${first}${more}`;
}

/** As the jobs' names tell, where the suite does not. */
const measureOf = (jobs) =>
  jobs.every(({ name, size }) => name.endsWith(` ${size} s`)) ? "seconds" : "size";

function jobSection(inSuite, name) {
  const byRuntime = inSuite.flatMap(({ runtime, jobs }) =>
    jobs.filter((job) => job.name === name).map(({ unit, entries }) => ({ runtime, unit, entries })),
  );
  const { unit } = byRuntime[0];
  const spreads = byRuntime
    .map(({ runtime, entries }) => [runtime, latencies(entries)])
    .filter(([, chart]) => chart !== "")
    .map(([runtime, chart]) => `<h4>Single calls, ${escaped(runtime)}</h4>${chart}`);
  const more = spreads.length > 0 ? `<details><summary>Latencies</summary>${spreads.join("")}</details>` : "";
  return `<h3>${escaped(name)}</h3>${bars(byRuntime, unit)}
<details><summary>Figures</summary><div class="scroll">${table(byRuntime, unit)}</div></details>${more}`;
}

function table(byRuntime, unit) {
  const rows = byRuntime.flatMap(({ runtime, entries }) =>
    entries.map(({ name, kind, failed, lacks, other, median, p10, p90, bytes, collections, checksum }) => {
      const value = failed ?? lacks ?? `${figure(median)} [${figure(p10)} … ${figure(p90)}]`;
      const cells = [value, amount(bytes), collectionsText(collections), checksum ?? ""].map(
        (text) => `<td class="number">${escaped(text)}`,
      );
      return `<tr><td>${escaped(runtime)}<td class="${kind}">${escaped(name)}${other ? `<br>${escaped(other)}` : ""}${cells.join("")}`;
    }),
  );
  return `<table><tr><th>runtime<th>contender<th>${escaped(unit)}<th>allocated, each item<th>GCs, each item<th>checksum${rows.join("")}</table>`;
}
