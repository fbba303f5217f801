import type { FrontEnd } from "../features/front-end.ts";

/** Value of every mel of a window of zeros: (log10(1e-10) + 4) / 4. */
const SILENCE = -1.5;

/** The features of a window, as long as the encoder is given them. */
export interface WindowFeatures {
  /** [mels × frames] float32, a view of the start of the mel buffer. */
  view: Float32Array;
  /** Whether every sample was 0: nothing to hear, and Whisper would make words up. */
  silent: boolean;
}

/**
 * Computes a window's log-mel as for the padded 30 s, whose maximum sets the floor, and keeps its first frames.
 *
 * @param samples pooled view of the window; zeros past its end are not needed
 * @param count samples of the window
 * @param mel pooled view [mels × 3000]; holds the result from its start
 * @param frames how many to keep
 * @throws NonFiniteSamplesError
 */
export function windowFeatures(
  frontEnd: FrontEnd,
  samples: Float32Array,
  count: number,
  mel: Float32Array,
  frames: number,
): WindowFeatures {
  frontEnd.compute(samples, mel, count);
  const mels = frontEnd.features;
  const all = mel.length / mels;
  // Rows move towards the start, so that none is overwritten before it has moved.
  if (frames < all) for (let m = 1; m < mels; m++) mel.copyWithin(m * frames, m * all, m * all + frames);
  const view = mel.subarray(0, mels * frames);
  // Silence is -1.5 to the last bit in every mel; any sound raises at least the greatest of them.
  return { view, silent: view.every((x) => x === SILENCE) };
}
