import type { SoundRing } from "../audio/sound-ring.ts";

/** The samples that are decoded next. */
export interface WindowPlan {
  readonly start: number;
  readonly count: number;
  /** Whether more follows and the window is to be cut at its quietest moment, see {@link quietestCut}. */
  readonly cut: boolean;
  /** Whether the next window begins behind this one, rather than where its last segment ends. */
  readonly whole: boolean;
  /** Whether speech is known to begin at its start. */
  readonly listened?: boolean;
}

/** Decides which samples are decoded next. */
export interface WindowPlanner {
  /** Whether the next window may be planned while one is decoded: it begins where that one ends, and planning is reading alone. */
  readonly plansAhead: boolean;
  /**
   * The window from `position` on, once enough is read; undefined at the end.
   *
   * @param until sample at which it has to end, where speech was passed over; only for windows that go by what is heard
   */
  next(position: number, until?: number): Promise<WindowPlan | undefined>;
}

/** Where a walk goes on. */
export interface NextWindow {
  readonly position: number;
  /** Sample at which the next window has to end; undefined for as far as it can. */
  readonly until: number | undefined;
}

/**
 * Where to go on behind a window, in samples. A walk never stands still: what is to be heard again of a window lies within it
 * and does not reach beyond its end, so that the next window ends there and is `whole`; and any other advance is above 0.
 *
 * @param end sample behind the window's last
 * @param cut seconds after the window's start to go on from, and those at which the next window has to end
 */
export function windowAfter(
  plan: WindowPlan,
  end: number,
  cut: { readonly advance: number; readonly until?: number },
  rate: number,
): NextWindow {
  if (plan.whole) return { position: end, until: undefined };
  const position = plan.start + Math.max(0, Math.round(cut.advance * rate));
  if (cut.until === undefined) return { position: position > plan.start ? position : end, until: undefined };
  const until = Math.min(end, plan.start + Math.round(cut.until * rate));
  return until > position ? { position, until } : { position: end, until: undefined };
}

/** Windows of 30 s from wherever the last one ended, as openai/whisper `transcribe.py` walks. */
export function seekingWindows(sound: SoundRing, windowSamples: number): WindowPlanner {
  return {
    plansAhead: false,
    async next(start, until = Number.POSITIVE_INFINITY) {
      await sound.fill(start + windowSamples);
      const count = Math.min(windowSamples, sound.head - start, until - start);
      return count > 0 ? { start, count, cut: false, whole: start + count === until } : undefined;
    },
  };
}

/** Windows of up to 30 s that end at the quietest moment of their last seconds. */
export function quietlyCutWindows(sound: SoundRing, windowSamples: number): WindowPlanner {
  return {
    plansAhead: true,
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

/** Samples of a frame of 10 ms, those kept before the first sound, and the silence from which on it is worth to skip it. */
const FRAME_SAMPLES = 160;
const LEAD_SAMPLES = 4800;
const LONG_SILENCE = 16000;
/** A frame sounds when its power is above this part of the loudest frame's: -40 dB. */
const SOUNDING = 1e-4;

/**
 * Samples of silence to skip at the start of a window: Whisper was taught that speech begins within a second, and puts what
 * begins later at the window's start.
 *
 * @param samples mono at 16 kHz
 * @returns 0, or up to 0.3 s before the first sound when more than a second of silence precedes it
 */
export function leadingSilence(samples: Float32Array): number {
  const power = (frame: number) => {
    let sum = 0;
    for (let i = frame * FRAME_SAMPLES; i < (frame + 1) * FRAME_SAMPLES; i++) sum += samples[i]! ** 2;
    return sum;
  };
  const frames = Math.floor(samples.length / FRAME_SAMPLES);
  let loudest = 0;
  for (let frame = 0; frame < frames; frame++) loudest = Math.max(loudest, power(frame));
  let first = 0;
  while (first < frames && power(first) <= SOUNDING * loudest) first++;
  const silence = first * FRAME_SAMPLES;
  return first < frames && silence > LONG_SILENCE ? silence - LEAD_SAMPLES : 0;
}

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
