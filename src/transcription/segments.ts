import { TIMESTAMP_STEP } from "../models/whisper-tokenizer.ts";
import type { Segment } from "./transcription.ts";

/** One decoded window. */
export interface DecodedWindow {
  tokens: readonly number[];
  temperature: number;
  avgLogprob: number;
  compressionRatio: number;
  noSpeechProb: number;
}

/** Where the window lies in the sound. */
export interface WindowPlace {
  /** Second at which it begins, and its length. */
  start: number;
  seconds: number;
}

/** The segments of a window, and where the next one should begin, in seconds after the window's start. */
export interface CutWindow {
  segments: Omit<Segment, "id">[];
  advance: number;
}

/**
 * Cuts a window's tokens into segments at pairs of timestamps, as openai/whisper `transcribe.py` does. A text that ends
 * with a single timestamp says that no speech follows it, so that the whole window is done; after a pair the next window
 * begins where the last finished segment ended. Times that lie beyond the window are set to its end.
 *
 * @param timestampBegin id of the token <|0.00|>
 * @param text turns tokens into text, special ones left out, not trimmed
 */
export function cutIntoSegments(
  decoded: DecodedWindow,
  place: WindowPlace,
  timestampBegin: number,
  text: (tokens: readonly number[]) => string,
): CutWindow {
  const { tokens } = decoded;
  const isTime = (index: number) => tokens[index] !== undefined && tokens[index]! >= timestampBegin;
  const timeAt = (index: number) =>
    Math.min(place.seconds, (tokens[index]! - timestampBegin) * TIMESTAMP_STEP);
  const segments: Omit<Segment, "id">[] = [];
  const add = (from: number, to: number, start: number, end: number) => {
    const part = tokens.slice(from, to);
    const said = text(part.filter((token) => token < timestampBegin));
    // What has no length or no text is a pause; the reference empties such segments.
    if (said.trim() === "" || end <= start) return;
    segments.push({
      seek: Math.round(place.start * 100),
      start: round(place.start + start),
      end: round(place.start + end),
      text: said,
      tokens: part,
      temperature: decoded.temperature,
      avgLogprob: decoded.avgLogprob,
      compressionRatio: decoded.compressionRatio,
      noSpeechProb: decoded.noSpeechProb,
    });
  };

  const last = tokens.length - 1;
  const singleEnding = isTime(last) && !isTime(last - 1);
  const cuts: number[] = [];
  for (let i = 1; i < tokens.length; i++) if (isTime(i - 1) && isTime(i)) cuts.push(i);
  if (cuts.length === 0) {
    let end = place.seconds;
    const times = tokens.filter((token) => token >= timestampBegin);
    const lastTime = times.at(-1);
    if (lastTime !== undefined && lastTime !== timestampBegin) {
      end = Math.min(end, (lastTime - timestampBegin) * TIMESTAMP_STEP);
    }
    add(0, tokens.length, 0, end);
    return { segments, advance: place.seconds };
  }
  if (singleEnding) cuts.push(tokens.length);
  let from = 0;
  for (const to of cuts) {
    add(from, to, timeAt(from), timeAt(to - 1));
    from = to;
  }
  // A window that says it got nowhere would be decoded for ever.
  const advance = singleEnding ? place.seconds : timeAt(from - 1);
  return { segments, advance: advance > 0 ? advance : place.seconds };
}

/** Hundredths are as fine as timestamps get; sums of them are not exact in binary. */
function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
