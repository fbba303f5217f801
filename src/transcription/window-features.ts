import type { FrontEnd } from "../features/front-end.ts";

/** Samples from one frame to the next. */
const HOP = 160;
/** Frames at each end of a clip in which its beginning and end sound like a click. */
const EDGE = 2;
/**
 * Standard deviation of the frames' mean log-mel, in units of 40 dB, below which a window is steady: 1 dB, and 0.64 dB for less
 * than a second. Measured: tones 0, white and pink noise 0.57 dB; pieces of speech of 0.5 s at least 0.77 dB, of a second at
 * least 3.2, between pauses at least 6.5.
 */
const STEADY = 0.025;
const STEADY_SHORT = 0.016;
const SHORT_FRAMES = 100;

/** The features of a window, as long as the encoder is given them. */
export interface WindowFeatures {
  /** [mels × frames] float32, a view of the start of the mel buffer. */
  view: Float32Array;
  /** Whether there is nothing to hear but a sound that never changes, where Whisper would make words up. */
  steady: boolean;
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
  const heard = Math.min(frames, Math.floor(count / HOP));
  const limit = heard < SHORT_FRAMES ? STEADY_SHORT : STEADY;
  return { view: mel.subarray(0, mels * frames), steady: deviation(mel, mels, frames, heard) < limit };
}

/** Standard deviation of the mean over the mels, over the first `heard` frames without those at the ends; 0 for fewer than two. */
function deviation(mel: Float32Array, mels: number, frames: number, heard: number): number {
  const count = heard - 2 * EDGE;
  if (count < 2) return 0;
  let sum = 0;
  let squares = 0;
  for (let i = EDGE; i < heard - EDGE; i++) {
    let mean = 0;
    for (let m = 0; m < mels; m++) mean += mel[m * frames + i]!;
    mean /= mels;
    sum += mean;
    squares += mean * mean;
  }
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}
