import { assertOptions, describe } from "../core/arguments.ts";
import { type Core, poolAddresses } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { clock } from "./clock.ts";
import { readDescription } from "./pool-description.ts";

/** How many leases are followed: none, one in 128, or all. */
export type LeakDetection = "off" | "sampled" | "full";

/** A lease that was lost, or has been held too long. */
export interface LeakReport {
  /** `"lost"`: garbage-collected without a release. `"held"`: still leased. */
  kind: "lost" | "held";
  /** Name of the pool. */
  pool: string;
  /** Number of the lease, as `handOver()` gives it. */
  handle: number;
  /** Agent that holds the lease; -1 when it has given its reference to another. */
  agent: number;
  /** Milliseconds since the lease began, or since the first look where the pool keeps no times; 0 for lost ones. */
  age: number;
  /** References to the buffer. */
  references: number;
  /** How often its slot has been leased. */
  uses: number;
  /** How many leases of this stack were lost so far; 1 for held ones. */
  count: number;
  /** Where the lease was acquired, if this agent followed it. */
  stack: string | undefined;
}

const SAMPLE_INTERVAL = 128;
/** Stacks that are remembered and reports that are listed, at most: diagnostics must not become the leak. */
const MAX_REPORTS = 100;
const DEFAULT_AGE = 60_000;
const DEFAULT_INTERVAL = 300_000;

interface Followed {
  handle: number;
  stack: string;
}

/** Trackers by core and address of the pool, so that a check finds the stacks. */
const trackers = new WeakMap<Core, Map<Pointer, LeakTracker>>();

/** Follows the leases of one pool in one agent. */
export class LeakTracker {
  readonly #pool: string;
  readonly #interval: number;
  readonly #onLeak: (report: LeakReport) => void;
  readonly #countLost: () => void;
  readonly #followed = new WeakMap<object, Followed>();
  readonly #held = new Set<Followed>();
  readonly #lost = new Map<string, LeakReport>();
  readonly #registry = new FinalizationRegistry<Followed>((followed) => this.#reportLost(followed));
  #leases = 0;

  constructor(
    pool: string,
    level: Exclude<LeakDetection, "off">,
    onLeak: (report: LeakReport) => void,
    countLost: () => void,
  ) {
    this.#pool = pool;
    this.#interval = level === "full" ? 1 : SAMPLE_INTERVAL;
    this.#onLeak = onLeak;
    this.#countLost = countLost;
  }

  /** Follows a lease, or every 128th, with the stack of its caller. */
  track(lease: object, handle: number): void {
    if (this.#leases++ % this.#interval !== 0) return;
    const followed = { handle, stack: callerStack() };
    this.#followed.set(lease, followed);
    this.#held.add(followed);
    this.#registry.register(lease, followed, lease);
  }

  /** Stops following a lease that was given back. */
  forget(lease: object): void {
    if (this.#held.size === 0) return;
    const followed = this.#followed.get(lease);
    if (followed === undefined) return;
    this.#followed.delete(lease);
    this.#held.delete(followed);
    this.#registry.unregister(lease);
  }

  /** Where the leases that are followed now were acquired, by handle. */
  stacks(): Map<number, string> {
    return new Map([...this.#held].map(({ handle, stack }) => [handle, stack]));
  }

  /** Lost leases so far, by stack. */
  lost(): LeakReport[] {
    return [...this.#lost.values()].map((report) => ({ ...report }));
  }

  #reportLost(followed: Followed): void {
    const { handle, stack } = followed;
    this.#held.delete(followed);
    this.#countLost();
    const known = this.#lost.get(stack);
    if (known) {
      known.count++;
      return;
    }
    if (this.#lost.size >= MAX_REPORTS) return;
    const report: LeakReport = {
      kind: "lost",
      pool: this.#pool,
      handle,
      agent: -1,
      age: 0,
      references: 0,
      uses: 0,
      count: 1,
      stack,
    };
    this.#lost.set(stack, report);
    this.#onLeak({ ...report });
  }
}

/** The stack of whoever called into wavepool, in full; engines keep ten lines unless asked. */
function callerStack(): string {
  const limited = Error as { stackTraceLimit?: number };
  const limit = limited.stackTraceLimit;
  if (limit !== undefined) limited.stackTraceLimit = Number.POSITIVE_INFINITY;
  const stack = new Error("leased").stack ?? "";
  if (limit !== undefined) limited.stackTraceLimit = limit;
  return stack.replace(/^Error: leased\n/, "");
}

/** Makes checks of this core find a tracker's stacks. */
export function registerTracker(
  core: Core,
  pool: Pointer,
  tracker: LeakTracker | undefined,
  isNew: boolean,
): void {
  const known = trackers.get(core) ?? new Map<Pointer, LeakTracker>();
  if (tracker) known.set(pool, tracker);
  else if (isNew) known.delete(pool); // an earlier pool's, which lay at this address
  trackers.set(core, known);
}

/** Which leases to list. */
export interface LeakCheckOptions {
  /** Milliseconds that a lease may be held; 60,000 by default, 0 lists every lease. */
  olderThan?: number;
}

/**
 * Leases of all pools and agents that have been held longer than a limit, the oldest first, at most 100; and
 * the leases lost in this agent. Where a pool keeps no times, ages count from the first check that saw the
 * lease.
 *
 * @throws InvalidArgumentError when `olderThan` is no number from 0 upwards.
 */
export function checkLeaks(core: Core, options: LeakCheckOptions = {}): LeakReport[] {
  assertOptions(options, "checkLeaks");
  const { olderThan = DEFAULT_AGE } = options;
  if (!(typeof olderThan === "number" && olderThan >= 0)) {
    throw new InvalidArgumentError(`olderThan is ${describe(olderThan)}; give milliseconds, 0 or more`);
  }
  const now = clock();
  const held = poolAddresses(core).flatMap((pool) => heldLeases(core, pool, now));
  const lost = [...(trackers.get(core)?.values() ?? [])].flatMap((tracker) => tracker.lost());
  return held
    .filter((report) => report.age >= olderThan)
    .sort((a, b) => b.age - a.age)
    .concat(lost)
    .slice(0, MAX_REPORTS);
}

function heldLeases(core: Core, pool: Pointer, now: number): LeakReport[] {
  const { exports } = core;
  const { name, max } = readDescription(core, pool);
  const stacks = trackers.get(core)?.get(pool)?.stacks();
  const reports: LeakReport[] = [];
  for (let i = 0; i < max; i++) {
    const handle = exports.slotHandle(pool, i);
    if (handle === 0) continue;
    reports.push({
      kind: "held",
      pool: name,
      handle,
      agent: exports.slotOwner(pool, i),
      age: Math.max(0, now - exports.slotSince(pool, i, now)),
      references: exports.slotReferences(pool, i),
      uses: exports.slotUses(pool, i),
      count: 1,
      stack: stacks?.get(handle),
    });
  }
  return reports;
}

/** A leak in words, with its stack. */
export function describeLeak(report: LeakReport): string {
  const what =
    report.kind === "lost"
      ? "a lease was lost: nothing refers to it, and it was never released"
      : `agent ${report.agent} holds a lease for ${Math.round(report.age)} ms (references: ${report.references})`;
  return `pool "${report.pool}": ${what}${report.stack ? `\n${report.stack}` : ""}`;
}

/** A periodic leak check. */
export interface LeakWatchOptions extends LeakCheckOptions {
  /** Milliseconds between checks; 300,000 by default. */
  interval?: number;
  /** Told of each lease once; by default a warning on the console. */
  onLeak?: (report: LeakReport) => void;
}

/**
 * Checks for leaks every now and then, without keeping the process alive.
 *
 * @returns a function that stops it.
 * @throws InvalidArgumentError when `interval` is no positive number.
 */
export function watchLeaks(core: Core, options: LeakWatchOptions = {}): () => void {
  assertOptions(options, "watchLeaks");
  const { interval = DEFAULT_INTERVAL, onLeak = warnOfLeak, ...check } = options;
  if (!(typeof interval === "number" && interval > 0 && interval < 2 ** 31)) {
    throw new InvalidArgumentError(`interval is ${describe(interval)}; give milliseconds, more than 0`);
  }
  checkLeaks(core, check); // stamps the leases of pools without times, and refuses bad options now
  let reported = new Set<string>();
  const timer = setInterval(() => {
    const found = checkLeaks(core, check).filter((report) => report.kind === "held");
    const key = ({ pool, handle }: LeakReport) => `${handle} ${pool}`;
    for (const report of found) if (!reported.has(key(report))) onLeak(report);
    reported = new Set(found.map(key));
  }, interval);
  (timer as { unref?: () => void }).unref?.();
  return () => clearInterval(timer);
}

/** Writes a leak to the console. */
export function warnOfLeak(report: LeakReport): void {
  console.warn(`wavepool: ${describeLeak(report)}`);
}
