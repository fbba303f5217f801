import type { Segment, Task } from "../transcription/transcription.ts";

/** What is known of a transcription beside its segments, at the latest when it ends. */
export interface TranscriptionSummary {
  readonly text: string;
  /** Code of the language spoken, such as "en". */
  readonly language: string;
  /** Seconds of sound. */
  readonly duration: number;
  readonly task: Task;
  /** Further keys for `json`, after those of openai/whisper; other formats leave them out. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A transcription as the formats take it; a `Transcription` is one. */
export interface FormattableResult extends TranscriptionSummary {
  readonly segments: readonly Segment[];
}

/** How the formats write. The first four lay words out in subtitles and need `timestamps: "word"`. */
export interface FormatOptions {
  /** Characters (code points) in a line of a subtitle; beyond them it goes on in the next line. */
  maxLineWidth?: number;
  /** Lines in a subtitle; has an effect only with `maxLineWidth`, and then subtitles run across segments. */
  maxLineCount?: number;
  /** Words in a subtitle; has no effect with both of the above. */
  maxWordsPerLine?: number;
  /** One subtitle a word, with that word underlined. */
  highlightWords?: boolean;
  /** What `verbose_json` lists; `["segment"]` by default. `"word"` needs `timestamps: "word"`. */
  timestampGranularities?: readonly TimestampGranularity[];
  /**
   * Whose `text` and `json`: `"whisper"` (default) is one segment a line and the whole result of openai/whisper;
   * `"openai"` is the response of the OpenAI API, the whole text in one piece and `{ "text": … }`.
   */
  dialect?: "whisper" | "openai";
}

export type TimestampGranularity = "segment" | "word";

/**
 * Writes a format piece by piece, so that hours of sound can be written as their segments arrive. The pieces
 * together are what `formatTranscription` gives for the whole.
 */
export interface FormatWriter {
  /** What comes before the first segment. */
  begin(): string;
  /** What the segment completes; a subtitle that may still go on in the next one is held back. */
  segment(segment: Segment): string;
  /** What is left, once all segments are in. */
  end(summary: TranscriptionSummary): string;
}
