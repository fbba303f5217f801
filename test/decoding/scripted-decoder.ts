import type { Decoder } from "../../src/inference/decoder.ts";
import { createCrossCache, createKvCache, type KvCache } from "../../src/inference/kv-cache.ts";
import type { WhisperConfig } from "../../src/models/whisper-config.ts";
import { NO_TENSOR } from "./toy-decoder.ts";

/**
 * A decoder of a real vocabulary that wants to say a given text, whatever it hears: a stand-in for a model in
 * a loop, which no recording makes a real one fall into reliably.
 *
 * @param next the likeliest token after those sampled so far; `certainty` is how far its logit is above the rest
 */
export function scriptedDecoder(
  config: Pick<WhisperConfig, "vocabularySize">,
  next: (sampled: readonly number[]) => number,
  certainty = 30,
) {
  let steps = 0;
  const histories = new WeakMap<KvCache, readonly number[]>();
  const run = (sampled: readonly number[], rows: number) => {
    const logits = new Float32Array(rows * config.vocabularySize);
    logits[(rows - 1) * config.vocabularySize + next(sampled)] = certainty;
    const cache = createKvCache(rows + sampled.length, {}, createCrossCache({}, 1), NO_TENSOR);
    histories.set(cache, sampled);
    return { logits, cache };
  };
  const decoder: Decoder = {
    session: undefined as never,
    vocabularySize: config.vocabularySize,
    hasCrossAttentions: false,
    start: async (_, tokens) => run([], tokens.length),
    async step(cache, token) {
      steps++;
      return run([...histories.get(cache)!, token], 1);
    },
    attend: () => Promise.reject(new Error("not scripted")),
    release: async () => undefined,
  };
  return { decoder, steps: () => steps };
}
