import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createCore,
  createTieredPool,
  InvalidArgumentError,
  LeaseError,
  PoolClosedError,
  type TieredLease,
  type TieredPool,
  type TierName,
} from "../../src/index.ts";
import { BUILDS } from "../reference/builds.ts";
import { modelCommand } from "../reference/model-command.ts";
import { runs } from "../reference/runs.ts";

const TIERS = ["small", "medium", "large"] as const;
const MEMORY_BYTES = 2 ** 18;

interface TierModel {
  tier: TierName;
  bytes: number;
  max: number;
  initial: number;
  inService: number;
  used: number;
  peak: number;
  acquires: number;
  misses: number;
  exhausted: number;
  trimmed: number;
  /** Bytes asked for, over all acquires. */
  requested: number;
}

interface Held {
  lease: TieredLease;
  tier: TierName | "direct";
  /** What the buffer has room for. */
  capacity: number;
  contents: Uint8Array;
}

interface TieredModel {
  tiers: TierModel[];
  zeroOnRelease: boolean;
  counting: boolean;
  held: Held[];
  released: TieredLease[];
  fallbacks: number;
  doubleReleases: number;
  staleUses: number;
  moves: number;
  direct: { count: number; held: number; bytes: number };
  writes: number;
}

/** Takes a buffer in the model, and says where the product is to take it. */
function take(model: TieredModel, bytes: number): Pick<Held, "tier" | "capacity"> {
  const fitting = model.tiers.filter((tier) => tier.bytes >= bytes);
  for (const [i, tier] of fitting.entries()) {
    if (tier.used === tier.max) {
      tier.exhausted++;
      continue;
    }
    if (i > 0) model.fallbacks++;
    if (tier.used === tier.inService) {
      tier.inService++;
      tier.misses++;
    }
    tier.used++;
    tier.acquires++;
    tier.peak = Math.max(tier.peak, tier.used);
    tier.requested += bytes;
    return { tier: tier.tier, capacity: tier.bytes };
  }
  model.direct.count++;
  model.direct.held++;
  model.direct.bytes += bytes;
  return { tier: "direct", capacity: bytes };
}

function giveBack(model: TieredModel, where: TierName | "direct"): void {
  if (where === "direct") model.direct.held--;
  else model.tiers.find(({ tier }) => tier === where)!.used--;
}

function acquire(model: TieredModel, pool: TieredPool, bytes: number): void {
  const place = take(model, bytes);
  const lease = pool.acquire(bytes);
  expect(lease.view.length).toBe(bytes);
  if (model.zeroOnRelease) expect(lease.view.every((byte) => byte === 0)).toBe(true);
  const held = { ...place, lease, contents: new Uint8Array(0) };
  model.held.push(held);
  write(model, held);
}

/** Fills the buffer with a pattern of its own. */
function write(model: TieredModel, held: Held): void {
  const seed = ++model.writes;
  held.lease.view.forEach((_, i, view) => {
    view[i] = 31 * seed + 7 * i;
  });
  held.contents = held.lease.view.slice();
}

function resize(model: TieredModel, held: Held, bytes: number): void {
  if (bytes > held.capacity) {
    const place = take(model, bytes);
    giveBack(model, held.tier);
    model.moves++;
    Object.assign(held, place);
  }
  const kept = Math.min(bytes, held.contents.length);
  const view = held.lease.resize(bytes);
  expect(view).toBe(held.lease.view);
  expect(view.length).toBe(bytes);
  expect([...view.subarray(0, kept)]).toEqual([...held.contents.subarray(0, kept)]);
  held.contents = view.slice(); // bytes added are whatever the buffer held before
}

function release(model: TieredModel, pool: TieredPool, held: Held, byPool: boolean): void {
  model.held.splice(model.held.indexOf(held), 1);
  model.released.push(held.lease);
  giveBack(model, held.tier);
  if (byPool) pool.release(held.lease);
  else held.lease.release();
}

function trim(model: TieredModel, pool: TieredPool): void {
  let bytes = 0;
  for (const tier of model.tiers) {
    const count = Math.min(tier.inService - tier.used, Math.max(0, tier.inService - tier.initial));
    tier.inService -= count;
    tier.trimmed += count;
    bytes += count * granted(tier.bytes);
  }
  expect(pool.trim()).toBe(bytes);
}

function granted(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

function compare(model: TieredModel, pool: TieredPool): void {
  const { tiers, ...stats } = pool.stats();
  const { fallbacks, moves, direct, doubleReleases, staleUses, counting } = model;
  expect(stats).toEqual({ name: "tiered", fallbacks, moves, direct, doubleReleases, staleUses });
  for (const tier of model.tiers) {
    const acquires = counting ? tier.acquires : 0;
    expect(tiers[tier.tier]).toMatchObject({
      used: tier.used,
      available: tier.max - tier.used,
      total: tier.inService,
      acquires,
      releases: counting ? tier.acquires - tier.used : 0,
      misses: counting ? tier.misses : 0,
      peakInUse: counting ? tier.peak : 0,
      grown: tier.misses,
      trimmed: tier.trimmed,
      exhausted: tier.exhausted,
      doubleReleases: 0,
      bytesRequested: counting ? tier.requested : 0,
      bytesGranted: acquires * granted(tier.bytes),
    });
  }
  for (const { lease, tier, capacity, contents } of model.held) {
    expect(lease).toMatchObject({ tier, capacity, released: false });
    expect([...lease.view]).toEqual([...contents]);
  }
}

type TieredCommand = fc.Command<TieredModel, TieredPool>;

const command = modelCommand<TieredModel, TieredPool>(compare);

const always = () => true;
const someHeld = ({ held }: Readonly<TieredModel>) => held.length > 0;
const pick = <T>(list: readonly T[], which: number) => list[which % list.length]!;
const which = fc.nat(9);
/** Tiers end at 8 to 24, 40 to 80 and 100 to 200 bytes. */
const bytes = fc.oneof(
  fc.integer({ min: 1, max: 24 }),
  fc.integer({ min: 1, max: 80 }),
  fc.integer({ min: 1, max: 300 }),
);
const wrongBytes = fc.constantFrom(0, -1, 1.5, Number.NaN, MEMORY_BYTES + 1, Number.POSITIVE_INFINITY);

const ACQUIRE = bytes.map((n) => command(`acquire ${n}`, always, (m, pool) => acquire(m, pool, n)));
const RESIZE = fc
  .tuple(which, bytes)
  .map(([i, n]) => command(`resize ${i} to ${n}`, someHeld, (m) => resize(m, pick(m.held, i), n)));
const COMMANDS: fc.Arbitrary<TieredCommand>[] = [
  ...[ACQUIRE, ACQUIRE, ACQUIRE, RESIZE, RESIZE],
  ...[1, 2].map(() =>
    fc
      .tuple(which, fc.boolean())
      .map(([i, byPool]) =>
        command(`release ${i}`, someHeld, (m, pool) => release(m, pool, pick(m.held, i), byPool)),
      ),
  ),
  which.map((i) => command(`write ${i}`, someHeld, (m) => write(m, pick(m.held, i)))),
  fc.constant(command("trim", always, trim)),
  fc.tuple(which, wrongBytes).map(([i, wrong]) =>
    command(`refuse ${wrong}`, someHeld, (m, pool) => {
      expect(() => pool.acquire(wrong)).toThrow(InvalidArgumentError);
      expect(() => pick(m.held, i).lease.resize(wrong)).toThrow(InvalidArgumentError);
    }),
  ),
  which.map((i) =>
    command(
      `misuse ${i}`,
      ({ released }) => released.length > 0,
      (m, pool) => {
        const lease = pick(m.released, i);
        const uses = [() => lease.view, () => lease.resize(1), () => lease.capacity];
        for (const use of [...uses, () => lease.release(), () => pool.release(lease)]) {
          expect(use).toThrow(LeaseError);
        }
        m.staleUses += uses.length;
        m.doubleReleases += 2;
      },
    ),
  ),
];

const tierParameters = fc
  .tuple(
    fc.tuple(
      fc.integer({ min: 8, max: 24 }),
      fc.integer({ min: 40, max: 80 }),
      fc.integer({ min: 100, max: 200 }),
    ),
    fc.array(fc.record({ initial: fc.nat(2), max: fc.integer({ min: 1, max: 3 }) }), {
      minLength: 3,
      maxLength: 3,
    }),
  )
  .map(([sizes, counts]) =>
    counts.map(({ initial, max }, i) => ({ bytes: sizes[i]!, max, initial: Math.min(initial, max) })),
  );

describe.each(BUILDS)("properties of a tiered pool, $build", ({ threads }) => {
  it("keeps contents, chooses tiers and counts as the model does", { timeout: 60_000 }, async () => {
    const property = fc.asyncProperty(
      tierParameters,
      fc.boolean(),
      fc.constantFrom("counts", "counts", "times", "off"),
      fc.commands(COMMANDS, { maxCommands: 40, size: "max" }),
      fc.boolean(),
      async ([small, medium, large], zeroOnRelease, statistics, commands, closeFirst) => {
        const core = await createCore({ memoryBytes: MEMORY_BYTES, threads });
        const before = core.freeBytes();
        const sizes = { small: small!, medium: medium!, large: large! };
        const pool = createTieredPool(core, { name: "tiered", ...sizes, zeroOnRelease, statistics });
        const none = { used: 0, peak: 0, acquires: 0, misses: 0, exhausted: 0, trimmed: 0, requested: 0 };
        const model: TieredModel = {
          tiers: TIERS.map((tier) => ({ tier, ...sizes[tier], inService: sizes[tier].initial, ...none })),
          zeroOnRelease,
          counting: statistics !== "off",
          held: [],
          released: [],
          fallbacks: 0,
          doubleReleases: 0,
          staleUses: 0,
          moves: 0,
          direct: { count: 0, held: 0, bytes: 0 },
          writes: 0,
        };
        try {
          fc.modelRun(() => ({ model, real: pool }), commands);
          if (closeFirst) close(model, pool);
          while (model.held.length > 0) {
            release(model, pool, model.held[0]!, false);
            if (!closeFirst) compare(model, pool);
          }
        } finally {
          for (const { lease } of model.held) lease[Symbol.dispose]();
        }
        expect(pool.shutdown()).toBe(0);
        expect(core.freeBytes()).toBe(before);
      },
    );
    await fc.assert(property, { seed: 46, numRuns: runs(150) });
  });
});

function close(model: TieredModel, pool: TieredPool): void {
  expect(pool.shutdown()).toBe(model.held.length);
  expect(() => pool.acquire(1)).toThrow(PoolClosedError);
  for (const { lease, capacity, contents } of model.held) {
    expect(() => lease.resize(capacity + 1)).toThrow(PoolClosedError);
    expect([...lease.view]).toEqual([...contents]);
  }
}
