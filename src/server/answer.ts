import { formatTranscription } from "../output/formats.ts";
import type { Segment, Task, Transcription } from "../transcription/transcription.ts";
import type { JobOptions } from "./engine/messages.ts";
import { invalid } from "./errors.ts";
import type { SpeechRequest } from "./schemas.ts";

/** What a request asks of the engine. */
export function jobOptions(task: Task, request: SpeechRequest): JobOptions {
  const { response_format: format, language, prompt, temperature } = request;
  const granularities = request.timestamp_granularities ?? [];
  if (granularities.length > 0 && format !== "verbose_json") {
    throw invalid(
      "timestamp_granularities",
      `timestamp_granularities need response_format verbose_json, not ${format}; change one of them`,
    );
  }
  const timed = format !== "json" && format !== "text";
  return {
    task,
    ...(language !== undefined && { language }),
    ...(prompt !== undefined && { prompt }),
    // The API's 0 raises the temperature by itself where thresholds are not met, as our default does.
    ...(temperature > 0 && { temperature }),
    timestamps: granularities.includes("word") ? "word" : timed ? "segment" : "none",
  };
}

/** Seconds as the API bills them. */
const usage = (duration: number) => ({ type: "duration" as const, seconds: Math.ceil(duration) });

/** The answer in the format that was asked for. */
export function answer(task: Task, request: SpeechRequest, result: Transcription): Response {
  const { response_format: format } = request;
  if (format === "json") {
    const { text, duration } = result;
    return Response.json(task === "translate" ? { text } : { text, usage: usage(duration) });
  }
  if (format === "verbose_json") {
    const timestampGranularities = request.timestamp_granularities ?? [];
    const options = timestampGranularities.length > 0 ? { timestampGranularities } : {};
    const body = JSON.parse(formatTranscription(result, format, options));
    return Response.json(task === "translate" ? body : { ...body, usage: usage(result.duration) });
  }
  const text = formatTranscription(result, format, { dialect: "openai" });
  return new Response(text, { headers: { "content-type": "text/plain; charset=utf-8" } });
}

/** An event of the API's stream, as the bytes of a server-sent event. */
function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** What streams write. The deltas together are the text of the end. */
export interface StreamWriter {
  segment(segment: Segment): string;
  done(result: Transcription): string;
  error(body: unknown): string;
}

export function createStreamWriter(): StreamWriter {
  let text = "";
  return {
    segment(segment) {
      const delta = text === "" ? segment.text.trimStart() : segment.text;
      text += delta;
      return delta === "" ? "" : event({ type: "transcript.text.delta", delta });
    },
    done: ({ duration }) =>
      event({ type: "transcript.text.done", text: text.trimEnd(), usage: usage(duration) }),
    error: event,
  };
}
