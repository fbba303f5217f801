import type { CutWindow, WindowPlace } from "./segments.ts";
import type { WindowSound } from "./window-sound.ts";

/** Seconds of sound that must have been heard before the pace is known. */
const LEAST_HEARD = 20;
/** Seconds of sound, at the pace so far, that a segment's text falls short of when a sentence was passed over. */
const MISSING = 4;
/** Seconds after a window's start from which on another window can begin. */
const LEAST_ADVANCE = 1;

/** Knows how much is said a second in one sound. */
export interface PaceWatch {
  /**
   * Looks for a segment whose text is far too short for its sound: now and then Whisper passes over a whole sentence in the
   * middle of a window, and hears it in a window that begins there.
   *
   * @param textBelow tokens below this id are text
   * @returns the window up to before that segment, to go on from there; or as it is. A window's first segment is taken as
   * it is, so that nothing is tried twice.
   */
  check(
    cut: CutWindow,
    place: WindowPlace,
    sound: Pick<WindowSound, "sounding">,
    textBelow: number,
  ): CutWindow;
}

/** Begins to watch the pace of a sound: tokens of text for each second that is no pause. */
export function createPaceWatch(): PaceWatch {
  let tokens = 0;
  let seconds = 0;
  return {
    check(cut, place, sound, textBelow) {
      for (const [i, segment] of cut.segments.entries()) {
        const start = segment.start - place.start;
        const heard = sound.sounding(start, segment.end - place.start);
        const said = segment.tokens.filter((token) => token < textBelow).length;
        const missing = seconds >= LEAST_HEARD ? heard - said * (seconds / tokens) : 0;
        if (i > 0 && missing > MISSING && start > LEAST_ADVANCE) {
          return { segments: cut.segments.slice(0, i), advance: start };
        }
        tokens += said;
        seconds += heard;
      }
      return cut;
    },
  };
}
