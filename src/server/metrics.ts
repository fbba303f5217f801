import type { ProcessFigures } from "../adapters/process-meter.node.ts";
import { poolAddresses } from "../core/core.ts";
import { labelledPrometheusText } from "../pools/prometheus.ts";
import type { CorePools, EngineStatistics } from "./engine/engine.ts";

/** Stages of a request. */
export const STAGES = ["upload", "queue", "audio", "mel", "encoder", "decoder"] as const;
export type Stage = (typeof STAGES)[number];

/** Counts what the service does, for Prometheus. */
export interface Metrics {
  /** A request was answered. */
  request(route: string, status: number, seconds: number): void;
  /** A stage of a transcription took so many milliseconds. */
  stage(stage: Stage, milliseconds: number): void;
  /** So many seconds of sound were transcribed. */
  sound(seconds: number): void;
  /** Milliseconds and counts by stage. */
  stages(): Record<Stage, { count: number; total: number }>;
  /** Everything in the text exposition format, version 0.0.4. */
  text(engine: EngineStatistics, pools: readonly CorePools[], figures: ProcessFigures): string;
}

/** Upper bounds in seconds. */
const BOUNDS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

interface Histogram {
  buckets: number[];
  count: number;
  sum: number;
}
const newHistogram = (): Histogram => ({ buckets: BOUNDS.map(() => 0), count: 0, sum: 0 });

function observe(histogram: Histogram, seconds: number): void {
  histogram.count++;
  histogram.sum += seconds;
  const at = BOUNDS.findIndex((bound) => seconds <= bound);
  if (at >= 0) histogram.buckets[at]!++;
}

function histogramLines(name: string, labels: string, { buckets, count, sum }: Histogram): string[] {
  let below = 0;
  const lines = BOUNDS.map((bound, i) => {
    below += buckets[i]!;
    return `${name}_bucket{${labels},le="${bound}"} ${below}`;
  });
  return [
    ...lines,
    `${name}_bucket{${labels},le="+Inf"} ${count}`,
    `${name}_sum{${labels}} ${sum}`,
    `${name}_count{${labels}} ${count}`,
  ];
}

/** Routes and codes are few and ours, so that no client can make series. */
export function createMetrics(): Metrics {
  const requests = new Map<string, number>();
  const durations = new Map<string, Histogram>();
  const stages = new Map<Stage, Histogram>(STAGES.map((stage) => [stage, newHistogram()]));
  let soundSeconds = 0;

  return {
    request(route, status, seconds) {
      const labels = `route="${route}",code="${status}"`;
      requests.set(labels, (requests.get(labels) ?? 0) + 1);
      const histogram = durations.get(route) ?? newHistogram();
      durations.set(route, histogram);
      observe(histogram, seconds);
    },
    stage: (stage, milliseconds) => observe(stages.get(stage)!, milliseconds / 1000),
    sound(seconds) {
      soundSeconds += seconds;
    },
    stages: () =>
      Object.fromEntries(
        [...stages].map(([stage, { count, sum }]) => [stage, { count, total: Math.round(sum * 1000) }]),
      ) as Record<Stage, { count: number; total: number }>,
    text(engine, pools, figures) {
      const lines: string[] = [];
      const family = (name: string, type: string, help: string) =>
        lines.push(`# HELP wavepool_${name} ${help}.`, `# TYPE wavepool_${name} ${type}`);
      const single = (name: string, type: "gauge" | "counter", help: string, value: number | undefined) => {
        if (value === undefined) return;
        family(name, type, help);
        lines.push(`wavepool_${name} ${value}`);
      };
      family("requests_total", "counter", "Requests answered");
      for (const [labels, count] of requests) lines.push(`wavepool_requests_total{${labels}} ${count}`);
      family("request_seconds", "histogram", "How long requests took");
      for (const [route, histogram] of durations) {
        lines.push(...histogramLines("wavepool_request_seconds", `route="${route}"`, histogram));
      }
      family("stage_seconds", "histogram", "How long the stages of transcriptions took");
      for (const [stage, histogram] of stages) {
        lines.push(...histogramLines("wavepool_stage_seconds", `stage="${stage}"`, histogram));
      }
      single("sound_seconds_total", "counter", "Seconds of sound transcribed", soundSeconds);
      single("running", "gauge", "Requests that are worked on", engine.running);
      single("queue", "gauge", "Requests that wait for a turn", engine.waiting);
      single("uploads_waiting", "gauge", "Requests that wait for room", engine.uploadsWaiting);
      single("upload_bytes", "gauge", "Bytes of uploads held or reserved", engine.uploadBytes);
      single("models_loaded", "gauge", "Threads that have the model loaded", engine.modelsLoaded);
      single(
        "model_threads_replaced_total",
        "counter",
        "Model threads that died",
        engine.modelThreadsReplaced,
      );
      single(
        "sound_threads_replaced_total",
        "counter",
        "Sound threads that died or were killed",
        engine.soundThreadsReplaced,
      );
      single("retries_total", "counter", "Transcriptions begun again after a thread died", engine.retries);
      single("resident_bytes", "gauge", "Bytes of the process in memory", figures.rss);
      single("gc_seconds_total", "counter", "Time spent on garbage", seconds(figures.gcTime));
      single(
        "event_loop_delay_p99_seconds",
        "gauge",
        "Delay of the event loop since the last look, 99th percentile",
        seconds(figures.eventLoopDelay?.p99),
      );
      return `${lines.join("\n")}\n${labelledPrometheusText(poolsOf(pools))}`;
    },
  };
}

function seconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}

function poolsOf(pools: readonly CorePools[]) {
  return pools.flatMap(({ place, core }, i) => {
    const thread = String(pools.slice(0, i).filter((other) => other.place === place).length);
    const labels = place === "exchange" ? { place } : { place, thread };
    return poolAddresses(core)
      .filter((pool) => !core.exports.poolClosed(pool))
      .map((pool) => ({ core, pool, labels }));
  });
}
