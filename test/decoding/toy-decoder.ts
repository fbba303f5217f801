import { createLoopGuard } from "../../src/decoding/loop-guard.ts";
import { seededRandom } from "../../src/decoding/random.ts";
import type { Search } from "../../src/decoding/search.ts";
import type { Decoder } from "../../src/inference/decoder.ts";
import { createCrossCache, createKvCache, type KvCache } from "../../src/inference/kv-cache.ts";
import type { Tensor } from "../../src/inference/tensor.ts";

/** A language model small enough that all its texts can be looked at: any history has logits of its own. */
export interface ToyModel {
  readonly vocabulary: number;
  /** The last id. */
  readonly endOfText: number;
  logits(history: readonly number[]): Float32Array;
}

export function toyModel(vocabulary: number, seed: number): ToyModel {
  return {
    vocabulary,
    endOfText: vocabulary - 1,
    logits(history) {
      const random = seededRandom(history.reduce((hash, token) => Math.imul(hash, 31) + token + 1, seed));
      for (let i = 0; i < 3; i++) random();
      return Float32Array.from({ length: vocabulary }, () => random() * 4);
    },
  };
}

export const NO_TENSOR: Tensor = {
  type: "float32",
  dims: [0],
  location: "host",
  read: () => new Float32Array(0),
  release: () => undefined,
};

/**
 * The toy as a decoder with the real caches, one reference of each counted. Logits are overwritten at the next
 * run, as those of real sessions may be.
 */
export function toyDecoder(model: ToyModel) {
  let alive = 0;
  const histories = new WeakMap<KvCache, readonly number[]>();
  const view = new Float32Array(model.vocabulary);
  const make = (history: readonly number[]) => {
    alive++;
    const tensor: Tensor = { ...NO_TENSOR, release: () => alive-- };
    const cache = createKvCache(history.length, {}, createCrossCache({}, 1), tensor);
    histories.set(cache, history);
    view.set(model.logits(history));
    return { logits: view, cache };
  };
  return {
    alive: () => alive,
    start: async (_: Tensor, tokens: readonly number[]) => make(tokens),
    step: async (cache: KvCache, token: number) => make([...histories.get(cache)!, token]),
  } satisfies Pick<Decoder, "start" | "step"> & { alive: () => number };
}

/** A search over the toy without rules; the caller releases `cache`. */
export async function toySearch(
  model: ToyModel,
  limit: number,
  options: Partial<Search> = {},
): Promise<{ search: Search; alive: () => number }> {
  const decoder = toyDecoder(model);
  const { logits, cache } = await decoder.start(NO_TENSOR, []);
  const guard = createLoopGuard({ endOfText: model.endOfText, beginsCharacter: () => true }, undefined);
  const search: Search = {
    decoder,
    tokenizer: model,
    cache,
    firstLogits: logits.slice(),
    rules: () => undefined,
    guard,
    limit,
    ...options,
  };
  return { search, alive: decoder.alive };
}

/** Log probability of each next token, in float64, plainly. */
export function logProbabilities(model: ToyModel, history: readonly number[]): number[] {
  const logits = [...model.logits(history)];
  const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
  return logits.map((x) => x - total);
}

/** All texts of up to `limit` tokens, the end of text counted; those that do not end by then among them. */
export function allTexts(model: ToyModel, limit: number): { tokens: number[]; sumLogprob: number }[] {
  const texts: { tokens: number[]; sumLogprob: number }[] = [];
  const follow = (tokens: number[], sumLogprob: number) => {
    if (tokens.length === limit) {
      texts.push({ tokens, sumLogprob });
      return;
    }
    for (const [token, logprob] of logProbabilities(model, tokens).entries()) {
      if (token === model.endOfText) texts.push({ tokens, sumLogprob: sumLogprob + logprob });
      else follow([...tokens, token], sumLogprob + logprob);
    }
  };
  follow([], 0);
  return texts;
}
