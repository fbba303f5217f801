import type { Segment, Word } from "../transcription/transcription.ts";
import type { FormatOptions, FormatWriter } from "./format-writer.ts";

/**
 * A segment with the names of openai/whisper `transcribe.py` (`new_segment`), which are those of the OpenAI API
 * too. Values that JSON has no number for, such as a mean of no tokens, become null.
 */
export function segmentRecord(segment: Segment): Record<string, unknown> {
  return {
    id: segment.id,
    seek: segment.seek,
    start: segment.start,
    end: segment.end,
    text: segment.text,
    tokens: segment.tokens,
    temperature: segment.temperature,
    avg_logprob: segment.avgLogprob,
    compression_ratio: segment.compressionRatio,
    no_speech_prob: segment.noSpeechProb,
  };
}

/** A word as openai/whisper `timing.py` (`add_word_timestamps`) puts it into its segment. */
function wordRecord({ word, start, end, probability }: Word): Record<string, unknown> {
  return { word, start, end, probability };
}

/**
 * Writes the result of openai/whisper's `transcribe` as JSON: `segments` (with their `words` where they have them),
 * `text`, `language`, then the summary's `extra`; the segments come first so that they can be written as they
 * arrive. With `dialect: "openai"` it is the OpenAI API's `{ "text": … }`.
 */
export function createJsonWriter({ dialect }: FormatOptions): FormatWriter {
  if (dialect === "openai") {
    return {
      begin: () => "",
      segment: () => "",
      end: ({ text }) => `${JSON.stringify({ text: text.trim() })}\n`,
    };
  }
  const list = createListWriter();
  return {
    begin: () => `{"segments":[`,
    segment: (segment) =>
      list.next({
        ...segmentRecord(segment),
        ...(segment.words && { words: segment.words.map(wordRecord) }),
      }),
    end: ({ text, language, extra }) =>
      `${list.end()},${JSON.stringify({ text, language, ...withoutOwn(extra) }).slice(1)}\n`,
  };
}

/** Keys of the reference's own are not for others to write a second time. */
function withoutOwn(extra: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const { text: _text, language: _language, segments: _segments, ...rest } = extra;
  return rest;
}

/** One element a line. */
export function createListWriter() {
  let count = 0;
  return {
    next: (element: unknown) => `${count++ === 0 ? "" : ","}\n${JSON.stringify(element)}`,
    end: () => (count === 0 ? "]" : "\n]"),
  };
}
