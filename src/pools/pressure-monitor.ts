import { adapter } from "#adapter";
import type { PressureReader } from "../adapters/adapter.ts";
import { assertOptions, describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { AnalysisBuffer } from "./analysis-buffer.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { clock } from "./clock.ts";
import { dispose } from "./lease.ts";

/** What a monitor did. */
export interface PressureEvent {
  /**
   * `"trim"`: unused buffers freed and windows shrunk; `"enlarge"`: windows enlarged; `"emergency"`: every
   * unused buffer freed; `"idle"`: buffers freed that had lain idle; `"relieved"`: windows set back.
   */
  action: "trim" | "enlarge" | "emergency" | "idle" | "relieved";
  /** Which figure called for it, what it was, and what it was held against. */
  source: string;
  value: number;
  threshold: number;
  /** Bytes that went back to the core. */
  recoveredBytes: number;
  /** Analysis buffers whose window changed. */
  windowsChanged: number;
  /** Milliseconds that the action took. */
  milliseconds: number;
}

/** What a monitor has done so far. */
export interface PressureStatistics {
  checks: number;
  /** Actions by kind, and the share of those meant to free memory that freed some. */
  actions: Record<PressureEvent["action"], number>;
  successRate: number;
  /** Bytes recovered and milliseconds spent in all. */
  recoveredBytes: number;
  milliseconds: number;
}

/** A figure to watch. */
export interface PressureSource extends PressureReader {
  /** Above this there is pressure; it ends below the same times `hysteresis`. */
  threshold: number;
  /** From here on pressure on memory is critical. */
  critical: number;
}

/** How to watch, and what over. */
export interface PressureMonitorOptions {
  /** Pools to trim; a function where they change. */
  pools?: readonly BufferPool[] | (() => readonly BufferPool[]);
  /** Analysis buffers whose windows to change. */
  buffers?: readonly AnalysisBuffer[];
  /**
   * Bytes of pooled buffers in service, beyond the `initial` ones, above which there is pressure: 100 MB by
   * default. What the pools hold anyway, trimming could not free.
   */
  memoryThreshold?: number;
  /** Bytes by which the process may grow after the monitor was made: as `memoryThreshold` by default. */
  processThreshold?: number;
  /** Share of the processor, or of the event loop's time: 0.8 by default. */
  cpuThreshold?: number;
  /** Memory is critical at so many times its threshold: 1.5 by default. */
  criticalFactor?: number;
  /** Share of a threshold below which pressure has ended: 0.9 by default. */
  hysteresis?: number;
  /** Milliseconds between two actions of a kind: 10,000 by default. */
  cooldown?: number;
  /** Milliseconds between checks: 5000 by default. */
  interval?: number;
  /** Milliseconds after which an unused buffer above `initial` is freed: 60,000 by default. */
  idle?: number;
  /** Told of every action. */
  onEvent?: (event: PressureEvent) => void;
  /** Figures in place of the runtime's own. */
  sources?: readonly PressureSource[];
}

const DEFAULTS = {
  memoryThreshold: 100_000_000,
  cpuThreshold: 0.8,
  criticalFactor: 1.5,
  hysteresis: 0.9,
  cooldown: 10_000,
  interval: 5000,
  idle: 60_000,
};

/** Where more than "positive" is asked: a timer's delays, a share, and a factor that must not undercut 1. */
const RANGES: Partial<Record<keyof typeof DEFAULTS, [number, number]>> = {
  interval: [1, 2 ** 31 - 1],
  cooldown: [0, Number.MAX_VALUE],
  hysteresis: [0, 1],
  criticalFactor: [1, Number.MAX_VALUE],
};

/** Windows under memory and under processor pressure, as shares of what they were. */
const SHRINK = 0.75;
const ENLARGE = 1.5;

interface Watched {
  source: PressureSource;
  pressed: boolean;
  value: number;
}

/** Where a pool stood at a time, to tell what has lain idle since. */
interface Mark {
  at: number;
  moments: Map<BufferPool, number>;
}

/**
 * Watches memory and processor, and acts: above the memory threshold it trims the pools and shrinks analysis
 * windows to 75 %; above the processor threshold it enlarges windows to 150 %, up to their longest, so that
 * there is less to do per second; when memory is critical it frees every unused buffer. Memory goes first.
 */
export class PressureMonitor {
  readonly #pools: () => readonly BufferPool[];
  readonly #buffers: readonly AnalysisBuffer[];
  readonly #watched: Watched[];
  readonly #settings: typeof DEFAULTS;
  readonly #onEvent: ((event: PressureEvent) => void) | undefined;
  /** Windows as they were before any pressure. */
  readonly #shapes = new Map<AnalysisBuffer, { window: number; hop: number }>();
  readonly #lastAction = new Map<PressureEvent["action"], number>();
  readonly #counts = {
    checks: 0,
    actions: { trim: 0, enlarge: 0, emergency: 0, idle: 0, relieved: 0 },
    meantToFree: 0,
    freed: 0,
    recoveredBytes: 0,
    milliseconds: 0,
  };
  #marks: Mark[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @internal */
  constructor(
    options: PressureMonitorOptions,
    settings: typeof DEFAULTS,
    sources: readonly PressureSource[],
  ) {
    const { pools = [], buffers = [], onEvent } = options;
    this.#pools = typeof pools === "function" ? pools : () => pools;
    this.#buffers = buffers;
    this.#onEvent = onEvent;
    this.#settings = settings;
    this.#watched = sources.map((source) => ({ source, pressed: false, value: 0 }));
  }

  /** Names and figures of what presses now; empty when nothing does. */
  get pressure(): string[] {
    return this.#watched
      .filter(({ pressed }) => pressed)
      .map(({ source, value }) => `${source.name} ${value} is above ${source.threshold}`);
  }

  /** Looks once and acts if need be. Returns what it did. */
  check(): PressureEvent[] {
    const before = this.#watched.some(({ pressed }) => pressed);
    for (const watched of this.#watched) this.#look(watched);
    const events: PressureEvent[] = [];
    const act = (
      action: PressureEvent["action"],
      cause: Watched | undefined,
      work: () => { recoveredBytes?: number; windowsChanged?: number },
    ) => {
      if (cause === undefined || !this.#cooledDown(action)) return;
      const start = clock();
      const { recoveredBytes = 0, windowsChanged = 0 } = work();
      const milliseconds = clock() - start;
      const { source, value } = cause;
      events.push({
        action,
        source: source.name,
        value,
        threshold: source.threshold,
        recoveredBytes,
        windowsChanged,
        milliseconds,
      });
    };
    const critical = this.#watched.find(
      ({ source, pressed, value }) => pressed && source.kind === "memory" && value >= source.critical,
    );
    const memory = this.#pressing("memory");
    const cpu = memory === undefined ? this.#pressing("cpu") : undefined;
    act("emergency", critical, () => ({ recoveredBytes: this.#sum((pool) => pool.clear()) }));
    act("trim", memory, () => ({
      recoveredBytes: this.#sum((pool) => pool.trim()),
      windowsChanged: this.#scale(SHRINK),
    }));
    act("enlarge", cpu, () => ({ windowsChanged: this.#scale(ENLARGE) }));
    const eased = before && this.pressure.length === 0;
    if (eased || this.#shapes.size > 0) {
      act("relieved", this.pressure.length === 0 ? this.#watched[0] : undefined, () => ({
        windowsChanged: this.#restore(),
      }));
    }
    events.push(...this.#trimIdle());
    this.#counts.checks++;
    for (const event of events) {
      this.#count(event);
      this.#onEvent?.(event);
    }
    return events;
  }

  /** Counts since the monitor was made. */
  stats(): PressureStatistics {
    const { checks, actions, meantToFree, freed, recoveredBytes, milliseconds } = this.#counts;
    const successRate = meantToFree === 0 ? 1 : freed / meantToFree;
    return { checks, actions: { ...actions }, successRate, recoveredBytes, milliseconds };
  }

  #count({ action, recoveredBytes, milliseconds }: PressureEvent): void {
    this.#counts.actions[action]++;
    this.#counts.recoveredBytes += recoveredBytes;
    this.#counts.milliseconds += milliseconds;
    if (action !== "trim" && action !== "emergency") return;
    this.#counts.meantToFree++;
    if (recoveredBytes > 0) this.#counts.freed++;
  }

  /** Checks at intervals from now on, without keeping the process alive. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.check(), this.#settings.interval);
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** Stops checking and observing, for good: make another monitor to go on. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const { source } of this.#watched) source.stop();
  }

  /** Stops at the end of a `using` block. */
  [dispose](): void {
    this.stop();
  }

  #look(watched: Watched): void {
    const value = watched.source.read();
    if (value === undefined) return;
    watched.value = value;
    const { threshold } = watched.source;
    watched.pressed = value > (watched.pressed ? threshold * this.#settings.hysteresis : threshold);
  }

  #pressing(kind: PressureSource["kind"]): Watched | undefined {
    return this.#watched.find(({ source, pressed }) => pressed && source.kind === kind);
  }

  /** Whether an action of this kind is due; if so, the time until the next begins. Relief waits for all others. */
  #cooledDown(action: PressureEvent["action"]): boolean {
    const now = clock();
    const last =
      action === "relieved" ? Math.max(0, ...this.#lastAction.values()) : this.#lastAction.get(action);
    if (last !== undefined && now - last < this.#settings.cooldown) return false;
    this.#lastAction.set(action, now);
    return true;
  }

  #sum(work: (pool: BufferPool) => number): number {
    return this.#open().reduce((sum, pool) => sum + work(pool), 0);
  }

  #open(): BufferPool[] {
    return this.#pools().filter((pool) => !pool.closed);
  }

  #scale(factor: number): number {
    let changed = 0;
    for (const buffer of this.#buffers) {
      if (buffer.closed) continue;
      const { window, hop } = buffer.stats();
      if (!buffer.scaleWindow(factor)) continue;
      if (!this.#shapes.has(buffer)) this.#shapes.set(buffer, { window, hop });
      changed++;
    }
    return changed;
  }

  #restore(): number {
    const { size } = this.#shapes;
    for (const [buffer, shape] of this.#shapes) if (!buffer.closed) buffer.reconfigure(shape);
    this.#shapes.clear();
    return size;
  }

  /** Frees what nobody has used since the last mark that is old enough. */
  #trimIdle(): PressureEvent[] {
    const now = clock();
    const { idle } = this.#settings;
    const old = this.#marks.findLast(({ at }) => now - at >= idle);
    const start = clock();
    let recoveredBytes = 0;
    for (const [pool, unusedSince] of old?.moments ?? []) {
      if (!pool.closed) recoveredBytes += pool.trim({ unusedSince });
    }
    this.#marks = this.#marks.filter((mark) => mark.at >= (old?.at ?? 0));
    this.#marks.push({ at: now, moments: new Map(this.#open().map((pool) => [pool, pool.moment()])) });
    if (recoveredBytes === 0) return [];
    const milliseconds = clock() - start;
    return [
      {
        action: "idle",
        source: "idle buffers",
        value: now - old!.at,
        threshold: idle,
        recoveredBytes,
        windowsChanged: 0,
        milliseconds,
      },
    ];
  }
}

/**
 * Creates a monitor over the runtime's own figures: bytes of the given pools; process memory and processor
 * time in Node, Deno and Bun, event-loop utilisation where they tell; Compute Pressure, script heap and late
 * timers in browsers. Call `start()`, or `check()` yourself.
 *
 * @throws InvalidArgumentError when a setting is no positive number.
 */
export function createPressureMonitor(options: PressureMonitorOptions = {}): PressureMonitor {
  assertOptions(options, "createPressureMonitor");
  const settings = { ...DEFAULTS };
  for (const key of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    const value = options[key] ?? DEFAULTS[key];
    const [least, most] = RANGES[key] ?? [Number.MIN_VALUE, Number.MAX_VALUE];
    if (!(typeof value === "number" && value >= least && value <= most)) {
      const range = RANGES[key] ? `a number from ${least} to ${most}` : "a positive number";
      throw new InvalidArgumentError(`pressure monitor: ${key} is ${describe(value)}; give ${range}`);
    }
    settings[key] = value;
  }
  const { pools, onEvent } = options;
  if (pools !== undefined && typeof pools !== "function" && !Array.isArray(pools)) {
    throw new InvalidArgumentError(
      `pressure monitor: pools are ${describe(pools)}; give an array, or a function that gives one`,
    );
  }
  if (onEvent !== undefined && typeof onEvent !== "function") {
    throw new InvalidArgumentError(`pressure monitor: onEvent is ${describe(onEvent)}; give a function`);
  }
  const sources = options.sources ?? runtimeSources(options, settings);
  return new PressureMonitor(options, settings, sources);
}

function bytesBeyondInitial(pool: BufferPool): number {
  const { bytes, total, initial } = pool.stats();
  return total > initial ? bytes * (1 - initial / total) : 0;
}

function runtimeSources(options: PressureMonitorOptions, settings: typeof DEFAULTS): PressureSource[] {
  const { pools = [], processThreshold = settings.memoryThreshold } = options;
  const { memoryThreshold, cpuThreshold, criticalFactor } = settings;
  const list = typeof pools === "function" ? pools : () => pools;
  const poolBytes: PressureSource = {
    name: "pool bytes",
    kind: "memory",
    threshold: memoryThreshold,
    critical: memoryThreshold * criticalFactor,
    read: () => list().reduce((sum, pool) => sum + (pool.closed ? 0 : bytesBeyondInitial(pool)), 0),
    stop() {},
  };
  const readers = adapter.pressureReaders().map((reader) => {
    if (reader.kind === "cpu")
      return { ...reader, threshold: cpuThreshold, critical: Number.POSITIVE_INFINITY };
    // A runtime with a model loaded is far above any such figure from the start: what counts is its growth.
    const threshold = (reader.read() ?? 0) + processThreshold;
    return { ...reader, threshold, critical: threshold + processThreshold * (criticalFactor - 1) };
  });
  return [poolBytes, ...readers];
}
