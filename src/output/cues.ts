import { InvalidArgumentError } from "../core/errors.ts";
import type { Segment, Word } from "../transcription/transcription.ts";
import { milliseconds } from "./format-time.ts";
import type { FormatOptions } from "./format-writer.ts";

/** A subtitle before it is written: what is shown from `start` to `end`, in seconds. */
export interface Cue {
  start: number;
  end: number;
  /** Its words with the spaces and line breaks before them, or the whole text as one. */
  parts: readonly string[];
  /** Index of the part that is being said, where words are highlighted. */
  said?: number;
}

/** Lays out segments as cues, one after another. */
export interface CueLayout {
  /** Cues that the segment completes. */
  add(segment: Segment): Cue[];
  /** The cue that was still open. */
  flush(): Cue[];
}

/** Without a limit, as in the reference. */
const UNLIMITED = 1000;
/** Seconds between the beginnings of two words that end a cue which runs across segments. */
const LONG_PAUSE = 3;

/**
 * The cues of openai/whisper `utils.py`, `SubtitlesWriter.iterate_result`: one a segment as long as segments have
 * no words, otherwise as `options` say. Differences, where the reference would write a broken file: no cue of
 * negative length fills the gap between overlapping words.
 *
 * @throws InvalidArgumentError when a segment has no words though an option or the first segment calls for
 * them, or a time is negative or not finite.
 */
export function createCueLayout(options: FormatOptions): CueLayout {
  const needs = (["maxLineWidth", "maxLineCount", "maxWordsPerLine", "highlightWords"] as const).find(
    (name) => options[name] !== undefined && options[name] !== false,
  );
  let words: ReturnType<typeof createWordLayout> | undefined;
  let first = true;
  return {
    add(segment) {
      assertTimes(segment, `segment ${segment.id}`);
      const reason = needs ?? (words && "an earlier segment with words");
      if (segment.words === undefined && reason !== undefined) {
        throw new InvalidArgumentError(
          `${reason} needs the times of words, segment ${segment.id} has none; transcribe with timestamps: "word"`,
        );
      }
      if (first && segment.words !== undefined) words = createWordLayout(options);
      first = false;
      if (!words) return [{ start: segment.start, end: segment.end, parts: [segment.text.trim()] }];
      for (const word of segment.words!) assertTimes(word, `word ${JSON.stringify(word.word)}`);
      return words.add(segment.words!);
    },
    flush: () => words?.flush() ?? [],
  };
}

function assertTimes({ start, end }: { start: number; end: number }, name: string): void {
  for (const time of [start, end]) {
    if (Number.isFinite(time) && time >= 0) continue;
    throw new InvalidArgumentError(`${name} goes from ${start} to ${end} s; give finite times of 0 or more`);
  }
}

function createWordLayout(options: FormatOptions) {
  const { maxLineCount, maxLineWidth, maxWordsPerLine = UNLIMITED, highlightWords = false } = options;
  const width = maxLineWidth ?? UNLIMITED;
  // Without both limits each cue stays within its segment.
  const acrossSegments = maxLineCount !== undefined && maxLineWidth !== undefined;
  let open: Word[] = [];
  let lineLength = 0;
  let lines = 1;
  let last: number | undefined;

  const close = (): Cue[] => {
    const cues = open.length === 0 ? [] : highlightWords ? highlighted(open) : [plain(open)];
    open = [];
    lineLength = 0;
    lines = 1;
    return cues;
  };

  function place(word: Word): Cue[] {
    const cues: Cue[] = [];
    const longPause = acrossSegments && last !== undefined && word.start - last > LONG_PAUSE;
    let text = word.word;
    if (lineLength > 0 && !longPause && lineLength + codePoints(text) <= width) {
      lineLength += codePoints(text);
    } else {
      text = text.trim();
      if (open.length > 0 && maxLineCount !== undefined && (longPause || lines >= maxLineCount)) {
        cues.push(...close());
      } else if (lineLength > 0) {
        lines++;
        text = `\n${text}`;
      }
      lineLength = codePoints(text.trim());
    }
    open.push({ ...word, word: text });
    last = word.start;
    return cues;
  }

  return {
    add(words: readonly Word[]): Cue[] {
      const cues: Cue[] = [];
      for (let i = 0; i < words.length; i++) {
        if (!acrossSegments && i % maxWordsPerLine === 0) cues.push(...close());
        cues.push(...place(words[i]!));
      }
      // The next segment begins a cue of its own, so this one need not wait for it.
      if (!acrossSegments) cues.push(...close());
      return cues;
    },
    flush: close,
  };
}

/** Python's `len`, which the widths are given in. */
function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function plain(words: readonly Word[]): Cue {
  return { start: words[0]!.start, end: words.at(-1)!.end, parts: words.map(({ word }) => word) };
}

/** One cue a word, and cues that highlight none for the gaps between words. */
function highlighted(words: readonly Word[]): Cue[] {
  const { parts, start: first } = plain(words);
  const cues: Cue[] = [];
  let last = first;
  for (const [said, { start, end }] of words.entries()) {
    if (milliseconds(start) > milliseconds(last)) cues.push({ start: last, end: start, parts });
    cues.push({ start, end, parts, said });
    last = end;
  }
  return cues;
}
