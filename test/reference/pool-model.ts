/** A buffer pool as its documentation describes it, in plain TypeScript, to hold the product against. */
import { expect } from "vitest";
import type { BufferPool, Core, Dtype, Lease, PoolStatistics } from "../../src/index.ts";

export interface PoolParameters {
  dtype: Dtype;
  bytes: number;
  initial: number;
  max: number;
  zeroOnRelease: boolean;
  statistics: "off" | "counts" | "times";
}

/** From an acquire to the last release. */
export interface Tenancy {
  offset: number;
  /** The byte that fills the buffer. */
  mark: number;
  references: number;
}

/** A free buffer in service; its address is known once it has been leased. */
interface FreeBuffer {
  offset: number | undefined;
  mark: number;
  /** The model's time of the last release. */
  since: number;
}

export interface PoolModel {
  readonly parameters: PoolParameters;
  /** Further buffers that the core has memory for. */
  room: number;
  /** The least recently used first; buffers are handed out from the other end. */
  free: FreeBuffer[];
  /** Times of last use of the slots out of service; the next to come back is the last. */
  retired: number[];
  live: { lease: Lease; tenancy: Tenancy }[];
  dead: Lease[];
  handles: { handle: number; tenancy: Tenancy; adopted: boolean }[];
  moments: { real: number; time: number }[];
  time: number;
  inUse: number;
  lastMark: number;
  counts: Record<CountedKey, number>;
}

const COUNTED = [
  "acquires",
  "releases",
  "misses",
  "peakInUse",
  "retains",
  "grown",
  "trimmed",
  "exhausted",
  "outOfMemory",
  "discarded",
  "ignored",
  "doubleReleases",
  "foreignReleases",
  "staleUses",
] as const;
type CountedKey = (typeof COUNTED)[number];

export interface PoolUnderTest {
  core: Core;
  pool: BufferPool;
  /** A lease of another pool. */
  foreign: Lease;
}

export function createPoolModel(parameters: PoolParameters, room: number): PoolModel {
  const { initial, max } = parameters;
  return {
    parameters,
    room,
    free: Array.from({ length: initial }, () => ({ offset: undefined, mark: 0, since: 0 })),
    retired: Array.from({ length: max - initial }, () => 0),
    live: [],
    dead: [],
    handles: [],
    moments: [],
    time: 0,
    inUse: 0,
    lastMark: 0,
    counts: Object.fromEntries(COUNTED.map((key) => [key, 0])) as Record<CountedKey, number>,
  };
}

export function granted(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

type ExactStatistics = Omit<PoolStatistics, "waitTime" | "holdTime">;

/** All statistics but times, which are the clock's. */
export function expectedStatistics(model: PoolModel, name: string): ExactStatistics {
  const { parameters, counts, inUse } = model;
  const { initial, max, bytes, statistics } = parameters;
  const total = model.free.length + inUse;
  const counted = statistics === "off" ? { acquires: 0, releases: 0, misses: 0, peakInUse: 0 } : {};
  const shown = { ...counts, ...counted };
  const { acquires, misses, releases, exhausted } = shown;
  return {
    ...shown,
    name,
    statistics,
    initial,
    max,
    total,
    inUse,
    available: total - inUse,
    utilization: inUse / max,
    slotBytes: bytes,
    bytes: total * granted(bytes),
    hits: acquires - misses,
    hitRate: acquires === 0 ? 1 : (acquires - misses) / acquires,
    reclaimed: 0,
    lost: 0,
    bytesRequested: acquires * bytes,
    bytesGranted: acquires * granted(bytes),
    waste: acquires === 0 ? 0 : 1 - bytes / granted(bytes),
    turnover: total === 0 ? 0 : acquires / total,
    waits: 0,
    timeouts: 0,
    agents: [{ agent: 0, acquires, releases, exhausted, reclaimed: 0 }],
  };
}

/** Compares what can be seen of the pool without changing it. */
export function compare(model: PoolModel, { pool }: PoolUnderTest): void {
  const { waitTime: _wait, holdTime: _hold, waste, ...actual } = pool.stats();
  const { waste: expectedWaste, ...expected } = expectedStatistics(model, pool.name);
  expect(actual).toEqual(expected);
  expect(waste).toBeCloseTo(expectedWaste, 12);
  for (const { lease, tenancy } of model.live) {
    expect(lease.alive && !lease.released).toBe(true);
    expect(lease.view.byteOffset).toBe(tenancy.offset);
    expectFilled(lease, tenancy.mark);
  }
  for (const lease of model.dead) expect(lease.released && !lease.alive).toBe(true);
}

export function bytesOf({ view }: Lease): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

export function expectFilled(lease: Lease, mark: number): void {
  // One assertion a buffer: thousands of them would cost more than the test.
  const bytes = bytesOf(lease);
  const wrong = bytes.findIndex((byte) => byte !== mark);
  expect(wrong < 0 ? "all alike" : `byte ${wrong} is ${bytes[wrong]}, not ${mark}`).toBe("all alike");
}

/** Takes the least recently used buffers out of service. */
export function retire(model: PoolModel, count: number): void {
  for (const { since } of model.free.splice(0, count)) model.retired.push(since);
  model.room += count;
  model.counts.trimmed += count;
}

/** Handles that were given away and that nobody has adopted yet. */
export function waitingHandles(model: Readonly<PoolModel>): PoolModel["handles"] {
  return model.handles.filter(({ adopted }) => !adopted);
}
