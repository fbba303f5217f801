import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { likeliest, searchBeams } from "../../src/decoding/beam-search.ts";
import { decodeGreedily } from "../../src/decoding/greedy.ts";
import { rankScore } from "../../src/decoding/search.ts";
import { ModelFormatError } from "../../src/index.ts";
import { allTexts, logProbabilities, type ToyModel, toyModel, toySearch } from "./toy-decoder.ts";

/** `BeamSearchDecoder`, `MaximumLikelihoodRanker` and the main loop of openai/whisper `decoding.py`, as they read there. */
function restated(
  model: ToyModel,
  limit: number,
  beamSize: number,
  patience: number,
  alpha?: number,
): number[] {
  const candidates = Math.round(beamSize * patience);
  const finished = new Map<string, { tokens: number[]; sum: number }>();
  let beams = Array.from({ length: beamSize }, () => ({ tokens: [] as number[], sum: 0 }));
  for (let i = 0; i < limit; i++) {
    const scores = new Map<string, { tokens: number[]; sum: number }>();
    for (const beam of beams) {
      const ranked = [...logProbabilities(model, beam.tokens).entries()].sort((a, b) => b[1] - a[1]);
      for (const [token, logprob] of ranked.slice(0, beamSize + 1)) {
        const tokens = [...beam.tokens, token];
        scores.set(tokens.join(), { tokens, sum: beam.sum + logprob });
      }
    }
    const next: typeof beams = [];
    const newly: typeof beams = [];
    for (const text of [...scores.values()].sort((a, b) => b.sum - a.sum)) {
      if (text.tokens.at(-1) === model.endOfText) newly.push(text);
      else if (next.push(text) === beamSize) break;
    }
    for (const text of newly) if (finished.size < candidates) finished.set(text.tokens.join(), text);
    beams = next;
    if (finished.size >= candidates) break;
  }
  if (finished.size < beamSize) {
    for (const beam of [...beams].sort((a, b) => b.sum - a.sum)) {
      const tokens = [...beam.tokens, model.endOfText];
      finished.set(tokens.join(), { tokens, sum: beam.sum });
      if (finished.size >= beamSize) break;
    }
  }
  const score = ({ tokens, sum }: { tokens: number[]; sum: number }) => {
    const length = tokens.length - 1;
    return sum / (alpha === undefined ? Math.max(1, length) : ((5 + length) / 6) ** alpha);
  };
  const all = [...finished.values()];
  return all.reduce((a, b) => (score(b) > score(a) ? b : a)).tokens.slice(0, -1);
}

const LIMIT = 4;

describe("searchBeams", () => {
  it("finds the best of all texts when it follows them all", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
        async (seed, lengthPenalty) => {
          const model = toyModel(4, seed);
          const { search, alive } = await toySearch(model, LIMIT);
          const found = await searchBeams(search, { beamSize: 200, lengthPenalty });
          const texts = allTexts(model, LIMIT).map((text) => ({ ...text, stop: "end" as const }));
          const best = texts.reduce((a, b) =>
            rankScore(b, lengthPenalty) > rankScore(a, lengthPenalty) ? b : a,
          );
          expect(found.tokens).toEqual(best.tokens);
          expect(found.sumLogprob).toBeCloseTo(best.sumLogprob, 5);
          search.cache.release();
          expect(alive()).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("finds what openai/whisper's finds, for any width, patience and length penalty", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(1, 2, 3),
        fc.constantFrom(undefined, 0, 0.6, 1),
        async (seed, beamSize, patience, lengthPenalty) => {
          const model = toyModel(9, seed);
          const { search, alive } = await toySearch(model, 7);
          const found = await searchBeams(search, { beamSize, patience, lengthPenalty });
          expect(found.tokens).toEqual(restated(model, 7, beamSize, patience, lengthPenalty));
          search.cache.release();
          expect(alive()).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("is greedy with one beam", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const { search } = await toySearch(toyModel(12, seed), 10);
        const [beam, greedy] = [await searchBeams(search, { beamSize: 1 }), await decodeGreedily(search)];
        expect(beam.tokens).toEqual(greedy.tokens);
        expect(beam.stop).toBe(greedy.stop);
        expect(beam.sumLogprob).toBeCloseTo(greedy.sumLogprob, 6);
      }),
    );
  });

  it("refuses logits without a number", async () => {
    const { search, alive } = await toySearch(toyModel(5, 1), 5, {
      firstLogits: new Float32Array(5).fill(Number.NaN),
    });
    await expect(searchBeams(search, { beamSize: 2 })).rejects.toThrow(ModelFormatError);
    search.cache.release();
    expect(alive()).toBe(0);
  });
});

describe("likeliest", () => {
  it("is the head of the sorted row, with its log probabilities", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constant(-Infinity)), {
          minLength: 1,
          maxLength: 30,
        }),
        fc.integer({ min: 1, max: 8 }),
        (values, count) => {
          fc.pre(values.some((x) => x > -Infinity));
          const row = Float32Array.from(values);
          const sorted = [...values.keys()]
            .filter((i) => values[i]! > -Infinity)
            .sort((a, b) => values[b]! - values[a]! || a - b);
          const { tokens, logprobs } = likeliest(row, count);
          expect(tokens).toEqual(sorted.slice(0, count));
          const total = Math.log(values.reduce((sum, x) => sum + Math.exp(x), 0));
          for (const [i, token] of tokens.entries())
            expect(logprobs[i]).toBeCloseTo(values[token]! - total, 9);
        },
      ),
    );
  });
});
