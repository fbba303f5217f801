import type { Decoder } from "../inference/decoder.ts";
import type { Tensor } from "../inference/tensor.ts";
import type { WhisperConfig } from "../models/whisper-config.ts";
import type { WhisperTokenizer } from "../models/whisper-tokenizer.ts";
import { type AlignmentOptions, alignWords, type WordTiming } from "./align-words.ts";
import { mergePunctuation } from "./merge-punctuation.ts";

/** A word and when it was said, in seconds from the start of the sound, rounded to 10 ms. */
export interface TimedWord {
  word: string;
  start: number;
  end: number;
  /** Mean probability of its tokens, 0 to 1. */
  probability: number;
}

/** A stretch of a window, in seconds from the start of the sound. */
export interface SegmentSpan {
  readonly start: number;
  readonly end: number;
  readonly tokens: readonly number[];
}

/** The same stretch, its ends moved to those of its words. */
export interface WordedSpan {
  start: number;
  end: number;
  words: TimedWord[];
}

export interface WordTimesOptions extends AlignmentOptions {
  /** Seconds from the start of the sound to that of the window. */
  readonly offset: number;
  /** Where the last segment of the window before ended; 0 by default. */
  readonly lastSpeechEnd?: number | undefined;
}

/** Longest that a word of usual length is taken to be, in seconds. */
const LONGEST_MEDIAN = 0.7;
const SENTENCE_ENDS = ".。!！?？";

/**
 * Finds the words of a window's segments and when they were said (openai/whisper `timing.py`,
 * `add_word_timestamps`): alignment, punctuation joined to its words, overlong words cut at sentence and segment
 * boundaries.
 *
 * @param hiddenState the encoder's output for the window; it stays the caller's
 * @returns a span for each segment, and where the last one ended, which the next window needs.
 * @throws ModelFormatError when the export has no cross-attentions.
 * @throws InferenceError when the decoder fails; the signal's reason when it is aborted.
 */
export async function findWordTimes(
  decoder: Pick<Decoder, "attend" | "vocabularySize">,
  config: Pick<WhisperConfig, "alignmentHeads">,
  tokenizer: WhisperTokenizer,
  hiddenState: Tensor,
  segments: readonly SegmentSpan[],
  options: WordTimesOptions,
): Promise<{ segments: WordedSpan[]; lastSpeechEnd: number }> {
  const { offset, lastSpeechEnd = 0 } = options;
  const texts = segments.map(({ tokens }) => tokens.filter((token) => token < tokenizer.endOfText));
  const timings = await alignWords(decoder, config, tokenizer, hiddenState, texts.flat(), options);
  const median = usualDuration(timings);
  cutAtSentenceEnds(timings, 2 * median);
  const words = mergePunctuation(timings);

  const spans: WordedSpan[] = [];
  let speechEnd = lastSpeechEnd;
  let next = 0;
  for (const [i, { start, end }] of segments.entries()) {
    const span: WordedSpan = { start, end, words: [] };
    let saved = 0;
    while (next < words.length && saved < texts[i]!.length) {
      const timing = words[next++]!;
      saved += timing.tokens.length;
      if (timing.word !== "") span.words.push(timedWord(timing, offset));
    }
    if (span.words.length > 0) {
      cutAtSegmentEnds(span, speechEnd, median);
      speechEnd = span.end;
    }
    spans.push(span);
  }
  return { segments: spans, lastSpeechEnd: speechEnd };
}

function timedWord({ word, start, end, probability }: WordTiming, offset: number): TimedWord {
  return { word, start: round(offset + start), end: round(offset + end), probability };
}

function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}

/** Median duration of the words that take time, at most 0.7 s; 0 without any. */
function usualDuration(timings: readonly WordTiming[]): number {
  const durations = timings.map(({ start, end }) => end - start).filter((duration) => duration > 0);
  if (durations.length === 0) return 0;
  durations.sort((a, b) => a - b);
  const middle = durations.length >> 1;
  const median =
    durations.length % 2 ? durations[middle]! : (durations[middle - 1]! + durations[middle]!) / 2;
  return Math.min(LONGEST_MEDIAN, median);
}

/** A word that swallowed the pause at the end of a sentence gives it back. */
function cutAtSentenceEnds(timings: WordTiming[], longest: number): void {
  if (longest === 0) return;
  for (const [i, timing] of timings.entries()) {
    if (i === 0 || timing.end - timing.start <= longest) continue;
    if (SENTENCE_ENDS.includes(timing.word)) timing.end = timing.start + longest;
    else if (SENTENCE_ENDS.includes(timings[i - 1]!.word)) timing.start = timing.end - longest;
  }
}

/** Likewise after a pause and at the ends of a segment, where the segment's own times are the better ones. */
function cutAtSegmentEnds(span: WordedSpan, lastSpeechEnd: number, median: number): void {
  const longest = 2 * median;
  const first = span.words[0]!;
  const second = span.words[1];
  const last = span.words.at(-1)!;
  const tooLong = first.end - first.start > longest || (second && second.end - first.start > 2 * longest);
  if (first.end - lastSpeechEnd > 4 * median && tooLong) {
    if (second && second.end - second.start > longest) {
      const boundary = Math.max(second.end / 2, second.end - longest);
      first.end = boundary;
      second.start = boundary;
    }
    first.start = Math.max(0, first.end - longest);
  }
  if (span.start < first.end && span.start - 0.5 > first.start) {
    first.start = Math.max(0, Math.min(first.end - median, span.start));
  } else span.start = first.start;
  if (span.end > last.start && span.end + 0.5 < last.end) {
    last.end = Math.max(last.start + median, span.end);
  } else span.end = last.end;
}
