import type { FormatOptions, FormatWriter } from "./format-writer.ts";

/**
 * Writes plain text: one segment a line as openai/whisper `WriteTXT`, or with `dialect: "openai"` the whole text
 * and a line break, as the OpenAI API responds to `response_format=text`.
 */
export function createTextWriter({ dialect }: FormatOptions): FormatWriter {
  const whole = dialect === "openai";
  return {
    begin: () => "",
    segment: ({ text }) => (whole ? "" : `${text.trim()}\n`),
    end: ({ text }) => (whole ? `${text.trim()}\n` : ""),
  };
}
