import { startProcessMeter } from "../adapters/process-meter.node.ts";
import { poolStatistics } from "../pools/pool-statistics.ts";
import { createKeyCheck } from "./api-key.ts";
import { createApp } from "./app.ts";
import { createSpeechEngine, type SpeechEngine } from "./engine/engine.ts";
import { ApiError, overloaded } from "./errors.ts";
import { type ServiceHealth, serviceHealth } from "./health.ts";
import { createLog, type Log } from "./log.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { type ServiceOptions, type ServiceSettings, serviceSettings } from "./options.ts";
import { createRateLimit } from "./rate-limit.ts";

/** A speech service. Create it with {@link createService}. */
export interface Service {
  /** Answers a request; `client` is the address that it came from, and `gone` aborts when it hangs up, beside the request's signal. */
  fetch(request: Request, client?: string, gone?: AbortSignal): Promise<Response>;
  /** Name of the model. */
  readonly model: string;
  /** Whether all is well, as `GET /health` says. */
  health(): ServiceHealth;
  /** Pools, queue, stages and process, as `GET /stats` says. */
  stats(): Record<string, unknown>;
  /** Takes no more requests; `/health` says 503 from now on. */
  drain(): void;
  /**
   * Ends the service: waits for what runs, then, after so many milliseconds, ends that too.
   *
   * @returns pools and leaks as they were at the end.
   */
  close(timeout?: number): Promise<ServiceReport>;
  /** The engine behind it, for tests. */
  readonly engine: SpeechEngine;
}

/** What is left when a service ends. */
export interface ServiceReport {
  pools: Record<string, unknown>[];
  leaks: { place: string; pool: string; leases: number }[];
}

/** A request on its way through the house. */
export interface Visit {
  /** Aborts when the client hangs up, or the service ends. */
  readonly signal: AbortSignal;
  /** Ends the work, as a client that has gone. */
  abort(): void;
  leave(): void;
}

/** What the routes have of the service. */
export interface House {
  readonly settings: ServiceSettings;
  readonly engine: SpeechEngine;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Names that the model goes by, its own first, and since when. */
  modelNames(): string[];
  readonly since: number;
  /** @throws ApiError 429 when all places are taken, 503 while draining. */
  enter(request: Request, gone?: AbortSignal): Visit;
  readonly draining: boolean;
  health(): ServiceHealth;
  stats(): Record<string, unknown>;
  metricsText(): string;
}

const SHUTDOWN_TIMEOUT = 30_000;
/** Milliseconds that the engine has to come to rest once everything was aborted. */
const REST = 10_000;

/**
 * Makes a service and loads its model.
 *
 * @throws InvalidArgumentError for options out of range; whatever createTranscriber throws.
 */
export async function createService(options: ServiceOptions = {}): Promise<Service> {
  const settings = serviceSettings(options);
  const engine = await createSpeechEngine(settings);
  try {
    await engine.ready();
  } catch (error) {
    await engine.close(0);
    throw error;
  }
  const meter = startProcessMeter();
  const metrics = createMetrics();
  const log = createLog(settings.log);
  const visits = new Set<AbortController>();
  const places = settings.concurrency + settings.queue;
  const name = shownName(engine.model!.name);
  let draining = false;
  let empty = () => {};

  const house: House = {
    settings,
    engine,
    metrics,
    log,
    modelNames: () => [name, ...settings.aliases.filter((alias) => alias !== name)],
    since: Math.floor(Date.now() / 1000),
    get draining() {
      return draining;
    },
    enter(request, gone) {
      if (draining) throw overloaded("the service is shutting down; try another, or again later");
      if (visits.size >= places) {
        throw new ApiError(429, `all ${places} places are taken; try again later`, {
          type: "rate_limit_error",
          code: "queue_full",
          retryAfter: 2,
        });
      }
      const controller = new AbortController();
      const hungUp = () => controller.abort(new ApiError(499, "the client hung up", { code: "hung_up" }));
      visits.add(controller);
      const signals = gone ? [request.signal, gone] : [request.signal];
      for (const signal of signals) {
        if (signal.aborted) hungUp();
        else signal.addEventListener("abort", hungUp, { once: true });
      }
      return {
        signal: controller.signal,
        abort: hungUp,
        leave() {
          for (const signal of signals) signal.removeEventListener("abort", hungUp);
          visits.delete(controller);
          if (visits.size === 0) empty();
        },
      };
    },
    health: () => serviceHealth(engine, { draining, admitted: visits.size, places }),
    stats: () => ({
      model: name,
      pools: poolRecords(engine),
      leaks: engine.leaks(),
      queue: { admitted: visits.size, places, ...engine.stats() },
      stages: metrics.stages(),
      process: meter.read(),
    }),
    metricsText: () => metrics.text(engine.stats(), engine.pools(), meter.read()),
  };
  const app = createApp(house, {
    mayEnter: await createKeyCheck(settings.apiKeys),
    rateLimit: settings.rateLimit === undefined ? undefined : createRateLimit(settings.rateLimit),
  });

  async function allGone(timeout: number): Promise<void> {
    if (visits.size === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      empty = resolve;
      timer = setTimeout(resolve, timeout);
    });
    clearTimeout(timer);
  }

  return {
    fetch: async (request, client, gone) => app.fetch(request, { client, gone }),
    model: name,
    health: house.health,
    stats: house.stats,
    engine,
    drain() {
      draining = true;
    },
    async close(timeout = SHUTDOWN_TIMEOUT) {
      draining = true;
      await allGone(timeout);
      const late = overloaded("the service shut down before this was done; try another");
      for (const visit of visits) visit.abort(late);
      await allGone(REST);
      const report = { pools: poolRecords(engine), leaks: engine.leaks() };
      await engine.close(REST);
      meter.stop();
      return report;
    },
  };
}

/** Statistics of all pools with their places. */
function poolRecords(engine: SpeechEngine): Record<string, unknown>[] {
  return engine
    .pools()
    .flatMap(({ place, core }) =>
      poolStatistics(core).map(({ agents: _, ...statistics }) => ({ place, ...statistics })),
    );
}

/** A model's name as clients see it: not the path of a directory. */
function shownName(name: string): string {
  if (/^[\w-][\w.-]*(\/[\w.-]+)?$/.test(name)) return name;
  return name.split(/[\\/]/).filter(Boolean).at(-1) ?? "model";
}
