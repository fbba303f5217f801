/** Charts of a report as SVG, by Observable Plot in a document of linkedom. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { figure } from "../harness/print.mjs";

const { document } = parseHTML("<!doctype html><html><body></body></html>");
const WIDTH = 900;
/** Room for the longest name of a contender, and for a figure behind a bar. */
const NAMES = 310;
const FIGURES = 110;
const BAR = 20;
const COLORS = { wavepool: "#1f77b4", peer: "#d98b3a", yardstick: "#8a8f98" };
const color = { domain: Object.keys(COLORS), range: Object.values(COLORS) };
const BINS = 48;
/** Single calls that it takes to draw how they spread. */
const ENOUGH_CALLS = 20;
/** Least distance of two labels at the end of lines, in pixels. */
const LABEL = 13;

const draw = (options) =>
  `<div class="chart">${Plot.plot({ document, width: WIDTH, ...options }).outerHTML}</div>`;
const measured = (entries) => entries.filter(({ median }) => median !== undefined);

export const escaped = (text) =>
  String(text).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/**
 * Bars of one job, median with p10 to p90, a chart for each runtime on one logarithmic scale; contenders without a figure
 * say why.
 *
 * @param byRuntime [{ runtime, entries }]
 */
export function bars(byRuntime, unit) {
  const all = byRuntime.flatMap(({ entries }) => measured(entries));
  if (all.length === 0) return "";
  const domain = [
    Math.min(...all.map(({ p10 }) => p10)) / 2,
    Math.max(...all.map(({ p90, median }) => Math.max(p90, median))),
  ];
  const charts = byRuntime.map(({ runtime, entries }) => {
    const rows = measured(entries);
    const silent = entries.filter(({ median }) => median === undefined);
    const chart = draw({
      marginLeft: NAMES,
      marginRight: FIGURES,
      height: 34 + entries.length * BAR,
      marginTop: 4,
      x: { type: "log", domain, label: null, ticks: 6, tickFormat: String, grid: true },
      y: { label: null, domain: entries.map(({ name }) => name) },
      color,
      marks: [
        Plot.barX(rows, {
          x1: domain[0],
          x2: "median",
          y: "name",
          fill: "kind",
          insetTop: 2,
          insetBottom: 2,
        }),
        Plot.ruleY(rows, { x1: "p10", x2: "p90", y: "name" }),
        Plot.text(rows, {
          x: ({ median, p90 }) => Math.max(median, p90),
          y: "name",
          text: ({ median }) => `${figure(median)} ${unit}`,
          textAnchor: "start",
          dx: 6,
        }),
        Plot.text(silent, {
          x: domain[0],
          y: "name",
          text: ({ failed, lacks }) => (failed === undefined ? `– ${lacks}` : `failed: ${failed}`),
          textAnchor: "start",
          dx: 6,
        }),
      ],
    });
    return `<h4>${escaped(runtime)}</h4>${chart}`;
  });
  return charts.join("");
}

/**
 * Medians over the size of the work, a line for each contender, a chart for each runtime on the same scales; none where there is but
 * one size.
 *
 * @param byRuntime [[runtime, jobs]]
 * @param measure what a size is, for example "seconds"
 * @returns charts with their headings
 */
export function scaling(byRuntime, measure) {
  const rowsOf = (jobs) =>
    jobs.flatMap(({ size, entries }) => measured(entries).map((entry) => ({ ...entry, size })));
  const all = byRuntime.flatMap(([, jobs]) => rowsOf(jobs));
  const sizes = [...new Set(all.map(({ size }) => size))].sort((a, b) => a - b);
  if (sizes.length < 2) return [];
  const medians = all.map(({ median }) => median);
  const y = [Math.min(...medians) / 1.5, Math.max(...medians) * 1.5];
  const { unit } = byRuntime[0][1][0];
  return byRuntime
    .map(([runtime, jobs]) => [runtime, rowsOf(jobs)])
    .filter(([, rows]) => rows.length > 0)
    .map(([runtime, rows]) => `<h4>${escaped(runtime)}</h4>${lines(rows, { sizes, y, unit, measure })}`);
}

/** One such chart. */
function lines(rows, { sizes, y, unit, measure }) {
  const height = 360;
  return draw({
    height,
    marginLeft: 60,
    marginRight: NAMES,
    x: { type: "log", domain: [sizes[0], sizes.at(-1)], label: measure, ticks: sizes, tickFormat: String },
    y: { type: "log", domain: y, label: unit, tickFormat: String, ticks: 6, grid: true },
    color,
    marks: [
      Plot.line(rows, { x: "size", y: "median", z: "name", stroke: "kind" }),
      Plot.dot(rows, { x: "size", y: "median", fill: "kind" }),
      Plot.text(apart(lastOfEach(rows), y, height), {
        x: "size",
        y: "label",
        text: "name",
        fill: "kind",
        dx: 8,
        textAnchor: "start",
      }),
    ],
  });
}

function lastOfEach(rows) {
  const last = new Map();
  for (const row of rows) if (!(last.get(row.name)?.size > row.size)) last.set(row.name, row);
  return [...last.values()];
}

/** Labels moved up until none lies on another. */
function apart(rows, [least, most], height) {
  const step = (most / least) ** (LABEL / (height - 60));
  let floor = 0;
  return rows
    .sort((a, b) => a.median - b.median)
    .map((row) => {
      const label = Math.max(row.median, floor);
      floor = label * step;
      return { ...row, label };
    });
}

/**
 * Single calls in one runtime: how often they take how long, from quantiles of each contender, in bins of the logarithm, with the
 * number of calls. Of few calls quantiles tell nothing: those contenders are named instead.
 */
export function latencies(entries) {
  const timed = measured(entries).filter(({ latencies }) => latencies !== undefined);
  const enough = timed.filter(({ latencies }) => latencies.count >= ENOUGH_CALLS);
  const few = timed
    .filter((entry) => !enough.includes(entry))
    .map(({ name, latencies }) => `${name} (${calls(latencies)})`);
  const left = few.length === 0 ? "" : `<p>Too few calls to draw: ${escaped(few.join("; "))}</p>`;
  return enough.length === 0 ? left : histograms(enough) + left;
}

const calls = ({ count }) => `${count} ${count === 1 ? "call" : "calls"}`;

function histograms(entries) {
  const rows = entries.flatMap(({ name, kind, latencies }) =>
    latencies.quantiles.filter((ms) => ms > 0).map((ms) => ({ name, kind, exponent: Math.log10(ms) })),
  );
  const names = entries.map(({ name }) => name);
  return draw({
    height: 40 + 44 * names.length,
    marginLeft: NAMES,
    marginRight: FIGURES,
    marginTop: 4,
    x: { label: "ms of a single call", tickFormat: (x) => figure(10 ** x), grid: true },
    y: { axis: null },
    fy: { label: null, axis: "left", domain: names },
    color,
    marks: [
      Plot.rectY(
        rows,
        Plot.binX({ y: "proportion-facet" }, { x: "exponent", fy: "name", fill: "kind", thresholds: BINS }),
      ),
      Plot.ruleY([0]),
      Plot.text(entries, {
        fy: "name",
        text: ({ latencies }) => calls(latencies),
        frameAnchor: "right",
        textAnchor: "start",
        dx: 8,
      }),
    ],
  });
}
