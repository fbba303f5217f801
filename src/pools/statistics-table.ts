import type { PoolStatistics } from "./pool-statistics.ts";

const COLUMNS: [string, (stats: PoolStatistics) => string][] = [
  ["pool", ({ name }) => name],
  ["total/max", ({ total, max }) => `${total}/${max}`],
  ["in use", ({ inUse }) => String(inUse)],
  ["peak", ({ peakInUse }) => String(peakInUse)],
  ["acquires", ({ acquires }) => String(acquires)],
  ["releases", ({ releases }) => String(releases)],
  ["hits %", ({ hitRate }) => (100 * hitRate).toFixed(1)],
  ["exhausted", ({ exhausted }) => String(exhausted)],
  ["misuse", (s) => String(s.doubleReleases + s.foreignReleases + s.staleUses + s.discarded)],
  ["hold p99 ms", ({ holdTime }) => holdTime.p99.toFixed(3)],
  ["MB", ({ bytes }) => (bytes / 1e6).toFixed(2)],
];

/** Statistics as a table for a terminal: names to the left, figures to the right. */
export function statisticsTable(statistics: readonly PoolStatistics[]): string {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...statistics.map((s) => COLUMNS.map(([, cell]) => cell(s))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join("  ");
  return rows.map(line).join("\n");
}
