/**
 * Two reports held against each other. A figure counts as changed only where the intervals from the tenth to the ninetieth
 * percentile of both runs do not meet: samples come from several processes and rounds, so that an interval is the noise of its run.
 */

/**
 * @param older report, as main.mjs writes it
 * @returns a row { runtime, suite, job, contender, unit, before, after, ratio, verdict } for each figure of either: "faster",
 * "slower", "within noise", "new" or "gone"; suites and runtimes that the newer one left out are not looked at
 */
export function compareReports(older, newer) {
  const before = figures(older);
  const after = figures(newer);
  const rows = [];
  for (const [key, { entry, ...place }] of after) {
    const then = before.get(key)?.entry;
    rows.push({ ...place, before: then?.median, after: entry.median, ...verdict(then, entry) });
  }
  const measured = new Set(newer.results.map(({ runtime, suite }) => `${runtime} ${suite}`));
  for (const [key, { entry, ...place }] of before) {
    if (!after.has(key) && measured.has(`${place.runtime} ${place.suite}`))
      rows.push({ ...place, before: entry.median, after: undefined, verdict: "gone" });
  }
  return rows;
}

function verdict(then, now) {
  if (then === undefined) return { verdict: "new" };
  const ratio = now.median / then.median;
  if (now.p10 > then.p90) return { ratio, verdict: "slower" };
  return { ratio, verdict: now.p90 < then.p10 ? "faster" : "within noise" };
}

/** What was measured, by its place. */
function figures({ results }) {
  const all = new Map();
  for (const { runtime, suite, jobs } of results) {
    for (const { name: job, unit, entries } of jobs) {
      for (const entry of entries) {
        if (entry.median === undefined) continue;
        const place = { runtime, suite, job, contender: entry.name, unit };
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
