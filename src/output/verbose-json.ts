import { InvalidArgumentError } from "../core/errors.ts";
import type { FormatOptions, FormatWriter } from "./format-writer.ts";
import { createListWriter, segmentRecord } from "./json.ts";
import { languageName } from "./language-names.ts";

/**
 * Writes the OpenAI API's `verbose_json` (OpenAPI description, `CreateTranscriptionResponseVerboseJson`): `segments`
 * and `words` as `timestampGranularities` ask for them, then `task`, `language` (its English name; that of a
 * translation is "english"), `duration` and `text`. The segments come first so that they can be written as they
 * arrive; the words are held back to the end.
 *
 * `segment` throws InvalidArgumentError when words are asked for and a segment has none.
 */
export function createVerboseJsonWriter({ timestampGranularities }: FormatOptions): FormatWriter {
  const wanted = timestampGranularities ?? ["segment"];
  const segments = wanted.includes("segment") ? createListWriter() : undefined;
  const words = wanted.includes("word") ? createListWriter() : undefined;
  let held = "";
  return {
    begin: () => (segments ? `{"segments":[` : "{"),
    segment(segment) {
      if (words) {
        if (segment.words === undefined) {
          throw new InvalidArgumentError(
            `timestampGranularities has "word", segment ${segment.id} has no words; transcribe with timestamps: "word"`,
          );
        }
        // The API's words come without the space before them and without their probability.
        for (const { word, start, end } of segment.words)
          held += words.next({ word: word.trim(), start, end });
      }
      return segments?.next(segmentRecord(segment)) ?? "";
    },
    end({ task, language, duration, text }) {
      const name = task === "translate" ? "english" : languageName(language);
      const rest = JSON.stringify({ task, language: name, duration, text: text.trim() }).slice(1);
      return `${segments ? `${segments.end()},` : ""}${words ? `"words":[${held}${words.end()},` : ""}${rest}\n`;
    },
  };
}
