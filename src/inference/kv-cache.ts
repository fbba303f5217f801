import type { Tensor } from "./tensor.ts";

/** Keys and values of the encoder's output: made by the first run, read by all later ones. */
export interface CrossCache {
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Positions of the encoder's output; the tensors may have empty rows behind them. */
  readonly positions: number;
  retain(): CrossCache;
  release(): void;
}

/**
 * What the decoder remembers of a token sequence. A cache never changes: each step makes a new one, so that
 * several continuations (beams, samples) can start from the same.
 */
export interface KvCache {
  /** Tokens that it holds. */
  readonly length: number;
  /** Own keys and values of each layer, by the names of the decoder's inputs. */
  readonly own: Readonly<Record<string, Tensor>>;
  readonly cross: CrossCache;
  /** One more reference; the tensors go with the last. */
  retain(): KvCache;
  release(): void;
}

export function createCrossCache(tensors: Record<string, Tensor>, positions: number): CrossCache {
  let references = 1;
  const cache: CrossCache = {
    tensors,
    positions,
    retain() {
      references++;
      return cache;
    },
    release() {
      if (--references === 0) for (const tensor of Object.values(tensors)) tensor.release();
    },
  };
  return cache;
}

/** Takes over one reference to `cross`, and the logits of the run that made it. */
export function createKvCache(
  length: number,
  own: Record<string, Tensor>,
  cross: CrossCache,
  logits: Tensor,
): KvCache {
  let references = 1;
  const cache: KvCache = {
    length,
    own,
    cross,
    retain() {
      references++;
      return cache;
    },
    release() {
      if (--references > 0) return;
      for (const tensor of Object.values(own)) tensor.release();
      logits.release();
      cross.release();
    },
  };
  return cache;
}
