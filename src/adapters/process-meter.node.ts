/** What Node, Deno and Bun tell of the process. */
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";

/** How the process does. */
export interface ProcessFigures {
  /** Bytes in memory. */
  rss: number;
  heapUsed: number;
  /** Milliseconds of delay of the event loop since the last look; undefined where the runtime does not tell. */
  eventLoopDelay: { p50: number; p99: number; max: number } | undefined;
  /** Milliseconds spent on garbage so far; undefined where the runtime does not tell. */
  gcTime: number | undefined;
}

/** Reads the process's figures until it is stopped. */
export interface ProcessMeter {
  read(): ProcessFigures;
  stop(): void;
}

type DelayHistogram = ReturnType<typeof monitorEventLoopDelay>;

/** Begins to observe the process. */
export function startProcessMeter(): ProcessMeter {
  const delay = startDelayHistogram();
  let gcTime: number | undefined;
  const observer = observeGarbage((duration) => {
    gcTime = (gcTime ?? 0) + duration;
  });
  return {
    read() {
      const { rss, heapUsed } = process.memoryUsage();
      const milliseconds = (nanoseconds: number) => Math.round(nanoseconds / 1e4) / 100;
      const eventLoopDelay = delay && {
        p50: milliseconds(delay.percentile(50)),
        p99: milliseconds(delay.percentile(99)),
        max: milliseconds(delay.max),
      };
      delay?.reset();
      return { rss, heapUsed, eventLoopDelay, gcTime };
    },
    stop() {
      delay?.disable();
      observer?.disconnect();
    },
  };
}

function startDelayHistogram(): DelayHistogram | undefined {
  try {
    const histogram = monitorEventLoopDelay({ resolution: 10 });
    histogram.enable();
    return histogram;
  } catch {
    return undefined; // not in every runtime
  }
}

function observeGarbage(onPause: (milliseconds: number) => void): PerformanceObserver | undefined {
  const { supportedEntryTypes } = PerformanceObserver as { supportedEntryTypes?: readonly string[] };
  if (!supportedEntryTypes?.includes("gc")) return undefined;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) onPause(duration);
  });
  observer.observe({ entryTypes: ["gc"] });
  return observer;
}
