import { milliseconds } from "./format-time.ts";
import type { FormatWriter } from "./format-writer.ts";

/**
 * Writes tab-separated values as openai/whisper `WriteTSV`: a heading, then start and end in whole milliseconds
 * and the text, its tabs as spaces. Line breaks in a text, which the reference lets break the row, are
 * spaces as well.
 *
 * `segment` throws InvalidArgumentError when a time is negative or not finite.
 */
export function createTsvWriter(): FormatWriter {
  return {
    begin: () => "start\tend\ttext\n",
    segment: ({ start, end, text }) =>
      `${milliseconds(start)}\t${milliseconds(end)}\t${text.trim().replace(/\r\n|[\t\r\n]/g, " ")}\n`,
    end: () => "",
  };
}
