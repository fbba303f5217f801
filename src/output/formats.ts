import { assertOptions, describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { FormatOptions, FormattableResult, FormatWriter } from "./format-writer.ts";
import { createJsonWriter } from "./json.ts";
import { createSrtWriter, createVttWriter } from "./subtitles.ts";
import { createTextWriter } from "./text.ts";
import { createTsvWriter } from "./tsv.ts";
import { createVerboseJsonWriter } from "./verbose-json.ts";

const WRITERS = {
  text: createTextWriter,
  srt: createSrtWriter,
  vtt: createVttWriter,
  tsv: createTsvWriter,
  json: createJsonWriter,
  verbose_json: createVerboseJsonWriter,
} as const satisfies Record<string, (options: FormatOptions) => FormatWriter>;

/** A format that transcriptions are written in. */
export type OutputFormat = keyof typeof WRITERS;

/** The formats, by their names in the OpenAI API. */
export const OUTPUT_FORMATS = Object.keys(WRITERS) as readonly OutputFormat[];

/**
 * Writes a transcription in a format, with the line break at its end.
 *
 * @throws InvalidArgumentError naming the format, option, time or segment at fault, such as one without words
 * where the options call for them.
 */
export function formatTranscription(
  result: FormattableResult,
  format: OutputFormat,
  options: FormatOptions = {},
): string {
  const writer = createFormatWriter(format, options);
  if (!Array.isArray(result?.segments)) {
    throw new InvalidArgumentError(
      `the result's segments are ${describe(result?.segments)}; give what transcribe() returned`,
    );
  }
  const pieces = [writer.begin()];
  for (const segment of result.segments) pieces.push(writer.segment(segment));
  pieces.push(writer.end(result));
  return pieces.join("");
}

/**
 * Begins to write a transcription whose segments are still coming. Call `begin` once, `segment` for each in turn,
 * `end` once; a writer is used up after that, and after an error.
 *
 * @throws InvalidArgumentError naming the format or option at fault; so do its functions when they are called
 * out of turn, or for a segment that the format cannot write.
 */
export function createFormatWriter(format: OutputFormat, options: FormatOptions = {}): FormatWriter {
  if (typeof format !== "string" || !Object.hasOwn(WRITERS, format)) {
    throw new InvalidArgumentError(`format is ${describe(format)}; give one of ${OUTPUT_FORMATS.join(", ")}`);
  }
  assertFormatOptions(options);
  const writer = WRITERS[format](options);
  let state: "new" | "open" | "ended" = "new";
  const turn = (name: string, at: typeof state, next: typeof state) => {
    if (state !== at) {
      throw new InvalidArgumentError(
        `${name} is out of turn; call begin once, segment for each segment, then end once`,
      );
    }
    state = next;
  };
  return {
    begin() {
      turn("begin", "new", "open");
      return writer.begin();
    },
    segment(segment) {
      turn("segment", "open", "ended"); // should it throw, the writer has lost its place
      const piece = writer.segment(segment);
      state = "open";
      return piece;
    },
    end(summary) {
      turn("end", "open", "ended");
      return writer.end(summary);
    },
  };
}

const LIMITS = ["maxLineWidth", "maxLineCount", "maxWordsPerLine"] as const;
const DIALECTS = ["whisper", "openai"];
const GRANULARITIES = ["segment", "word"];

/**
 * Checks the options of a format, those of other formats included.
 *
 * @throws InvalidArgumentError naming the option and its value.
 */
export function assertFormatOptions(options: FormatOptions): void {
  assertOptions(options, "format");
  for (const name of LIMITS) {
    const value = options[name];
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw new InvalidArgumentError(`${name} is ${describe(value)}; give an integer of 1 or more`);
  }
  const { highlightWords, dialect, timestampGranularities } = options;
  if (highlightWords !== undefined && typeof highlightWords !== "boolean") {
    throw new InvalidArgumentError(`highlightWords is ${describe(highlightWords)}; give true or false`);
  }
  if (dialect !== undefined && !DIALECTS.includes(dialect)) {
    throw new InvalidArgumentError(`dialect is ${describe(dialect)}; give one of ${DIALECTS.join(", ")}`);
  }
  if (timestampGranularities === undefined) return;
  if (!Array.isArray(timestampGranularities) || timestampGranularities.length === 0) {
    const seen = Array.isArray(timestampGranularities) ? "empty" : describe(timestampGranularities);
    throw new InvalidArgumentError(
      `timestampGranularities is ${seen}; give an array of ${GRANULARITIES.join(", ")}`,
    );
  }
  for (const name of timestampGranularities) {
    if (GRANULARITIES.includes(name)) continue;
    throw new InvalidArgumentError(
      `timestampGranularities has ${describe(name)}; give ${GRANULARITIES.join(", ")} or both`,
    );
  }
}
