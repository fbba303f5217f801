/** What the API takes and returns: these schemas validate, and the OpenAPI document is made of them. */
import { z } from "@hono/zod-openapi";

export const RESPONSE_FORMATS = ["json", "text", "srt", "verbose_json", "vtt"] as const;
const GRANULARITIES = ["word", "segment"] as const;

const flag = z
  .enum(["true", "false", "True", "False", "1", "0"])
  .transform((text) => /^(true|1)$/i.test(text));

const common = {
  file: z.string().openapi({
    format: "binary",
    description: "WAV, FLAC, MP3, Ogg Vorbis, Opus, AAC, M4A, MP4, WebM or AIFF",
  }),
  model: z
    .string()
    .min(1, "give the model's name")
    .openapi({ description: "A name that /v1/models lists", example: "whisper-1" }),
  prompt: z.string().max(10_000).optional().openapi({ description: "Names and spellings to expect" }),
  response_format: z.enum(RESPONSE_FORMATS).default("json"),
  temperature: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,20})?(e-?\d{1,3})?$/i, "give a number from 0 to 1")
    .transform(Number)
    .refine((value) => value <= 1, "give a number from 0 to 1")
    .default(0)
    .openapi({
      type: "number",
      minimum: 0,
      maximum: 1,
      default: 0,
      description: "0 falls back to higher ones by itself where a text does not pass the thresholds",
    }),
};

export const TranslationRequest = z.object(common).openapi("CreateTranslationRequest");

export const TranscriptionRequest = z
  .object({
    ...common,
    language: z.string().min(1).max(32).optional().openapi({
      description: "Language spoken, as a code such as en; found out when left out",
    }),
    stream: flag.default(false).openapi({
      type: "boolean",
      default: false,
      description: "Text as server-sent events, as it is heard",
    }),
    timestamp_granularities: z
      .array(z.enum(GRANULARITIES))
      .optional()
      .openapi({ description: "Times that verbose_json lists; segment when left out" }),
  })
  .openapi("CreateTranscriptionRequest");

/** The fields of a request, checked. */
export type SpeechRequest = Omit<z.infer<typeof TranscriptionRequest>, "file">;

const Usage = z.object({ type: z.literal("duration"), seconds: z.number().int() }).openapi("UsageDuration");

export const TranscriptionJson = z
  .object({ text: z.string(), usage: Usage.optional() })
  .openapi("CreateTranscriptionResponseJson");

const Segment = z
  .object({
    id: z.number().int(),
    seek: z.number().int(),
    start: z.number(),
    end: z.number(),
    text: z.string(),
    tokens: z.array(z.number().int()),
    temperature: z.number(),
    avg_logprob: z.number().nullable(),
    compression_ratio: z.number(),
    no_speech_prob: z.number(),
  })
  .openapi("TranscriptionSegment");

export const TranscriptionVerboseJson = z
  .object({
    task: z.enum(["transcribe", "translate"]),
    language: z.string(),
    duration: z.number(),
    text: z.string(),
    segments: z.array(Segment).optional(),
    words: z.array(z.object({ word: z.string(), start: z.number(), end: z.number() })).optional(),
    usage: Usage.optional(),
  })
  .openapi("CreateTranscriptionResponseVerboseJson");

export const StreamEvent = z
  .union([
    z.object({ type: z.literal("transcript.text.delta"), delta: z.string() }),
    z.object({ type: z.literal("transcript.text.done"), text: z.string(), usage: Usage }),
  ])
  .openapi("CreateTranscriptionResponseStreamEvent");

const Model = z
  .object({
    id: z.string(),
    object: z.literal("model"),
    created: z.number().int(),
    owned_by: z.string(),
  })
  .openapi("Model");
export const ModelOne: typeof Model = Model;
export const ModelList = z
  .object({ object: z.literal("list"), data: z.array(Model) })
  .openapi("ListModelsResponse");

export const ErrorResponse = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  })
  .openapi("ErrorResponse");

export const HealthResponse = z
  .object({
    status: z.enum(["healthy", "degraded", "draining"]),
    reasons: z.array(z.string()),
  })
  .openapi("Health");
