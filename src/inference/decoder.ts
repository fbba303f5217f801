import * as ort from "#onnxruntime";
import type { Core } from "../core/core.ts";
import { ModelFormatError } from "../core/errors.ts";
import type { BufferPool } from "../pools/buffer-pool.ts";
import { createBufferPool } from "../pools/create-buffer-pool.ts";
import { giveWay } from "./give-way.ts";
import { createSession, runSession } from "./session.ts";
import { createTokenChooser } from "./token-chooser.ts";
import type { WhisperConfig } from "./whisper-config.ts";
import type { WhisperTokenizer } from "./whisper-tokenizer.ts";

export interface DecodeOptions {
  /** Tokens that start the sequence. */
  prompt: number[];
  /** Called with the number of tokens so far. */
  onToken?: ((count: number) => void) | undefined;
  /** Checked before every step. */
  signal?: AbortSignal | undefined;
}

export interface Decoding {
  /** Tokens after the prompt, end of text left out. */
  tokens: number[];
  /** Whether the length limit ended it, rather than the end of text. */
  truncated: boolean;
}

/** Whisper's decoder with its KV cache. */
export interface Decoder {
  /**
   * Decodes greedily until end of text or the length limit.
   *
   * @param hiddenState the encoder's last hidden state
   * @throws InferenceError when onnxruntime-web fails; the signal's reason when it is aborted.
   */
  decode(hiddenState: ort.Tensor, options: DecodeOptions): Promise<Decoding>;
  dispose(): Promise<void>;
}

/** Concurrent decodes that the pools have room for. */
const DECODES = 2;

interface InputPools {
  tokens: BufferPool<"i64">;
  flags: BufferPool<"u8">;
  states: BufferPool<"f32">;
}

/**
 * Loads the merged decoder of a Whisper export. Token ids, the cache switch and the stand-in for the
 * encoder's output go in from pooled buffers.
 *
 * @throws ModelFormatError when the file is broken or no merged decoder.
 * @throws PoolExhaustedError from `decode` when more decodes run at once than the pools allow.
 */
export async function loadDecoder(
  core: Core,
  path: string,
  config: WhisperConfig,
  tokenizer: WhisperTokenizer,
): Promise<Decoder> {
  const pools: InputPools = {
    tokens: createBufferPool(core, {
      name: "decoder_tokens",
      dtype: "i64",
      shape: config.maxTokens,
      max: DECODES,
    }),
    flags: createBufferPool(core, { name: "decoder_flags", dtype: "u8", shape: 1, max: DECODES }),
    states: createBufferPool(core, {
      name: "decoder_states",
      dtype: "f32",
      shape: config.width,
      max: DECODES,
    }),
  };
  const session = await createSession(path);
  const caches = session.inputNames.filter((name) => name.startsWith("past_key_values."));
  if (!session.inputNames.includes("use_cache_branch") || caches.length !== 4 * config.decoderLayers) {
    await session.release();
    throw new ModelFormatError(
      `${path} is no merged Whisper decoder: it has ${caches.length} caches; check that all files are of one model`,
    );
  }
  const choose = createTokenChooser(config, tokenizer.noTimestamps);

  async function decode(hiddenState: ort.Tensor, options: DecodeOptions): Promise<Decoding> {
    using tokens = pools.tokens.acquire();
    using flag = pools.flags.acquire();
    using state = pools.states.acquire();
    const { prompt, onToken, signal } = options;
    tokens.view.set(prompt.map(BigInt));
    flag.view[0] = 0;
    const empty = new ort.Tensor("float32", state.view.subarray(0, 0), [
      1,
      config.decoderHeads,
      0,
      config.width / config.decoderHeads,
    ]);
    const feeds: Record<string, ort.Tensor> = {
      input_ids: new ort.Tensor("int64", tokens.view.subarray(0, prompt.length), [1, prompt.length]),
      encoder_hidden_states: hiddenState,
      use_cache_branch: new ort.Tensor("bool", flag.view, [1]),
    };
    for (const name of caches) feeds[name] = empty;

    const decoded: number[] = [];
    let fetches = ["logits", ...caches.map(presentName)];
    // OpenAI's limit: half the context is left to the previous text.
    const limit = Math.min(config.maxTokens / 2, config.maxTokens - prompt.length);
    while (decoded.length < limit) {
      await giveWay(signal);
      const outputs = await runSession(session, "decoder", feeds, fetches);
      const token = choose(outputs.logits!, decoded.length === 0);
      if (token === tokenizer.endOfText) return { tokens: decoded, truncated: false };
      decoded.push(token);
      onToken?.(decoded.length);
      if (decoded.length === 1) {
        // From here on the cross-attention cache stays as it is, so only the decoder's own caches are
        // fetched, and the encoder's output is no longer read: one row stands in for it.
        flag.view[0] = 1;
        fetches = ["logits", ...caches.filter((name) => name.includes(".decoder.")).map(presentName)];
        state.view.fill(0);
        feeds.encoder_hidden_states = new ort.Tensor("float32", state.view, [1, 1, config.width]);
        feeds.input_ids = new ort.Tensor("int64", tokens.view.subarray(0, 1), [1, 1]);
      }
      tokens.view[0] = BigInt(token);
      for (const name of caches) feeds[name] = outputs[presentName(name)] ?? feeds[name]!;
    }
    return { tokens: decoded, truncated: true };
  }

  return { decode, dispose: () => session.release() };
}

function presentName(past: string): string {
  return past.replace("past_key_values", "present");
}
