import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { searchBeams } from "../../src/decoding/beam-search.ts";
import { decodeGreedily } from "../../src/decoding/greedy.ts";
import { seededRandom } from "../../src/decoding/random.ts";
import { chooseLikeliest, chooseRandomly, sampleBest } from "../../src/decoding/sampling.ts";
import { type Hypothesis, rankScore, type Search } from "../../src/decoding/search.ts";
import { ModelFormatError } from "../../src/index.ts";
import { allTexts, logProbabilities, toyModel, toySearch } from "./toy-decoder.ts";

describe("decodeGreedily", () => {
  it("takes the likeliest token at each step and adds up log probabilities", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const model = toyModel(8, seed);
        const { search, alive } = await toySearch(model, 6);
        const found = await decodeGreedily(search);
        const tokens: number[] = [];
        let sum = 0;
        let ended = false;
        while (!ended && tokens.length < 6) {
          const logprobs = logProbabilities(model, tokens);
          const best = logprobs.indexOf(Math.max(...logprobs));
          sum += logprobs[best]!;
          ended = best === model.endOfText;
          if (!ended) tokens.push(best);
        }
        expect(found.tokens).toEqual(tokens);
        expect(found.sumLogprob).toBeCloseTo(sum, 6);
        expect(found.stop).toBe(ended ? "end" : "length");
        search.cache.release();
        expect(alive()).toBe(0);
      }),
    );
  });
});

describe("chooseRandomly", () => {
  it("draws each token as often as softmax(logits / temperature) says", () => {
    const logits = Float32Array.from([1, 3, -Infinity, 2, 0]);
    const random = seededRandom(1);
    const draws = 40_000;
    for (const temperature of [0.3, 1, 2]) {
      const weights = Array.from(logits, (x) => Math.exp(x / temperature));
      const total = weights.reduce((sum, x) => sum + x, 0);
      const counts = [0, 0, 0, 0, 0];
      for (let i = 0; i < draws; i++) counts[chooseRandomly(logits, temperature, random)]!++;
      for (const [token, weight] of weights.entries()) {
        const p = weight / total;
        // Five standard deviations of a binomial distribution.
        const tolerance = 5 * Math.sqrt(draws * p * (1 - p)) + 1e-9;
        expect(Math.abs(counts[token]! - draws * p), `token ${token} at ${temperature}`).toBeLessThanOrEqual(
          tolerance,
        );
      }
      expect(counts[2]).toBe(0);
    }
  });

  it("is the likeliest as the temperature goes to 0, and repeatable by its seed", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, logitSeed) => {
        const logits = toyModel(50, logitSeed).logits([]);
        expect(chooseRandomly(logits, 1e-6, seededRandom(seed))).toBe(chooseLikeliest(logits));
        const draw = () => {
          const random = seededRandom(seed);
          return Array.from({ length: 5 }, () => chooseRandomly(logits, 1, random));
        };
        expect(draw()).toEqual(draw());
      }),
    );
  });

  it("refuses rows without a number", () => {
    const logits = new Float32Array(4).fill(Number.NaN);
    expect(() => chooseRandomly(logits, 1, seededRandom(1))).toThrow(ModelFormatError);
    expect(() => chooseLikeliest(logits)).toThrow(ModelFormatError);
  });
});

describe("sampleBest", () => {
  it("takes the best of its samples, with their log probabilities at temperature 1", async () => {
    const model = toyModel(4, 3);
    const texts = new Map(allTexts(model, 4).map(({ tokens, sumLogprob }) => [tokens.join(), sumLogprob]));
    const singles: Hypothesis[] = [];
    const random = seededRandom(9);
    const { search } = await toySearch(model, 4);
    for (let i = 0; i < 8; i++)
      singles.push(await sampleBest(search, { temperature: 1.5, count: 1, random }));
    for (const { tokens, sumLogprob } of singles)
      expect(sumLogprob).toBeCloseTo(texts.get(tokens.join())!, 6);
    const best = await sampleBest(search, { temperature: 1.5, count: 8, random: seededRandom(9) });
    const scores = singles.map((single) => rankScore(single, undefined));
    expect(rankScore(best, undefined)).toBe(Math.max(...scores));
    expect(new Set(scores).size).toBeGreaterThan(1);
  });
});

describe("caches", () => {
  const strategies: [string, (search: Search) => Promise<Hypothesis>][] = [
    ["greedy", decodeGreedily],
    ["sampling", (search) => sampleBest(search, { temperature: 1, count: 3, random: seededRandom(5) })],
    ["beam search", (search) => searchBeams(search, { beamSize: 4 })],
  ];

  describe.each(strategies)("of %s", (_, run) => {
    it("are all released when it ends, fails or is aborted at any step", async () => {
      let failures = 0;
      let aborts = 0;
      await fc.assert(
        fc.asyncProperty(fc.nat(), fc.nat(12), fc.boolean(), async (seed, step, abort) => {
          const controller = new AbortController();
          const { search, alive } = await toySearch(toyModel(9, seed), 8, { signal: controller.signal });
          let steps = 0;
          const failing: Search = {
            ...search,
            decoder: {
              step(cache, token) {
                if (steps++ !== step) return search.decoder.step(cache, token);
                if (!abort) return Promise.reject(new Error("the provider failed"));
                controller.abort(new Error("enough"));
                return search.decoder.step(cache, token);
              },
            },
          };
          const outcome = await run(failing).catch((error: Error) => error.message);
          if (outcome === "the provider failed") failures++;
          if (outcome === "enough") aborts++;
          expect(alive()).toBe(1);
          search.cache.release();
          expect(alive()).toBe(0);
        }),
        { numRuns: 80 },
      );
      expect(failures).toBeGreaterThan(5);
      expect(aborts).toBeGreaterThan(2);
    });

    it("are released when rules or a listener throw", async () => {
      for (const broken of ["rules", "onToken"] as const) {
        let calls = 0;
        const fail = () => {
          if (++calls === 3) throw new Error("broken");
        };
        const { search, alive } = await toySearch(toyModel(9, 4), 8, { [broken]: fail });
        await expect(run(search)).rejects.toThrow("broken");
        search.cache.release();
        expect(alive()).toBe(0);
      }
    });

    it("do not pile up as the text grows", async () => {
      const { search, alive } = await toySearch(toyModel(9, 4), 30);
      let most = 0;
      await run({ ...search, onToken: () => (most = Math.max(most, alive())) });
      expect(most).toBeLessThanOrEqual(1 + 2 * 4);
    });
  });
});
