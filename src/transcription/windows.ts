import type { SoundRing } from "../audio/sound-ring.ts";

/** The samples that are decoded next. */
export interface WindowPlan {
  readonly start: number;
  readonly count: number;
  /** Whether more follows and the window is to be cut at its quietest moment, see {@link quietestCut}. */
  readonly cut: boolean;
  /** Whether the next window begins behind this one, rather than where its last segment ends. */
  readonly whole: boolean;
}

/** Decides which samples are decoded next. */
export interface WindowPlanner {
  /** The window from `position` on, once enough is read; undefined at the end. */
  next(position: number): Promise<WindowPlan | undefined>;
}

/** Windows of 30 s from wherever the last one ended, as openai/whisper `transcribe.py` walks. */
export function seekingWindows(sound: SoundRing, windowSamples: number): WindowPlanner {
  return {
    async next(start) {
      await sound.fill(start + windowSamples);
      const count = Math.min(windowSamples, sound.head - start);
      return count > 0 ? { start, count, cut: false, whole: false } : undefined;
    },
  };
}

/** Windows of up to 30 s that end at the quietest moment of their last seconds. */
export function quietlyCutWindows(sound: SoundRing, windowSamples: number): WindowPlanner {
  return {
    async next(start) {
      await sound.fill(start + windowSamples + 1);
      const left = sound.head - start;
      if (left <= 0) return undefined;
      return { start, count: Math.min(left, windowSamples), cut: left > windowSamples, whole: true };
    },
  };
}

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
