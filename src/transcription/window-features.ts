import type { FrontEnd } from "../features/front-end.ts";

/** Samples from one frame to the next. */
const HOP = 160;
/**
 * Standard deviation of the frames' mean log-mel below which a window is steady: 1 dB. Silence, tones, hum and white or pink noise
 * stay below 0.6 dB, speech is above 3 dB (57 clips of LibriSpeech and pieces of them from 0.5 s on).
 */
const STEADY = 0.025;

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
  return { view: mel.subarray(0, mels * frames), steady: deviation(mel, mels, frames, heard) < STEADY };
}

/** Standard deviation over the first `heard` frames of each frame's mean over the mels. */
function deviation(mel: Float32Array, mels: number, frames: number, heard: number): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < heard; i++) {
    let mean = 0;
    for (let m = 0; m < mels; m++) mean += mel[m * frames + i]!;
    mean /= mels;
    sum += mean;
    squares += mean * mean;
  }
  return Math.sqrt(Math.max(0, squares / heard - (sum / heard) ** 2));
}
