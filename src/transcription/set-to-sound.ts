import type { CutWindow, WindowPlace } from "./segments.ts";
import type { WindowSound } from "./window-sound.ts";

/** Seconds that a segment's end is moved at most to lie at a pause: what the decoder's timestamps are off by. */
const REACH = 0.5;
/** Seconds of silence left before a segment's first sound and behind its last. */
const MARGIN = 0.05;
/** Seconds of silence before the next window's first sound, at most half of the pause. */
const LEAD = 0.3;
/** Shortest segment, in seconds, that is left of a longer one. */
const LEAST = 0.1;

/**
 * Moves the ends of a window's segments to where sound begins and ends. Whisper lets a segment begin where the one before ended
 * and is off by some tenths of a second: a start within a pause, or near one, goes to its end; an end to its beginning
 * (as stable-ts does with its `suppress_silence`). The next window begins within the pause, too, so that no word is cut in two.
 *
 * @returns the segments and advance anew; text and order are as before, and no segment overlaps another
 */
export function setToSound(cut: CutWindow, place: WindowPlace, sound: Pick<WindowSound, "pause">): CutWindow {
  const segments: CutWindow["segments"] = [];
  let before = 0;
  for (const segment of cut.segments) {
    const [oldStart, oldEnd] = [segment.start - place.start, segment.end - place.start];
    let start = Math.max(before, startOfSound(oldStart, sound));
    let end = endOfSound(oldEnd, sound);
    const least = Math.min(LEAST, oldEnd - oldStart);
    if (end - start < least) {
      start = Math.max(before, oldStart);
      end = Math.min(place.seconds, Math.max(start + least, oldEnd));
    }
    segments.push(rounded({ ...segment, start: place.start + start, end: place.start + end }));
    before = end;
  }
  return {
    segments: segments.filter(({ start, end }) => end > start),
    advance: Math.max(before, advanceToSound(cut.advance, place, sound)),
  };
}

function startOfSound(time: number, sound: Pick<WindowSound, "pause">, reach = REACH): number {
  const pause = sound.pause(time, reach);
  return pause ? Math.max(pause.from, pause.to - MARGIN) : time;
}

function endOfSound(time: number, sound: Pick<WindowSound, "pause">, reach = REACH): number {
  const pause = sound.pause(time, reach);
  return pause ? Math.min(pause.to, pause.from + MARGIN) : time;
}

/**
 * Cuts words back that reach into a pause: the attention that they are aligned by spreads over silence. A segment begins and ends
 * with its words.
 */
export function wordsToSound(
  segment: CutWindow["segments"][number],
  place: WindowPlace,
  sound: Pick<WindowSound, "pause">,
): CutWindow["segments"][number] {
  if (!segment.words || segment.words.length === 0) return segment;
  const words = segment.words.map((word) => {
    const [oldStart, oldEnd] = [word.start - place.start, word.end - place.start];
    const start = Math.max(oldStart, startOfSound(oldStart, sound, 0));
    const end = Math.min(oldEnd, endOfSound(oldEnd, sound, 0));
    if (end - start < Math.min(LEAST, oldEnd - oldStart)) return word;
    return rounded({ ...word, start: place.start + start, end: place.start + end });
  });
  return { ...segment, start: words[0]!.start, end: words.at(-1)!.end, words };
}

/** Where the next window begins: at the end of this one as before, else within the pause. */
function advanceToSound(advance: number, place: WindowPlace, sound: Pick<WindowSound, "pause">): number {
  if (advance >= place.seconds) return advance;
  const pause = sound.pause(advance, REACH);
  if (!pause) return advance;
  const moved = pause.to - Math.min(LEAD, (pause.to - pause.from) / 2);
  return moved > 0 && moved < place.seconds ? moved : advance;
}

/** Hundredths are as fine as frames are. */
function rounded<T extends { readonly start: number; readonly end: number }>(span: T): T {
  return { ...span, start: Math.round(span.start * 100) / 100, end: Math.round(span.end * 100) / 100 };
}
