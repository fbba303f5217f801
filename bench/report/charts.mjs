/** Charts of a report as SVG, by Observable Plot in a document of linkedom. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

const { document } = parseHTML("<!doctype html><html><body></body></html>");
const WIDTH = 860;
const BAR = 22;
const COLORS = { wavepool: "#1f77b4", peer: "#d98b3a", yardstick: "#8a8f98" };
const color = { domain: Object.keys(COLORS), range: Object.values(COLORS) };

/** As HTML of an <svg> or, with a legend or title, a <figure>. */
const draw = (options) => Plot.plot({ document, width: WIDTH, ...options }).outerHTML;
const measured = (entries) => entries.filter(({ median }) => median !== undefined);

/**
 * Bars of a job, median with p10 to p90, a facet for each runtime, on a logarithmic scale.
 *
 * @param byRuntime [{ runtime, entries }]
 */
export function bars(byRuntime, unit) {
  const rows = byRuntime.flatMap(({ runtime, entries }) =>
    measured(entries).map((entry) => ({ ...entry, runtime })),
  );
  if (rows.length === 0) return "";
  const least = Math.min(...rows.map(({ p10 }) => p10)) / 2;
  return draw({
    marginLeft: 300,
    marginRight: 80,
    height: 60 + rows.length * BAR + byRuntime.length * BAR,
    x: { type: "log", label: `${unit}, smaller is faster`, grid: true },
    y: { label: null },
    fy: { label: null },
    color,
    marks: [
      Plot.barX(rows, {
        x1: least,
        x2: "median",
        y: "name",
        fy: "runtime",
        fill: "kind",
        sort: { y: null, fy: null },
      }),
      Plot.ruleY(rows, { x1: "p10", x2: "p90", y: "name", fy: "runtime" }),
    ],
  });
}

/** Medians over the size of the work, a line for each contender, in one runtime. */
export function scaling(jobs, label) {
  const rows = jobs.flatMap(({ size, entries }) => measured(entries).map((entry) => ({ ...entry, size })));
  if (new Set(rows.map(({ size }) => size)).size < 2) return "";
  const last = Math.max(...rows.map(({ size }) => size));
  return draw({
    height: 340,
    marginRight: 300,
    x: { type: "log", label: "size" },
    y: { type: "log", label, grid: true },
    color,
    marks: [
      Plot.line(rows, { x: "size", y: "median", z: "name", stroke: "kind" }),
      Plot.dot(rows, { x: "size", y: "median", fill: "kind" }),
      Plot.text(
        rows.filter(({ size }) => size === last),
        { x: "size", y: "median", text: "name", dx: 8, textAnchor: "start" },
      ),
    ],
  });
}

/** Single calls: how often they take how long, from 41 quantiles of each contender, in bins of the logarithm. */
export function latencies(entries) {
  const rows = measured(entries)
    .filter(({ latencies }) => latencies !== undefined)
    .flatMap(({ name, kind, latencies }) =>
      latencies.quantiles.map((ms) => ({ name, kind, exponent: Math.log10(ms) })),
    );
  if (rows.length === 0) return "";
  const contenders = new Set(rows.map(({ name }) => name)).size;
  const bins = { x: "exponent", fy: "name", fill: "kind", thresholds: 30 };
  return draw({
    height: 80 + 60 * contenders,
    marginRight: 300,
    x: { label: "ms of a single call", tickFormat: (x) => Number((10 ** x).toPrecision(2)).toString() },
    y: { axis: null },
    fy: { label: null },
    color,
    marks: [Plot.rectY(rows, Plot.binX({ y: "proportion-facet" }, bins)), Plot.ruleY([0])],
  });
}
