import { assertOptions, describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import { createCore, MAX_MEMORY_BYTES } from "../core/create-core.ts";
import { InvalidArgumentError, PoolClosedError } from "../core/errors.ts";
import type { BufferPool } from "./buffer-pool.ts";
import {
  type BufferPoolOptions,
  checkPoolOptions,
  createBufferPool,
  type PoolUseOptions,
  unknownPool,
} from "./create-buffer-pool.ts";
import type { Dtype } from "./dtype.ts";
import { type Health, poolHealth } from "./health.ts";
import { checkLeaks, type LeakCheckOptions, type LeakReport } from "./leak-detection.ts";
import type { Lease } from "./lease.ts";
import { type PoolsConfig, type PresetSize, poolPreset, readPoolsConfig } from "./pool-config.ts";
import { poolFlags } from "./pool-description.ts";
import type { PoolStatistics } from "./pool-statistics.ts";
import { prometheusText } from "./prometheus.ts";
import { statisticsTable } from "./statistics-table.ts";
import type { WaitOptions } from "./wait-queue.ts";

const MIB = 2 ** 20;
const DEFAULT_MEMORY_BYTES = 64 * MIB;
/** What a core needs beside the pools: header, constants, a few kernel tables and counters of further agents. */
const CORE_SLACK = MIB;

/** How to create a manager. */
export interface PoolManagerOptions extends Pick<PoolUseOptions, "leakDetection" | "onLeak"> {
  /** Pools to configure at once: an object, or text in YAML or JSON. */
  pools?: PoolsConfig | string;
  /** Pools of a Whisper service, by the number of requests at once; see `poolPreset`. */
  preset?: PresetSize;
  /** The core to work in; by default one is created, large enough for the pools at their `max`. */
  core?: Core;
  /** Size of the core that is created. */
  memoryBytes?: number;
  /** Whether that core is to be shared with other agents; see `createCore`. */
  threads?: boolean;
  /** Bytes that all pools together may take at their `max`; what the core has free at creation by default. */
  cap?: number;
}

/** Named pools in one core. Create it with {@link createPoolManager}. */
export class PoolManager {
  /** The core that the pools lie in. */
  readonly core: Core;
  readonly #pools = new Map<string, BufferPool>();
  /** Bytes of each pool at its max. */
  readonly #planned = new Map<string, number>();
  readonly #cap: number;
  readonly #defaults: Pick<PoolUseOptions, "leakDetection" | "onLeak">;
  #closed = false;

  /** @internal */
  constructor(
    core: Core,
    cap: number | undefined,
    defaults: Pick<PoolUseOptions, "leakDetection" | "onLeak">,
  ) {
    this.core = core;
    this.#cap = cap ?? core.freeBytes();
    this.#defaults = defaults;
  }

  /**
   * Creates pools. Either all of them or, when one is refused, none.
   *
   * @param config pools by name: an object, or text in YAML or JSON.
   * @throws InvalidArgumentError when a setting is out of range, a pool of that name exists, or all pools at
   * their `max` would take more than the cap; the message names pool, value and limit.
   * @throws CoreMemoryError when the core has no room.
   */
  configure(config: PoolsConfig | string): void {
    this.#assertOpen();
    const wanted = Object.entries(readPoolsConfig(config)).map(([name, settings]) => {
      if (this.#pools.has(name)) {
        throw new InvalidArgumentError(
          `pool "${name}" is configured already; shut it down first, or choose another name`,
        );
      }
      return { dtype: "f32", ...this.#defaults, ...settings, name } as BufferPoolOptions<Dtype>;
    });
    const bytes = wanted.map((options) => maxBytes(this.core, options));
    const total = [...this.#planned.values(), ...bytes].reduce((sum, each) => sum + each, 0);
    if (total > this.#cap) {
      const list = wanted.map(({ name }, i) => `"${name}" ${bytes[i]}`).join(", ");
      throw new InvalidArgumentError(
        `the pools would take ${total} bytes at their max (${list}), the cap is ${this.#cap}; lower max, or raise cap and memoryBytes`,
      );
    }
    const created: BufferPool[] = [];
    try {
      for (const options of wanted) created.push(createBufferPool(this.core, options));
    } catch (cause) {
      for (const pool of created) pool.shutdown();
      throw cause;
    }
    for (const [i, pool] of created.entries()) {
      this.#pools.set(pool.name, pool);
      this.#planned.set(pool.name, bytes[i]!);
    }
  }

  /**
   * The pool of a name; keep it rather than look it up for each buffer.
   *
   * @throws InvalidArgumentError when there is none; the message lists those that there are.
   */
  pool(name: string): BufferPool {
    this.#assertOpen();
    const pool = this.#pools.get(name);
    if (pool !== undefined) return pool;
    throw unknownPool(name, [...this.#pools.keys()]);
  }

  /** Every pool, in order of configuration. */
  get pools(): readonly BufferPool[] {
    return [...this.#pools.values()];
  }

  /** `pool(name).acquire()`. */
  acquire(name: string): Lease {
    return this.pool(name).acquire();
  }

  /** `pool(name).tryAcquire()`. */
  tryAcquire(name: string): Lease | undefined {
    return this.pool(name).tryAcquire();
  }

  /** `pool(name).acquireAsync(options)`; an unknown name rejects. */
  async acquireAsync(name: string, options: WaitOptions = {}): Promise<Lease> {
    return this.pool(name).acquireAsync(options);
  }

  /** `pool(name).release(lease)`: refuses another pool's lease. */
  release(name: string, lease: Lease): void {
    this.pool(name).release(lease);
  }

  /** `pool(name).put(buffer)`: takes leases back and counts whatever else it is given. */
  put(name: string, buffer: unknown): boolean {
    return this.pool(name).put(buffer);
  }

  /** Statistics by name of the pool. */
  stats(): Record<string, PoolStatistics> {
    this.#assertOpen();
    return Object.fromEntries(this.pools.map((pool) => [pool.name, pool.stats()]));
  }

  /**
   * Whether all is well, and if not, why. Leases held longer than `olderThan` (60 s) count as leaks.
   *
   * @param options `pressure`: what a pressure monitor says presses.
   */
  health(options: LeakCheckOptions & { pressure?: readonly string[] } = {}): Health {
    return poolHealth(Object.values(this.stats()), this.checkLeaks(options), options.pressure);
  }

  /** Leases held longer than a limit, and leases lost; of all agents. */
  checkLeaks(options: LeakCheckOptions = {}): LeakReport[] {
    this.#assertOpen();
    return checkLeaks(this.core, options);
  }

  /** Statistics in the text format of Prometheus. */
  toPrometheus(): string {
    this.#assertOpen();
    return prometheusText(
      this.core,
      this.pools.map((pool) => pool.address),
    );
  }

  /** Prints the statistics as a table, by default on the console. */
  print(write: (text: string) => void = console.log): void {
    write(statisticsTable(Object.values(this.stats())));
  }

  /** Takes unused buffers above `initial` out of service; returns the bytes recovered. */
  trim(): number {
    this.#assertOpen();
    return this.pools.reduce((sum, pool) => sum + pool.trim(), 0);
  }

  /** Frees every unused buffer; leases stay valid until their release. Returns the bytes recovered. */
  clear(): number {
    this.#assertOpen();
    return this.pools.reduce((sum, pool) => sum + pool.clear(), 0);
  }

  /**
   * Closes every pool. Leases still held stay valid until their release; their buffers are freed then.
   *
   * @returns the leases that were still held, at most 100 of them. Further calls do nothing.
   */
  shutdown(): LeakReport[] {
    if (this.#closed) return [];
    const names = new Set(this.#pools.keys());
    const held = this.checkLeaks({ olderThan: 0 }).filter(
      ({ kind, pool }) => kind === "held" && names.has(pool),
    );
    for (const pool of this.pools) pool.shutdown();
    this.#closed = true;
    return held;
  }

  #assertOpen(): void {
    if (this.#closed) throw new PoolClosedError("the pool manager was shut down; create another");
    // Pools that were shut down one by one are the manager's no longer.
    for (const [name, pool] of this.#pools) {
      if (!pool.closed) continue;
      this.#pools.delete(name);
      this.#planned.delete(name);
    }
  }
}

/** Bytes of a pool at its max, with everything that belongs to it; checks its options. */
function maxBytes(core: Core, options: BufferPoolOptions<Dtype>): number {
  const { bytes, max, zeroOnRelease, level } = checkPoolOptions(options, core.memoryBytes);
  return core.exports.poolBytes(bytes, max, max, poolFlags(zeroOnRelease, level, false), 1);
}

/**
 * Creates a manager, and a core for it unless one is given.
 *
 * @throws InvalidArgumentError and CoreMemoryError as `configure` and `createCore` do.
 */
export async function createPoolManager(options: PoolManagerOptions = {}): Promise<PoolManager> {
  assertOptions(options, "createPoolManager");
  const { preset, cap, core: given, memoryBytes, threads, leakDetection = "sampled", onLeak } = options;
  if (cap !== undefined && !(Number.isSafeInteger(cap) && cap > 0)) {
    throw new InvalidArgumentError(`cap is ${describe(cap)}; give bytes, a positive integer`);
  }
  const pools = {
    ...(preset === undefined ? {} : poolPreset(preset)),
    ...(options.pools === undefined ? {} : readPoolsConfig(options.pools)),
  };
  const core =
    given ??
    (await createCore({
      memoryBytes: memoryBytes ?? roomFor(pools, cap),
      ...(threads === undefined ? {} : { threads }),
    }));
  const manager = new PoolManager(core, cap, { leakDetection, ...(onLeak ? { onLeak } : {}) });
  manager.configure(pools);
  return manager;
}

/** Bytes of a core in which the pools have room at their max. What is wrong with them, `configure` says. */
function roomFor(pools: PoolsConfig, cap: number | undefined): number {
  let total = CORE_SLACK;
  for (const [name, settings] of Object.entries(pools)) {
    const options = { dtype: "f32", ...settings, name } as BufferPoolOptions<Dtype>;
    const { bytes, max } = checkPoolOptions(options, MAX_MEMORY_BYTES);
    total += max * (bytes + 256) + 4096;
  }
  return Math.min(
    Math.max(total, DEFAULT_MEMORY_BYTES),
    (cap ?? MAX_MEMORY_BYTES) + CORE_SLACK,
    MAX_MEMORY_BYTES,
  );
}

const DEFAULT = Symbol.for("wavepool.default-manager");

/**
 * The manager of the whole process (or page, or worker), created by the first call and shared by all copies
 * of this package. Its pools are configured once, by whoever comes first.
 *
 * @param options for the first call; a later call with options is refused, because they would not be heeded.
 * @throws InvalidArgumentError when options come too late.
 */
export function defaultPoolManager(options?: PoolManagerOptions): Promise<PoolManager> {
  const place = globalThis as { [DEFAULT]?: Promise<PoolManager> };
  const known = place[DEFAULT];
  if (known === undefined) {
    const created = createPoolManager(options);
    place[DEFAULT] = created;
    created.catch(() => {
      delete place[DEFAULT]; // the next call may give better options
    });
    return created;
  }
  if (options === undefined) return known;
  throw new InvalidArgumentError(
    "the default pool manager exists already; configure it, or create one of your own with createPoolManager",
  );
}
