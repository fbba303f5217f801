import type { FrameShape, FrameStacking, FrontEndDescription } from "./description.ts";

/** ⌊a / b⌋ without a fraction on the way: code that is not optimised yet allocates for each. */
function quotient(a: number, b: number): number {
  return a < 0 ? Math.floor(a / b) : (a - (a % b)) / b;
}

/** Samples of frame 0 left of the first sample. */
export function samplesBefore(frame: FrameShape): number {
  if (frame.left !== undefined) return frame.left;
  if (frame.edges === "snip") return 0;
  // Kaldi centres frames on their hops; torch.stft and librosa centre the transform, and the window in it.
  if (frame.edges === "mirror") return quotient(frame.length, 2) - quotient(frame.hop, 2);
  return quotient(frame.fft, 2) - quotient(frame.fft - frame.length, 2);
}

/** Frames that a clip of `samples` makes, before stacking. */
export function framesOf(frame: FrameShape, samples: number): number {
  const { length, hop, edges } = frame;
  if (samples < 1) return 0;
  if (frame.left !== undefined) return quotient(samples + hop - 1, hop);
  if (edges === "snip") return samples < length ? 0 : 1 + quotient(samples - length, hop);
  if (edges === "mirror") return quotient(samples + quotient(hop, 2), hop);
  // The padding on both sides, half the transform each, is one sample short of a transform of odd length.
  return quotient(samples - (frame.fft % 2), hop) + (frame.dropLast ? 0 : 1);
}

/** How many of `frames` frames have to be computed, as they touch one of the first `samples` samples. */
export function touchedFrames(description: FrontEndDescription, samples: number, frames: number): number {
  const frame = description.frame!;
  // Silence has noise and an energy of its own: it is computed too.
  if (description.dither || description.energy) return frames;
  // Pre-emphasis lets the last sample be felt one later.
  const end = samples + (description.preEmphasis?.over === "signal" ? 1 : 0);
  return Math.min(frames, quotient(end + samplesBefore(frame) - 1, frame.hop) + 1);
}

/** Stacked vectors that `frames` frames make; while a stream goes on, only those that are whole. */
export function vectorsOf(stacking: FrameStacking | undefined, frames: number, ended = true): number {
  if (!stacking) return frames;
  const { frames: stacked, step, left = 0, incomplete = "repeat" } = stacking;
  if (ended && incomplete === "repeat") return quotient(frames + step - 1, step);
  return Math.max(0, quotient(frames - stacked + left, step) + 1);
}
