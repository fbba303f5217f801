import type { Decoder } from "../inference/decoder.ts";
import { giveWay } from "../inference/give-way.ts";
import type { Tensor } from "../inference/tensor.ts";
import type { WhisperConfig } from "../models/whisper-config.ts";
import type { WhisperTokenizer } from "../models/whisper-tokenizer.ts";
import { createTokenChooser } from "./token-chooser.ts";

/** Decodes greedily until end of text or the length limit. */
export async function decodeGreedily(
  decoder: Decoder,
  config: WhisperConfig,
  tokenizer: WhisperTokenizer,
  hiddenState: Tensor,
  options: {
    prompt: number[];
    onToken?: ((count: number) => void) | undefined;
    signal?: AbortSignal | undefined;
  },
): Promise<{ tokens: number[]; truncated: boolean }> {
  const { prompt, onToken, signal } = options;
  const choose = createTokenChooser(config, tokenizer.noTimestamps);
  const tokens: number[] = [];
  // OpenAI's limit: half the context is left to the previous text.
  const limit = Math.min(config.maxTokens / 2, config.maxTokens - prompt.length);
  await giveWay(signal);
  let { logits, cache } = await decoder.start(hiddenState, prompt);
  try {
    while (tokens.length < limit) {
      const token = choose(logits, tokens.length === 0);
      if (token === tokenizer.endOfText) return { tokens, truncated: false };
      tokens.push(token);
      onToken?.(tokens.length);
      await giveWay(signal);
      const next = await decoder.step(cache, token);
      cache.release();
      ({ logits, cache } = next);
    }
    return { tokens, truncated: true };
  } finally {
    cache.release();
  }
}
