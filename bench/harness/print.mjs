/** The report in a terminal. */
import { tally } from "./compare.mjs";
import { problemLine } from "./problems.mjs";

/** Three digits, as far as they say something. */
export function figure(x) {
  if (x === undefined) return "–";
  if (x !== 0 && Math.abs(x) < 0.01) return x.toPrecision(2);
  return x < 10 ? x.toFixed(x < 1 ? 3 : 2) : x < 100 ? x.toFixed(1) : x.toFixed(0);
}

/** Bytes as people read them. */
export function amount(bytes) {
  if (bytes === undefined) return "";
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes >= 1e4 ? `${(bytes / 1e3).toFixed(0)} kB` : `${bytes} bytes`;
}

/** Collections of an item as people read them: of many, or how many items go to one. */
export function collectionsText(perItem) {
  if (perItem === undefined || perItem === 0) return "";
  return perItem >= 1
    ? figure(perItem)
    : `1 in ${Number((1 / perItem).toPrecision(2)).toLocaleString("en-US")}`;
}

/** Lines of one suite in one runtime. */
export function suiteLines({ title, jobs, left = [], failed }, version) {
  const lines = ["", `${title}: ${version}`];
  if (failed !== undefined) lines.push(`  failed: ${failed}`);
  for (const { name, unit, entries } of jobs ?? []) {
    lines.push(`  ${name}, ${unit}`);
    const ours = entries.find(({ kind, median }) => kind === "wavepool" && median !== undefined);
    const width = Math.max(...entries.map((entry) => entry.name.length));
    for (const entry of entries) lines.push(`    ${entryLine(entry, ours, width)}`);
  }
  if (left.length > 0) lines.push(`  left out by --quick: ${left.join("; ")}`);
  return lines;
}

function entryLine(entry, ours, width) {
  const label = entry.name.padEnd(width + 2);
  if (entry.failed !== undefined) return `${label}failed: ${entry.failed}`;
  if (entry.lacks !== undefined) return `${label}– (${entry.lacks})`;
  const { median, p10, p90, bytes, collections, other } = entry;
  const range = `${figure(median)} [${figure(p10)} … ${figure(p90)}]`.padEnd(30);
  const ratio = ours === undefined || ours === entry ? "" : `${figure(median / ours.median)} ×`;
  const collected = collectionsText(collections);
  const garbage = [amount(bytes), collected && `GCs ${collected}`].filter(Boolean).join(", ");
  const note = other === undefined ? "" : `  (other result: ${other})`;
  return `${label}${range}${ratio.padEnd(10)}${garbage}${note}`;
}

/** What is missing or failed, nothing where all is there. */
export const problemLines = (problems) =>
  problems.length === 0 ? [] : ["", "missing or failed", ...problems.map((each) => `  ${problemLine(each)}`)];

/** What changed, and how much did not. */
export function comparisonLines({ unlike, machine, rows }) {
  const changed = rows.filter(({ verdict }) => ["slower", "faster", "gone"].includes(verdict));
  const common = rows.some(({ before, after }) => before !== undefined && after !== undefined);
  const noises = Object.entries(machine).map(([runtime, { drift, noise, others }]) =>
    others === 0
      ? `  ${runtime}: too few peers and yardsticks to tell the noise; a tenth is taken for it`
      : `  ${runtime}: ${others} peers and yardsticks take ${figure(drift)} × the time, which is taken out; ±${figure(100 * (Math.exp(noise) - 1))} % is noise`,
  );
  return [
    "",
    "compared",
    ...unlike.map((line) => `  unlike conditions, ${line}`),
    ...(common ? noises : ["  nothing in common: no figure is in both reports"]),
    ...changed.map(({ runtime, suite, job, contender, unit, before, after, ratio, verdict }) => {
      const change = ratio === undefined ? "" : `, ${figure(ratio)} × the time`;
      return `  ${verdict}: ${runtime}, ${suite}, ${job}, ${contender}: ${figure(before)} → ${figure(after)} ${unit}${change}`;
    }),
    ...(rows.length === 0 ? [] : [`  ${counts(rows)}`]),
  ];
}

const counts = (rows) =>
  Object.entries(tally(rows))
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(", ");
