import type { CutWindow, WindowPlace } from "./segments.ts";
import type { WindowSound } from "./window-sound.ts";

/** Seconds of sound that must have been heard before the pace is known. */
const LEAST_HEARD = 20;
/** Seconds of sound, at the pace so far, that a segment's text falls short of when a sentence was passed over. */
const MISSING = 4;
/** Seconds of sound that are in no segment when speech was passed over: breath and noises are shorter. */
const UNCOVERED = 1;

/** A window and where to go on from it. */
export interface CheckedWindow extends CutWindow {
  /** Where the next window has to end, in seconds after this one's start; undefined for as far as it can. */
  readonly until?: number;
}

/** Watches that all speech of a sound gets into segments. */
export interface SpeechWatch {
  /**
   * Looks for speech that the decoder passed over: now and then Whisper leaves a whole sentence out, or ends a window's text
   * before its end. What it left out is heard in a short window of its own, or in one that begins there.
   *
   * @param cut a window's segments, set to their sound
   * @param textBelow tokens below this id are text
   * @returns the window up to before what was passed over, to go on from there; or as it is.
   */
  check(
    cut: CutWindow,
    place: WindowPlace,
    sound: Pick<WindowSound, "sounding" | "longestPause">,
    textBelow: number,
  ): CheckedWindow;
}

/** Begins to watch a sound; it learns the pace: tokens of text for each second that is no pause. */
export function createSpeechWatch(): SpeechWatch {
  let tokens = 0;
  let seconds = 0;
  /** Whether this window begins with what was behind the segments of the one before. */
  let behind = false;
  return {
    check(cut, place, sound, textBelow) {
      const second = behind;
      behind = false;
      const goOn = (count: number, advance: number, until?: number): CheckedWindow => ({
        segments: cut.segments.slice(0, count),
        advance,
        ...(until !== undefined && { until }),
      });
      let covered = 0;
      for (const [i, segment] of cut.segments.entries()) {
        const [start, end] = [segment.start - place.start, segment.end - place.start];
        if (sound.sounding(covered, start) >= UNCOVERED) return goOn(i, covered, start);
        const heard = sound.sounding(start, end);
        const said = segment.tokens.filter((token) => token < textBelow).length;
        const missing = seconds >= LEAST_HEARD ? heard - said * (seconds / tokens) : 0;
        if (missing > MISSING) return goOn(i, start, sound.longestPause(start, end)?.from ?? end);
        tokens += said;
        seconds += heard;
        covered = end;
      }
      // Once: what is no speech would be tried again and again.
      if (!second && covered > 0 && sound.sounding(covered, cut.advance) >= UNCOVERED) {
        behind = true;
        return goOn(cut.segments.length, covered);
      }
      return cut;
    },
  };
}
