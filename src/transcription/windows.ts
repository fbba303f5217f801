/** Samples at the end of a window among which a cut is looked for, and the length of a pause, at 16 kHz. */
const SEARCH_SAMPLES = 5 * 16000;
const PAUSE_SAMPLES = 3200;
const STEP_SAMPLES = 800;

/**
 * Where to cut a window that more speech follows: the middle of the quietest fifth of a second in its
 * last five seconds, so that a word is not cut in two.
 *
 * @param samples mono at 16 kHz, the whole window
 * @returns the number of samples before the cut.
 */
export function quietestCut(samples: Float32Array): number {
  let best = samples.length;
  let least = Number.POSITIVE_INFINITY;
  for (
    let end = samples.length;
    end - PAUSE_SAMPLES >= samples.length - SEARCH_SAMPLES;
    end -= STEP_SAMPLES
  ) {
    const start = end - PAUSE_SAMPLES;
    let energy = 0;
    for (let i = start; i < end; i++) energy += samples[i]! ** 2;
    if (energy < least) {
      least = energy;
      best = start + PAUSE_SAMPLES / 2;
    }
  }
  return best;
}
