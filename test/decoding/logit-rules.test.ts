import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLogitRules, type RuleOptions } from "../../src/decoding/logit-rules.ts";
import { TIMESTAMPS } from "../../src/models/whisper-tokenizer.ts";

/** A small vocabulary: 40 text tokens, the end of text, 5 special ones, the timestamps, and 3 ids past them. */
const END = 40;
const BEGIN = 46;
const SIZE = BEGIN + TIMESTAMPS + 3;
const TOKENS = { blank: [7], endOfText: END, noTimestamps: BEGIN - 1, timestampBegin: BEGIN };

/** The rules of openai/whisper `decoding.py`, filter by filter over float64 arrays of probabilities, as they read there. */
function restated(logits: Float32Array, sampled: number[], options: RuleOptions): Set<number> {
  const row = Array.from(logits, Number);
  const forbid = (from: number, to: number) => {
    for (let i = from; i < to; i++) row[i] = -Infinity;
  };
  if (options.suppressBlank && sampled.length === 0) for (const id of [7, END]) row[id] = -Infinity;
  for (const id of options.suppress) row[id] = -Infinity;
  forbid(END + 1, BEGIN);
  forbid(options.timestamps ? BEGIN + TIMESTAMPS : BEGIN, SIZE);
  if (options.timestamps) {
    const lastWas = sampled.length >= 1 && sampled.at(-1)! >= BEGIN;
    const penultimateWas = sampled.length < 2 || sampled.at(-2)! >= BEGIN;
    if (lastWas && penultimateWas) forbid(BEGIN, SIZE);
    else if (lastWas) forbid(0, END);
    const stamps = sampled.filter((id) => id >= BEGIN);
    if (stamps.length > 0) forbid(BEGIN, lastWas && !penultimateWas ? stamps.at(-1)! : stamps.at(-1)! + 1);
    if (sampled.length === 0) {
      forbid(0, BEGIN);
      if (options.maxInitialTimestamp !== undefined) forbid(BEGIN + options.maxInitialTimestamp + 1, SIZE);
    }
    const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
    const probability = row.map((x) => Math.exp(x) / total);
    const stampProbability = probability.slice(BEGIN).reduce((sum, p) => sum + p, 0);
    if (stampProbability > Math.max(...probability.slice(0, BEGIN))) forbid(0, BEGIN);
  }
  return new Set([...row.keys()].filter((id) => row[id] !== -Infinity));
}

const token = fc.oneof(fc.nat(END - 1), fc.integer({ min: BEGIN, max: BEGIN + TIMESTAMPS - 1 }));
const cases = fc.record({
  sampled: fc.array(token, { maxLength: 8 }),
  seed: fc.nat(),
  /** Raises timestamps, so that both branches of the last rule are taken. */
  lift: fc.integer({ min: -8, max: 2 }),
  timestamps: fc.boolean(),
  suppressBlank: fc.boolean(),
  suppress: fc.array(fc.nat(END - 1), { maxLength: 5 }),
  maxInitialTimestamp: fc.option(fc.nat(TIMESTAMPS - 1), { nil: undefined }),
});

function randomLogits(seed: number, lift: number): Float32Array {
  let state = seed | 1;
  return Float32Array.from({ length: SIZE }, (_, id) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 12 - 6 + (id >= BEGIN ? lift : 0);
  });
}

describe("createLogitRules", () => {
  it("leaves the tokens that openai/whisper's rules leave, with their logits", () => {
    let timestampsForced = 0;
    let textPossible = 0;
    fc.assert(
      fc.property(cases, ({ sampled, seed, lift, ...options }) => {
        const logits = randomLogits(seed, lift);
        const expected = restated(logits, sampled, options);
        const row = logits.slice();
        createLogitRules(TOKENS, options)(row, sampled);
        const wrong = [...row.keys()].filter((id) => row[id] !== (expected.has(id) ? logits[id] : -Infinity));
        expect(wrong).toEqual([]);
        if (options.timestamps && expected.size > 0) {
          if ([...expected].some((id) => id < BEGIN)) textPossible++;
          else timestampsForced++;
        }
      }),
      { numRuns: 400 },
    );
    expect(timestampsForced).toBeGreaterThan(20);
    expect(textPossible).toBeGreaterThan(20);
  });

  const options = { timestamps: true, suppress: [], suppressBlank: true };
  const allowed = (sampled: number[], extra: Partial<RuleOptions> = {}) => {
    const row = new Float32Array(SIZE).fill(0, 0, BEGIN).fill(-20, BEGIN);
    createLogitRules(TOKENS, { ...options, ...extra })(row, sampled);
    return {
      text: row[3] === 0,
      end: row[END] === 0,
      stamp: row.subarray(BEGIN).indexOf(-20),
    };
  };

  it("begins with a timestamp, then has text, then a pair of timestamps or the end", () => {
    expect(allowed([])).toEqual({ text: false, end: false, stamp: 0 });
    expect(allowed([BEGIN])).toEqual({ text: true, end: true, stamp: -1 });
    expect(allowed([BEGIN, 3])).toEqual({ text: true, end: true, stamp: 1 });
    expect(allowed([BEGIN, 3, BEGIN + 9])).toMatchObject({ text: false, stamp: 9 });
    expect(allowed([BEGIN, 3, BEGIN + 9, BEGIN + 9])).toEqual({ text: true, end: true, stamp: -1 });
  });

  it("never lets the end of text be suppressed by a list", () => {
    expect(allowed([BEGIN, 3], { suppress: [END, 3] })).toMatchObject({ text: false, end: true });
  });

  it("passes over ids that the vocabulary does not reach", () => {
    expect(() => allowed([BEGIN], { suppress: [SIZE + 5, -1] })).not.toThrow();
  });
});
