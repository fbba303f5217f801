import { assertOptions, describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { SpeechSoFar } from "./speech-regions.ts";
import type { SpeechRegion } from "./speech-segmenter.ts";

/** How windows are cut; all in samples at 16 kHz. */
export interface WindowOptions {
  /** Longest window. Default 480000, 30 s. */
  maxSamples?: number;
  /** Sound before and after the speech that a window takes in, where there is room. Default 3200, 0.2 s. */
  padding?: number;
  /** Silence that ends a window, at least twice the padding. Default 32000, 2 s. */
  longSilence?: number;
  /** How far from the end of a full window the longest pause is looked for. Default a third of `maxSamples`. */
  pauseSearch?: number;
  /** How far from the end of a full window that has no pause it is cut. Default a sixth of `maxSamples`, 5 s. */
  cutSearch?: number;
}

/** What to do next. */
export type WindowPlan =
  /** Transcribe these samples, and ask again from `start + count` on. */
  | { readonly kind: "window"; readonly start: number; readonly count: number }
  /**
   * Nothing can be said before all up to `until` is decided, unless the sound ends. Samples before `keep` will be in
   * no window.
   */
  | { readonly kind: "more"; readonly until: number; readonly keep: number }
  /** There is no more speech. */
  | { readonly kind: "end" };

interface Limits {
  readonly maxSamples: number;
  readonly padding: number;
  readonly longSilence: number;
  readonly pauseSearch: number;
  readonly cutSearch: number;
}

const MAX_SAMPLES = 480_000;
const PADDING = 3200;
const LONG_SILENCE = 32_000;

function checkLimits(options: WindowOptions): Limits {
  assertOptions(options, "planWindow");
  const integer = (name: keyof WindowOptions, standard: number, least: number, most: number) => {
    const value = options[name] ?? standard;
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`${name} is ${describe(value)}; give an integer from ${least} to ${most}`);
  };
  const maxSamples = integer("maxSamples", MAX_SAMPLES, 1, Number.MAX_SAFE_INTEGER);
  const shortOf = (part: number) => Math.max(1, Math.floor(maxSamples / part));
  const padding = integer("padding", Math.min(PADDING, maxSamples - 1), 0, maxSamples - 1);
  return {
    maxSamples,
    padding,
    longSilence: integer(
      "longSilence",
      Math.max(LONG_SILENCE, 2 * padding),
      Math.max(1, 2 * padding),
      Number.MAX_SAFE_INTEGER,
    ),
    pauseSearch: integer("pauseSearch", shortOf(3), 0, maxSamples),
    cutSearch: integer("cutSearch", shortOf(6), 1, maxSamples),
  };
}

/**
 * The next window to transcribe. It begins with the next speech and ends
 * - before a long silence, or with the sound, if it is not full by then;
 * - else at the longest pause that begins in its last third, or at its last pause;
 * - else, when one region fills it, where speech is least likely in its last five seconds.
 *
 * A pure function: what it says of a sound that is still coming is what it would say of the whole. Windows that follow
 * each other are in order, do not overlap and hold all speech.
 *
 * @param speech what is known; regions that end after `position` must not have been dropped
 * @param position sample from which on nothing has been transcribed, 0 at first
 * @throws InvalidArgumentError when an option is out of range.
 */
export function planWindow(speech: SpeechSoFar, position: number, options: WindowOptions = {}): WindowPlan {
  const limits = checkLimits(options);
  const { maxSamples, padding, longSilence } = limits;
  const { ended, decided, open } = speech;
  const regions = followingRegions(speech, position);
  const first = regions[0];
  if (!first) {
    if (ended) return { kind: "end" };
    return { kind: "more", until: decided + 1, keep: Math.max(position, decided - padding) };
  }
  const start = Math.max(position, first.start - padding);
  const limit = start + maxSamples;
  const window = (end: number): WindowPlan => ({ kind: "window", start, count: end - start });
  const more = (until: number): WindowPlan => ({ kind: "more", until, keep: start });

  for (let i = 0; ; i++) {
    const region = regions[i]!;
    if (region === open && decided <= limit) return more(Math.min(decided + longSilence, limit + 1));
    if (region.end > limit) return window(cutFull(speech, regions, start, limits));
    // The next region begins here, or later. Nothing is known of what lies beyond `decided`.
    const next = regions[i + 1]?.start ?? decided;
    if (next - region.end >= longSilence || next >= limit) {
      return window(Math.min(limit, region.end + padding));
    }
    if (i < regions.length - 1) continue;
    if (ended) return window(Math.min(limit, region.end + padding, decided));
    return more(Math.min(region.end + longSilence, limit));
  }
}

/** Regions that end after `position`, the open one last. */
function followingRegions({ regions, open }: SpeechSoFar, position: number): SpeechRegion[] {
  const following = regions.filter(({ end }) => end > position);
  if (open) following.push(open);
  return following;
}

/** Where a window ends when a region reaches over its limit; all up to there is decided. */
function cutFull(
  speech: SpeechSoFar,
  regions: readonly SpeechRegion[],
  start: number,
  { maxSamples, padding, pauseSearch, cutSearch }: Limits,
): number {
  const limit = start + maxSamples;
  let best: { end: number; length: number } | undefined;
  for (let i = 0; regions[i]!.end <= limit; i++) {
    const { end } = regions[i]!;
    const length = regions[i + 1]!.start - end;
    const isLate = best && best.end >= limit - pauseSearch;
    if (!best || !isLate || length >= best.length) best = { end, length };
  }
  if (best) return best.end + Math.min(padding, Math.floor(best.length / 2));
  const cut = speech.leastLikely(Math.max(start + 1, limit - cutSearch), limit);
  return Math.min(limit, Math.max(start + 1, cut));
}
