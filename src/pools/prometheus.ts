import type { Core } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { BUCKETS, FIRST_EXPONENT } from "./histogram.ts";
import { type PoolStatistics, readStatistics } from "./pool-statistics.ts";

type Field = {
  [K in keyof PoolStatistics]: PoolStatistics[K] extends number ? K : never;
}[keyof PoolStatistics];

/** Name, field and meaning; counters end in _total, as the naming rules of Prometheus have it. */
const COUNTERS: [string, Field, string][] = [
  ["acquires_total", "acquires", "Leases given out"],
  ["releases_total", "releases", "Leases ended by their last release"],
  ["hits_total", "hits", "Acquires served by a buffer in service"],
  ["misses_total", "misses", "Acquires that brought a buffer into service"],
  ["exhausted_total", "exhausted", "Acquires refused"],
  ["out_of_memory_total", "outOfMemory", "Acquires refused for want of memory"],
  ["retains_total", "retains", "Further references taken"],
  ["grown_total", "grown", "Buffers brought into service"],
  ["trimmed_total", "trimmed", "Buffers taken out of service"],
  ["discarded_total", "discarded", "Things put back that were no lease of the pool"],
  ["ignored_total", "ignored", "Nulls put back"],
  ["double_releases_total", "doubleReleases", "Leases released twice"],
  ["foreign_releases_total", "foreignReleases", "Releases of something the pool never gave out"],
  ["stale_uses_total", "staleUses", "Uses of a lease after its release"],
  ["reclaimed_total", "reclaimed", "Leases ended because their agent died"],
  ["lost_total", "lost", "Leases garbage-collected without a release"],
  ["waits_total", "waits", "Asynchronous acquires served"],
  ["wait_timeouts_total", "timeouts", "Asynchronous acquires given up by timeout"],
  ["requested_bytes_total", "bytesRequested", "Bytes asked for over all acquires"],
  ["granted_bytes_total", "bytesGranted", "Bytes given over all acquires"],
];

const GAUGES: [string, Field, string][] = [
  ["buffers", "total", "Buffers in service"],
  ["buffers_max", "max", "Buffers at most"],
  ["buffers_in_use", "inUse", "Buffers leased"],
  ["buffers_in_use_peak", "peakInUse", "The most buffers ever leased at once"],
  ["buffers_available", "available", "Buffers in service and free"],
  ["bytes", "bytes", "Bytes of the buffers in service"],
];

/** Which histogram, what it means. */
const HISTOGRAMS: [string, number, string][] = [
  ["hold_seconds", 0, "How long leases were held"],
  ["wait_seconds", 1, "How long asynchronous acquires waited"],
];
/** Whole octaves that the core's histograms hold, at four buckets each. */
const OCTAVES = Math.floor(BUCKETS / 4) - 1;
const TIMES = "times";

/** A pool whose statistics are to be written, with further labels beside its name. */
export interface LabelledPool {
  readonly core: Core;
  readonly pool: Pointer;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Labels of a series, their values escaped. */
function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => {
      const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
      return `${name}="${escaped}"`;
    })
    .join(",");
}

/** Statistics of the pools of one core; see {@link labelledPrometheusText}. */
export function prometheusText(core: Core, pools: readonly Pointer[]): string {
  return labelledPrometheusText(pools.map((pool) => ({ core, pool })));
}

/**
 * Statistics in the text exposition format of Prometheus, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Times are in seconds, as its naming rules
 * ask; histograms only of pools that keep times.
 */
export function labelledPrometheusText(pools: readonly LabelledPool[]): string {
  const read = pools.map(({ core, pool, labels }) => {
    const stats = readStatistics(core, pool);
    return { core, pool, stats, labels: labelText({ pool: stats.name, ...labels }) };
  });
  const lines: string[] = [];
  const family = (name: string, type: string, help: string) =>
    lines.push(`# HELP wavepool_pool_${name} ${help}.`, `# TYPE wavepool_pool_${name} ${type}`);
  for (const [fields, type] of [
    [COUNTERS, "counter"],
    [GAUGES, "gauge"],
  ] as const) {
    for (const [name, field, help] of fields) {
      family(name, type, help);
      for (const { stats, labels } of read) lines.push(`wavepool_pool_${name}{${labels}} ${stats[field]}`);
    }
  }
  const timed = read.filter(({ stats }) => stats.statistics === TIMES);
  for (const [name, which, help] of timed.length > 0 ? HISTOGRAMS : []) {
    family(name, "histogram", help);
    for (const { core, pool, stats, labels } of timed) {
      lines.push(...histogram(core, pool, stats, labels, name, which));
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Cumulative buckets at every second octave, from 2 µs to 4 minutes. */
function histogram(
  { exports }: Core,
  pool: Pointer,
  { holdTime, waitTime }: PoolStatistics,
  labels: string,
  name: string,
  which: number,
): string[] {
  const lines: string[] = [];
  let bucket = 0;
  let count = 0;
  const countTo = (end: number) => {
    for (; bucket < end; bucket++) count += exports.poolBucket(pool, which, bucket);
    return count;
  };
  for (let octave = 2; octave < OCTAVES; octave += 2) {
    const seconds = 2 ** (FIRST_EXPONENT + octave) / 1000;
    const below = countTo(1 + 4 * octave);
    lines.push(`wavepool_pool_${name}_bucket{${labels},le="${seconds}"} ${below}`);
  }
  const all = countTo(BUCKETS);
  const total = (which === 0 ? holdTime.total : waitTime.total) / 1000;
  lines.push(
    `wavepool_pool_${name}_bucket{${labels},le="+Inf"} ${all}`,
    `wavepool_pool_${name}_sum{${labels}} ${total}`,
    `wavepool_pool_${name}_count{${labels}} ${all}`,
  );
  return lines;
}
