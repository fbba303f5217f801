/** Commands for a buffer pool: each changes the model, does the same to the pool, and compares the two. */
import fc from "fast-check";
import { expect } from "vitest";
import {
  type BufferPool,
  InvalidArgumentError,
  type Lease,
  LeaseError,
  PoolExhaustedError,
} from "../../src/index.ts";
import { modelCommand } from "./model-command.ts";
import {
  bytesOf,
  compare,
  expectFilled,
  granted,
  type PoolModel,
  type PoolUnderTest,
  retire,
  type Tenancy,
  waitingHandles,
} from "./pool-model.ts";

/** Fills the buffer with a byte that no other lease has now. */
function markAnew(model: PoolModel, lease: Lease, tenancy: Tenancy): void {
  model.lastMark = (model.lastMark % 255) + 1;
  tenancy.mark = model.lastMark;
  bytesOf(lease).fill(tenancy.mark);
}

function acquire(model: PoolModel, { pool }: PoolUnderTest, tryOnly: boolean): void {
  const { counts, parameters } = model;
  const buffer = model.free.pop();
  if (buffer === undefined && (model.retired.length === 0 || model.room === 0)) {
    counts.exhausted++;
    if (model.retired.length > 0) counts.outOfMemory++;
    const why =
      model.retired.length === 0 ? `all ${parameters.max} buffers are leased` : "the core has no room";
    if (tryOnly) expect(pool.tryAcquire()).toBeUndefined();
    else expect(() => pool.acquire()).toThrow(thrown(PoolExhaustedError, why));
    return;
  }
  counts.acquires++;
  model.inUse++;
  counts.peakInUse = Math.max(counts.peakInUse, model.inUse);
  if (buffer === undefined) {
    counts.misses++;
    counts.grown++;
    model.room--;
    model.retired.pop();
  }
  const lease = tryOnly ? pool.tryAcquire()! : pool.acquire();
  expect(lease.view.byteLength).toBe(parameters.bytes);
  expect(lease.view.byteOffset % 64).toBe(0);
  if (buffer?.offset !== undefined) expect(lease.view.byteOffset).toBe(buffer.offset);
  expectFilled(lease, buffer?.mark ?? 0);
  const tenancy = { offset: lease.view.byteOffset, mark: 0, references: 1 };
  markAnew(model, lease, tenancy);
  model.live.push({ lease, tenancy });
}

/** The ways to give a lease back. */
const RELEASES = ["release", "pool.release", "put", "dispose"] as const;
type Release = (typeof RELEASES)[number];

function releaseBy(how: Release, pool: BufferPool, lease: Lease): void {
  if (how === "release") lease.release();
  else if (how === "pool.release") pool.release(lease);
  else if (how === "put") expect(pool.put(lease)).toBe(true);
  else lease[Symbol.dispose]();
}

/** Gives back the `which`-th live lease. */
export function giveBack(model: PoolModel, { pool }: PoolUnderTest, which: number, how: Release): void {
  const { lease, tenancy } = takeFrom(model.live, which);
  releaseBy(how, pool, lease);
  model.dead.push(lease);
  if (--tenancy.references > 0) return;
  model.inUse--;
  model.counts.releases++;
  model.time++;
  const mark = model.parameters.zeroOnRelease ? 0 : tenancy.mark;
  // A closed pool gives the buffer to the core instead.
  if (!pool.closed) model.free.push({ offset: tenancy.offset, mark, since: model.time });
}

function releaseAgain(model: PoolModel, { pool }: PoolUnderTest, which: number, how: Release): void {
  const lease = pick(model.dead, which);
  if (how === "dispose") {
    lease[Symbol.dispose](); // may come after a release
    return;
  }
  model.counts.doubleReleases++;
  expect(() => releaseBy(how, pool, lease)).toThrow(LeaseError);
}

const STALE_USES: Record<string, (lease: Lease) => unknown> = {
  view: (lease) => lease.view,
  retain: (lease) => lease.retain(),
  "subview(0)": (lease) => lease.subview(0),
  "subview(0, 1)": (lease) => lease.subview(0, 1),
  handOver: (lease) => lease.handOver(),
};

function useAfterRelease(model: PoolModel, which: number, how: string): void {
  model.counts.staleUses++;
  expect(() => STALE_USES[how]!(pick(model.dead, which))).toThrow(LeaseError);
}

function retain(model: PoolModel, which: number): void {
  const { lease, tenancy } = pick(model.live, which);
  const further = lease.retain();
  expect(further.view).toBe(lease.view);
  tenancy.references++;
  model.counts.retains++;
  model.live.push({ lease: further, tenancy });
}

/** What `put` may be given that is no lease of the pool, and how it is counted. */
const STRANGERS: Record<string, [counted: "ignored" | "discarded", make: (foreign: Lease) => unknown]> = {
  null: ["ignored", () => null],
  undefined: ["ignored", () => undefined],
  array: ["discarded", () => new Float32Array(4)],
  number: ["discarded", () => 4096],
  "foreign lease": ["discarded", (foreign) => foreign],
};

function putStranger(model: PoolModel, { pool, foreign }: PoolUnderTest, what: string): void {
  const [counted, make] = STRANGERS[what]!;
  model.counts[counted]++;
  expect(pool.put(make(foreign))).toBe(false);
  expect(foreign.released).toBe(false);
}

/** Takes a part of the view, and puts the part, which is no lease. */
function subview(model: PoolModel, { pool }: PoolUnderTest, which: number, begin: number, end: number): void {
  const { lease } = pick(model.live, which);
  if (!(begin >= 0 && begin <= end && end <= lease.view.length)) {
    expect(() => lease.subview(begin, end)).toThrow(InvalidArgumentError);
    return;
  }
  const part = lease.subview(begin, end);
  expect(part.length).toBe(end - begin);
  expect(part.byteOffset).toBe(lease.view.byteOffset + begin * lease.view.BYTES_PER_ELEMENT);
  expect(pool.put(part)).toBe(false);
  model.counts.discarded++;
}

interface TrimOptions {
  keep?: number;
  count?: number;
}

function trim(
  model: PoolModel,
  { pool }: PoolUnderTest,
  options: TrimOptions,
  moment: number | undefined,
): void {
  const { initial, max, bytes } = model.parameters;
  const { keep = initial, count = max } = options;
  const known = moment === undefined || model.moments.length === 0 ? undefined : pick(model.moments, moment);
  const idle = known === undefined ? {} : { unusedSince: known.real };
  if (!isSlotCount(keep, max) || !isSlotCount(count, max)) {
    expect(() => pool.trim({ ...options, ...idle })).toThrow(InvalidArgumentError);
    return;
  }
  const unused = model.free.filter(({ since }) => known === undefined || since <= known.time).length;
  const total = model.free.length + model.inUse;
  const trimmed = Math.min(count, unused, Math.max(0, total - keep));
  retire(model, trimmed);
  expect(pool.trim({ ...options, ...idle })).toBe(trimmed * granted(bytes));
}

function clear(model: PoolModel, { pool }: PoolUnderTest): void {
  const bytes = model.free.length * granted(model.parameters.bytes);
  retire(model, model.free.length);
  expect(pool.clear()).toBe(bytes);
}

function grow(model: PoolModel, { pool }: PoolUnderTest, count: number): void {
  if (!isSlotCount(count, model.parameters.max)) {
    expect(() => pool.grow(count)).toThrow(InvalidArgumentError);
    return;
  }
  const grown = Math.min(count, model.retired.length, model.room);
  for (let i = 0; i < grown; i++)
    model.free.unshift({ offset: undefined, mark: 0, since: model.retired.pop()! });
  model.room -= grown;
  model.counts.grown += grown;
  expect(pool.grow(count)).toBe(grown);
}

function isSlotCount(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}

function handOver(model: PoolModel, which: number): void {
  const { lease, tenancy } = takeFrom(model.live, which);
  model.handles.push({ handle: lease.handOver(), tenancy, adopted: false });
  model.dead.push(lease);
}

/** Adopts the `which`-th of the handles that wait for it. */
export function adopt(model: PoolModel, { pool }: PoolUnderTest, which: number): void {
  const entry = pick(waitingHandles(model), which);
  entry.adopted = true;
  model.live.push({ lease: pool.adopt(entry.handle), tenancy: entry.tenancy });
}

function endedHandles(model: Readonly<PoolModel>): PoolModel["handles"] {
  return model.handles.filter(({ tenancy }) => tenancy.references === 0);
}

function adoptEnded(model: PoolModel, { pool }: PoolUnderTest, which: number): void {
  model.counts.staleUses++;
  expect(() => pool.adopt(pick(endedHandles(model), which).handle)).toThrow(LeaseError);
}

/** None of them names a slot of a pool of six. */
const FOREIGN_HANDLES = [0, -1, 4096 + 6, 2 ** 31, 1.5, Number.NaN, Number.POSITIVE_INFINITY];

function misuse(model: PoolModel, { pool, foreign }: PoolUnderTest, what: number | "lease" | "null"): void {
  model.counts.foreignReleases++;
  const attempt = () => {
    if (typeof what === "number") pool.adopt(what);
    else pool.release(what === "lease" ? foreign : (null as unknown as Lease));
  };
  expect(attempt).toThrow(LeaseError);
}

function pick<T>(list: readonly T[], which: number): T {
  return list[which % list.length]!;
}

function takeFrom<T>(list: T[], which: number): T {
  return list.splice(which % list.length, 1)[0]!;
}

/** Matches an error by class and part of its message. */
function thrown(type: new (message: string) => Error, part: string): Error {
  return expect.objectContaining({ name: type.name, message: expect.stringContaining(part) }) as Error;
}

type PoolCommand = fc.Command<PoolModel, PoolUnderTest>;

const command = modelCommand<PoolModel, PoolUnderTest>(compare);

const always = () => true;
const someLive = ({ live }: Readonly<PoolModel>) => live.length > 0;
const someDead = ({ dead }: Readonly<PoolModel>) => dead.length > 0;
const which = fc.nat(11);
const size = fc.oneof({ weight: 9, arbitrary: fc.nat(6) }, fc.constantFrom(7, -1, 1.5, Number.NaN));
const trimOptions = fc.record({ keep: size, count: size }, { requiredKeys: [] });

const ACQUIRE = fc
  .boolean()
  .map((tryOnly) => command(tryOnly ? "tryAcquire" : "acquire", always, (m, r) => acquire(m, r, tryOnly)));
const RELEASE = fc
  .tuple(which, fc.constantFrom(...RELEASES))
  .map(([i, how]) => command(`${how} live ${i}`, someLive, (m, r) => giveBack(m, r, i, how)));

/** Random commands. Acquire and release come more often, so that pools fill and empty. */
export function poolCommands(most: number): fc.Arbitrary<Iterable<PoolCommand>> {
  return fc.commands(
    [
      ...[ACQUIRE, ACQUIRE, ACQUIRE, ACQUIRE, RELEASE, RELEASE, RELEASE],
      fc
        .tuple(which, fc.constantFrom(...RELEASES))
        .map(([i, how]) => command(`${how} dead ${i}`, someDead, (m, r) => releaseAgain(m, r, i, how))),
      fc
        .tuple(which, fc.constantFrom(...Object.keys(STALE_USES)))
        .map(([i, how]) => command(`${how} of dead ${i}`, someDead, (m) => useAfterRelease(m, i, how))),
      which.map((i) => command(`retain ${i}`, someLive, (m) => retain(m, i))),
      fc
        .constantFrom(...Object.keys(STRANGERS))
        .map((what) => command(`put ${what}`, always, (m, r) => putStranger(m, r, what))),
      fc
        .tuple(which, fc.integer({ min: -1, max: 20 }), fc.integer({ min: 0, max: 20 }))
        .map(([i, a, b]) => command(`subview ${i} ${a} ${b}`, someLive, (m, r) => subview(m, r, i, a, b))),
      which.map((i) =>
        command(`mark ${i}`, someLive, (m) => {
          const { lease, tenancy } = pick(m.live, i);
          markAnew(m, lease, tenancy);
        }),
      ),
      fc.tuple(trimOptions, fc.option(which, { nil: undefined })).map(([options, moment]) => {
        const name = `trim ${fc.stringify(options)} since ${moment}`;
        return command(name, always, (m, r) => trim(m, r, options, moment));
      }),
      fc.constant(
        command("moment", always, (m, { pool }) => m.moments.push({ real: pool.moment(), time: m.time })),
      ),
      size.map((count) => command(`grow ${count}`, always, (m, r) => grow(m, r, count))),
      fc.constant(command("clear", always, clear)),
      which.map((i) => command(`handOver ${i}`, someLive, (m) => handOver(m, i))),
      which.map((i) =>
        command(
          `adopt ${i}`,
          (m) => waitingHandles(m).length > 0,
          (m, r) => adopt(m, r, i),
        ),
      ),
      which.map((i) =>
        command(
          `adopt ended ${i}`,
          (m) => endedHandles(m).length > 0,
          (m, r) => adoptEnded(m, r, i),
        ),
      ),
      fc
        .constantFrom(...FOREIGN_HANDLES, "lease" as const, "null" as const)
        .map((what) => command(`misuse ${what}`, always, (m, r) => misuse(m, r, what))),
    ],
    { maxCommands: most, size: "max" },
  );
}
