/**
 * The pool's steps explored over all interleavings: what is modelled, and how closely, stands in pool-state.ts
 * and beside the steps; what is checked of every state, in rules.ts.
 */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import type { Flaws, Scenario } from "./pool-state.ts";
import { combinations, programsOf } from "./programs.ts";

// Bundled: vitest makes a lookup of every use of an imported name, which would take two thirds of the time.
const bundle = await build({
  entryPoints: [fileURLToPath(new URL("explore.ts", import.meta.url))],
  bundle: true,
  format: "esm",
  write: false,
});
const source = Buffer.from(bundle.outputFiles[0]!.contents).toString("base64");
const { explore } = (await import(`data:text/javascript;base64,${source}`)) as typeof import("./explore.ts");

type Pool = Omit<Scenario, "programs">;

const GROWING: Pool = { slots: 2, initial: 1, regions: 2, floor: 1 };
const FULL: Pool = { slots: 2, initial: 2, regions: 2, floor: 1 };
const SINGLE: Pool = { slots: 1, initial: 1, regions: 1, floor: 0 };
const SHORT: Pool = { slots: 2, initial: 1, regions: 1, floor: 0 };
const THREE: Pool = { slots: 3, initial: 1, regions: 3, floor: 1, wholeScans: true };
const THREE_SHORT: Pool = { slots: 3, initial: 2, regions: 2, floor: 1, wholeScans: true };

/** What an agent does that may die. */
const MORTAL = ["AR", "AA", "G", "T"];

const total = { programs: 0, states: 0, transitions: 0 };

/** Explores a pool under every choice of programs; fails with the trace of the first violation. */
function exploreAll(pool: Pool, choices: readonly (readonly string[])[]): void {
  for (const programs of choices) {
    const { states, transitions, violation } = explore({ ...pool, programs });
    total.programs++;
    total.states += states;
    total.transitions += transitions;
    if (violation) expect.fail([`agents ${programs.join(", ")}`, ...violation.trace].join("\n"));
  }
}

afterAll(() => {
  const { programs, states, transitions } = total;
  console.log(`pool model: ${programs} sets of programs, ${states} states, ${transitions} transitions`);
});

describe("the pool under every interleaving", () => {
  it.each([
    ["one of two slots in service", GROWING, "ARNGT"],
    ["both slots in service", FULL, "ARGT"],
    ["two slots and room for one", { ...SHORT, wholeScans: true }, "ARGT"],
    ["two slots that are zeroed on release", { ...GROWING, zeroOnRelease: true }, "ART"],
    ["one of three slots in service", THREE, "ART"],
    ["three slots and room for two", THREE_SHORT, "ART"],
  ])("of two agents with three operations each: %s", (_, pool, letters) => {
    exploreAll(pool, combinations(programsOf(letters, 3), 2));
  });

  it.each([
    ["two slots", { ...FULL, wholeScans: true }, "ARNDKBT"],
    ["two slots that are zeroed", { ...GROWING, wholeScans: true, zeroOnRelease: true }, "ARDKB"],
  ])("of two agents that retain, borrow and release again: %s", (_, pool, letters) => {
    exploreAll(pool, combinations(programsOf(letters, 3), 2));
  });

  it.each([
    ["one of two slots in service", { ...GROWING, wholeScans: true }],
    ["both slots in service", { ...FULL, wholeScans: true, zeroOnRelease: true }],
    ["two slots and room for one", { ...SHORT, wholeScans: true }],
  ])("of three agents with one or two operations each: %s", (_, pool) => {
    exploreAll(pool, combinations(["AR", "AT", "G", "T"], 3));
  });

  it.each([
    ["acquire and release", THREE, ["ARA", "AAR", "AR"]],
    ["release against trim and grow", { ...GROWING, wholeScans: true }, ["ARA", "ART", "G"]],
    ["references to one tenancy", FULL, ["AKR", "BRR", "ARA"]],
    ["no room", THREE_SHORT, ["AAR", "AR", "T"]],
  ])("of three agents with up to three operations: %s", (_, pool, programs) => {
    exploreAll(pool, [programs]);
  });

  it.each([
    ["one of two slots in service", GROWING],
    ["both slots in service, zeroed", { ...FULL, zeroOnRelease: true }],
  ])("when it is closed: %s", (_, pool) => {
    const closing = ["C", "ACR"];
    const others = programsOf("ARGT", 2);
    exploreAll(
      { ...pool, closes: true },
      others.flatMap((other) => closing.map((close) => [other, close])),
    );
    exploreAll(
      { ...pool, closes: true, wholeScans: true },
      combinations(["A", "G", "T"], 2).map((pair) => [...pair, "C"]),
    );
  });

  it.each([
    ["both slots in service", FULL],
    ["two slots, zeroed, and room for one", { ...SHORT, zeroOnRelease: true }],
  ])("when an agent dies and another reclaims what it had: %s", (_, pool) => {
    const living = ["AR", "AT", "TG", "TT"];
    exploreAll(
      { ...pool, dies: true, wholeScans: true },
      MORTAL.flatMap((dead) => living.map((other) => [dead, other, "X"])),
    );
  });

  it("when an agent dies that shares a lease with another", () => {
    const pool: Pool = { ...SINGLE, dies: true, wholeScans: true };
    const mortal = ["AK", "AKR", "AKRR"];
    exploreAll(
      pool,
      mortal.flatMap((dead) => ["BRA", "BK", "AR", "BX"].map((other) => [dead, other, "X"])),
    );
    exploreAll(pool, [["A", "BR", "X", "X"]]);
  });

  it.each([
    ["both slots in service", FULL],
    ["two slots, zeroed, and room for one", { ...SHORT, zeroOnRelease: true }],
  ])("when two agents at once reclaim what a third had: %s", (_, pool) => {
    const reclaiming = ["X", "AX", "TX", "XA", "XG"];
    exploreAll(
      { ...pool, dies: true, wholeScans: true },
      MORTAL.flatMap((dead) => reclaiming.map((first) => [dead, first, "X"])),
    );
  });

  it.each([
    ["one slot", SINGLE],
    ["one slot, zeroed", { ...SINGLE, zeroOnRelease: true }],
  ])("when an agent that reclaims dies too: %s", (_, pool) => {
    exploreAll(
      { ...pool, dies: true, wholeScans: true },
      ["A", "AR", "T"].flatMap((dead) => ["", "A", "G"].map((other) => [dead, "X", other, "XY"])),
    );
    exploreAll({ ...pool, dies: true, wholeScans: true }, [["A", "X", "X", "Y"]]);
  });

  it("when an agent dies in a pool that is closed", () => {
    exploreAll(
      { ...SINGLE, dies: true, closes: true, wholeScans: true },
      ["AR", "T", "G", "C"].flatMap((dead) => ["AR", "T", "AC", "X"].map((other) => [dead, other, "CX"])),
    );
    exploreAll({ ...FULL, dies: true, closes: true, wholeScans: true }, [["T", "", "CX"]]);
  });
});

/** The rule that a pool breaks, or nothing. */
function found(pool: Pool, programs: string[], flaws: Flaws = {}): string | undefined {
  return explore({ ...pool, programs, flaws }).violation?.rule;
}

describe("the explorer finds", () => {
  // The classic: while one agent stands between reading the top's link and exchanging the head, another pops
  // that slot and the next and brings the first back. The head shows the same top over another stack.
  it("ABA when the head has no tag", () => {
    const pool: Pool = { slots: 3, initial: 3, regions: 3, floor: 0 };
    expect(found(pool, ["A", "AAR"])).toBeUndefined();
    expect(found(pool, ["A", "AAR"], { untagged: true })).toBe("a slot is in two places at once");
  });

  const NO_ROOM: Pool = { slots: 3, initial: 1, regions: 1, floor: 0 };
  const DIES: Pool = { ...FULL, dies: true, wholeScans: true };
  it.each<[string, Pool, string[], Flaws, RegExp]>([
    [
      "a lease by store, not by exchange",
      SINGLE,
      ["A", "T"],
      { leasesByStore: true },
      /busy is not the state/,
    ],
    ["a generation that stays", FULL, ["ARD", "A"], { keepsGeneration: true }, /accepted that nobody owed/],
    ["trims that count each other's slots", FULL, ["T", "T"], { countsBusy: true }, /below the floor/],
    ["a count of buffer and word apart", FULL, ["T", "T"], { readsBufferFirst: true }, /below the floor/],
    [
      "zeroing of a slot that is free",
      { ...SINGLE, zeroOnRelease: true },
      ["AR", "T"],
      { zeroesLate: true },
      /zeroed/,
    ],
    ["slots that stay set aside", NO_ROOM, ["AA", "A"], { dropsAside: true }, /a slot is lost/],
    [
      "growth of a closed pool",
      { ...GROWING, closes: true },
      ["G", "C"],
      { ignoresClosed: true },
      /keeps a free buffer/,
    ],
    ["an owner that comes late", DIES, ["AR", "A", "X"], { ownsLate: true }, /not all reclaimed/],
    // The trim takes the slot that it picked when that is no longer the lowest.
    ["a journal struck out early", DIES, ["T", "AARRA", "X"], { strikesEarly: true }, /nobody has lost/],
    ["a word that comes again", DIES, ["", "TG", "X"], { repeatsWords: true }, /nobody has left/],
    ["an orphan that two push", DIES, ["AR", "X", "X"], { pushesUnclaimed: true }, /nobody has lost/],
    ["reclaiming without a journal", DIES, ["AR", "X", "X"], { dropsUnjournaled: true }, /nobody has lost/],
  ])("%s", (_, pool, programs, flaws, rule) => {
    expect(found(pool, programs)).toBeUndefined();
    expect(found(pool, programs, flaws)).toMatch(rule);
  });

  it("the steps that lead to a violation", () => {
    const { violation } = explore({ ...FULL, programs: ["T", "T"], flaws: { countsBusy: true } });
    const steps = violation!.trace.join("\n");
    expect(violation!.trace.at(-1)).toMatch(/^trimming went below the floor -> /);
    for (const agent of [0, 1]) expect(steps).toContain(`agent ${agent}, T: exchange word for busy`);
  });
});
