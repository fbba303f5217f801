/**
 * Two reports held against each other. Machines drift from one day to the next, and some figures vary from process to process:
 * both show in the peers and yardsticks, whose code is the same in both reports. Their median ratio is how much faster or slower
 * the machine has become in a runtime, and what nine in ten of them stay within is the noise between two reports. A figure of
 * wavepool's has changed only where it has by more than that noise, and by more than the processes of either report differ, and the
 * intervals from the tenth to the ninetieth percentile of both, drift taken out, do not meet.
 */
import { spread } from "../mel/spread.mjs";

/** Others that it takes to tell noise; with fewer, no drift is assumed and a tenth is noise. */
const ENOUGH = 8;
const UNKNOWN = { drift: 1, noise: Math.log(1.1), others: 0 };
/** However quiet a machine is, in the logarithm. */
const LEAST_NOISE = Math.log(1.03);

/**
 * @param older report, as main.mjs writes it
 * @returns { unlike, machine, rows }: lines of what makes the reports unlike; by runtime { drift, noise, others }, the noise as the logarithm of a ratio; a row
 * { runtime, suite, job, contender, kind, unit, before, after, ratio, verdict } for each figure of either, `ratio` without drift,
 * the verdict "faster", "slower" or "within noise" of wavepool's, "reference" of others, "new" or "gone" of any. What the newer
 * run left out is not looked at.
 */
export function compareReports(older, newer) {
  const before = figures(older);
  const after = figures(newer);
  const pairs = [...after].map(([key, now]) => ({ ...now, earlier: before.get(key)?.entry }));
  const machine = {};
  for (const { runtime } of newer.results)
    machine[runtime] ??= noiseOf(
      pairs.filter((pair) => pair.runtime === runtime && isReference(pair, older, newer)),
    );
  const rows = pairs.map(({ entry, earlier, ...place }) => ({
    ...place,
    before: earlier?.median,
    after: entry.median,
    ...verdict(earlier, entry, machine[place.runtime]),
  }));
  // Of the suites that were measured, the jobs that were left out.
  const measured = new Map(
    newer.results.map(({ runtime, suite, left }) => [`${runtime} ${suite}`, left ?? []]),
  );
  for (const [key, { entry, ...place }] of before) {
    const left = measured.get(`${place.runtime} ${place.suite}`);
    if (!after.has(key) && left && !left.includes(place.job))
      rows.push({ ...place, before: entry.median, after: undefined, verdict: "gone" });
  }
  return { unlike: unlikeness(older, newer), machine, rows };
}

/** What the conditions of two reports differ in, beside what was measured. */
function unlikeness(older, newer) {
  const lines = [];
  const tell = (what, then, now) => {
    if (then !== now) lines.push(`${what}: ${then ?? "unknown"} then, ${now ?? "unknown"} now`);
  };
  tell("effort", older.effort, newer.effort);
  for (const field of ["processor", "cores"]) tell(field, older.machine?.[field], newer.machine?.[field]);
  for (const [name, { version, core }] of Object.entries(newer.runtimes ?? {})) {
    const then = older.runtimes?.[name];
    if (!then) continue;
    tell(name, then.version, version);
    // A run of the service alone does not know it.
    if (then.core && core) tell(`${name}, core by default`, then.core, core);
  }
  return lines;
}

/** Our own code is no measure of the machine, be it only a yardstick, such as onnxruntime-node below it. */
export const isOurs = (kind, contender) => kind === "wavepool" || contender.startsWith("wavepool");

/** Whether both reports have it and it is the same code, as far as versions of peers tell. */
function isReference({ kind, contender, earlier }, { peers: then = {} }, { peers: now = {} }) {
  if (isOurs(kind, contender) || !earlier) return false;
  const others = Object.keys({ ...then, ...now }).filter((name) => contender.startsWith(name));
  return others.every((name) => then[name] === now[name]);
}

function noiseOf(references) {
  const logs = references.map(({ entry, earlier }) => Math.log(entry.median / earlier.median));
  if (logs.length < ENOUGH) return UNKNOWN;
  const { median } = spread(logs);
  const { p90 } = spread(logs.map((log) => Math.abs(log - median)));
  return { drift: Math.exp(median), noise: Math.max(LEAST_NOISE, p90), others: logs.length };
}

/** The logarithm of how far the processes of a report are apart. */
function betweenRuns({ runs = [] }) {
  return runs.length < 2 ? 0 : Math.log(Math.max(...runs) / Math.min(...runs));
}

function verdict(earlier, now, { drift, noise }) {
  if (earlier === undefined) return { verdict: "new" };
  const ratio = now.median / earlier.median / drift;
  if (!isOurs(now.kind, now.name)) return { ratio, verdict: "reference" };
  const apart = now.p10 / drift > earlier.p90 || now.p90 / drift < earlier.p10;
  const most = Math.max(noise, betweenRuns(earlier), betweenRuns(now));
  if (!apart || Math.abs(Math.log(ratio)) <= most) return { ratio, verdict: "within noise" };
  return { ratio, verdict: ratio > 1 ? "slower" : "faster" };
}

/** What was measured, by its place. */
function figures({ results }) {
  const all = new Map();
  for (const { runtime, suite, jobs } of results) {
    for (const { name: job, unit, entries } of jobs) {
      for (const entry of entries) {
        if (entry.median === undefined) continue;
        const place = { runtime, suite, job, contender: entry.name, kind: entry.kind, unit };
        all.set([runtime, suite, job, entry.name].join("\n"), { ...place, entry });
      }
    }
  }
  return all;
}

/** How many rows have each verdict. */
export function tally(rows) {
  const counts = {};
  for (const { verdict } of rows) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return counts;
}
