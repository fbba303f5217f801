import type { Core } from "../core/core.ts";
import { InferenceError } from "../core/errors.ts";
import type { WhisperConfig } from "../models/whisper-config.ts";
import type { GraphOptions } from "./encoder.ts";
import type { KvCache } from "./kv-cache.ts";
import { loadInOrder } from "./load-in-order.ts";
import { loadMergedDecoder } from "./merged-decoder.ts";
import { ProviderLostError } from "./provider-lost.ts";
import type { Session } from "./session.ts";
import { loadStaticDecoder } from "./static-decoder.ts";
import type { Tensor } from "./tensor.ts";

/** What the decoder says after a run. */
export interface DecoderStep {
  /**
   * [tokens × vocabulary] float32: a row for each token that went in. A view, valid until the cache is
   * released or any session runs again.
   */
  readonly logits: Float32Array;
  /** The tokens so far; the caller's to release. */
  readonly cache: KvCache;
}

/** Attention of one decoder layer over the encoder's positions, as probabilities. */
export interface CrossAttention {
  readonly layer: number;
  readonly heads: number;
  readonly tokens: number;
  readonly positions: number;
  /** [heads × tokens × positions] float32, the caller's to keep. */
  readonly weights: Float32Array;
}

/** Whisper's decoder, a step at a time. */
export interface Decoder {
  /** What runs a step, now. */
  readonly session: Session;
  readonly vocabularySize: number;
  /** Whether the export has the attentions that word times need ("cross_attentions.N" outputs). */
  readonly hasCrossAttentions: boolean;
  /**
   * Runs the tokens that start a text, and makes both caches.
   *
   * @param hiddenState the encoder's output; it stays the caller's
   * @throws InferenceError when the provider fails.
   * @throws ModelFormatError when the logits are not those of the vocabulary.
   */
  start(hiddenState: Tensor, tokens: readonly number[]): Promise<DecoderStep>;
  /** Runs one more token after those of `cache`, which stays the caller's. */
  step(cache: KvCache, token: number): Promise<DecoderStep>;
  /**
   * Runs a whole text for its cross-attentions.
   *
   * @throws ModelFormatError when the export has none.
   */
  attend(
    hiddenState: Tensor,
    tokens: readonly number[],
    layers: readonly number[],
  ): Promise<{ attentions: CrossAttention[]; logits: Float32Array }>;
  release(): Promise<void>;
}

/** How to load a decoder. */
export interface DecoderOptions extends GraphOptions {
  /**
   * Unpacks 8-bit embeddings once, at load, not at each token: a step of Wasm takes a third to a half less time,
   * loading half a second more, and memory grows by some 400 MB (base). Default false.
   */
  readonly fast?: boolean;
  /** Put behind the names of the pools, where a core holds those of another decoder. */
  readonly poolSuffix?: string;
}

/**
 * Loads the merged decoder of a Whisper export: on WebNN, which takes neither branches nor free sizes, as graphs of fixed
 * sizes made of it, elsewhere as it is. When its provider fails in a run and all caches with it, the decoder moves to
 * the next one, and the window is to be run again.
 *
 * @throws ModelFormatError when the file is broken or no merged decoder.
 * @throws PoolExhaustedError from the runs when more go on at once than the pools allow.
 */
export function loadDecoder(
  core: Core,
  path: string,
  config: WhisperConfig,
  given: DecoderOptions = {},
): Promise<Decoder> {
  const poolSuffix = `${given.poolSuffix ?? ""}_next`;
  return loadInOrder("decoder", given, {
    fixed: (options) => loadStaticDecoder(core, path, config, options),
    free: (options) => loadMergedDecoder(core, path, config, options),
    rest: (options) => loadDecoder(core, path, config, { ...options, poolSuffix }),
    movable: movableDecoder,
  });
}

/**
 * A decoder that moves to another provider, once, when its own fails. What needs the encoder's output alone is repeated there;
 * caches stay behind, so that a step that failed is told as a lost provider.
 */
export function movableDecoder(first: Decoder, move: (cause: InferenceError) => Promise<Decoder>): Decoder {
  let current = first;
  let moving: Promise<Decoder> | undefined;
  async function attempt<T>(run: (decoder: Decoder) => Promise<T>, needsCache: boolean): Promise<T> {
    if (moving) current = await moving;
    const decoder = current;
    try {
      return await run(decoder);
    } catch (cause) {
      if (decoder !== first || !(cause instanceof InferenceError)) throw cause;
      moving ??= move(cause);
      try {
        current = await moving;
      } catch {
        // No other provider takes it either, which is reported: the failure itself tells most.
        moving = undefined;
        throw cause;
      }
      if (!needsCache) return run(current);
      throw new ProviderLostError(
        `${first.session.provider} failed with the decoder's caches (${cause.message}); run the window again`,
        { cause },
      );
    }
  }
  return {
    get session() {
      return current.session;
    },
    vocabularySize: first.vocabularySize,
    get hasCrossAttentions() {
      return current.hasCrossAttentions;
    },
    start: (hiddenState, tokens) => attempt((decoder) => decoder.start(hiddenState, tokens), false),
    step: (cache, token) => attempt((decoder) => decoder.step(cache, token), true),
    attend: (hiddenState, tokens, layers) =>
      attempt((decoder) => decoder.attend(hiddenState, tokens, layers), false),
    async release() {
      const moved = await moving?.catch(() => undefined);
      await moved?.release();
      try {
        await first.release();
      } catch (error) {
        // What moved away from its provider may have lost all that there was to release.
        if (!moved) throw error;
      }
    },
  };
}
