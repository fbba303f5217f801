import { OpenAPIHono, z } from "@hono/zod-openapi";
import {
  ErrorResponse,
  HealthResponse,
  ModelList,
  ModelOne,
  StreamEvent,
  TranscriptionJson,
  TranscriptionRequest,
  TranscriptionVerboseJson,
  TranslationRequest,
} from "./schemas.ts";

/** A document of the API, as far as it is looked at here. */
export interface OpenApiDocument {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, OpenApiOperation>>;
  components?: { schemas?: Record<string, OpenApiSchema> };
}
export interface OpenApiOperation {
  summary?: string;
  requestBody?: { content: Record<string, { schema?: OpenApiSchema }> };
  responses: Record<string, { description: string; content?: Record<string, { schema?: OpenApiSchema }> }>;
}
export interface OpenApiSchema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  enum?: unknown[];
  default?: unknown;
  properties?: Record<string, OpenApiSchema>;
  required?: string[];
  items?: OpenApiSchema;
  minimum?: number;
  maximum?: number;
}

const json = (schema: z.ZodType) => ({ "application/json": { schema } });
const error = (description: string) => ({ description, content: json(ErrorResponse) });

const ERRORS = {
  400: error("A field or the file is at fault"),
  401: error("The API key is missing or wrong"),
  404: error("There is no such model"),
  408: error("The upload takes too long"),
  413: error("The file is too large"),
  415: error("The body is no form"),
  429: error("Too many requests; see Retry-After"),
  500: error("The transcription failed"),
  503: error("No room, or the service is shutting down; see Retry-After"),
};

/**
 * Makes the OpenAPI 3.1 document of the schemas that validate. The routes are registered, not handled, by @hono/zod-openapi:
 * its own validation of forms would read uploads whole.
 */
export function openApiDocument(withKeys: boolean): OpenApiDocument {
  const app = new OpenAPIHono();
  const registry = app.openAPIRegistry;
  const security = withKeys ? [{ bearerAuth: [] }] : [];
  if (withKeys)
    registry.registerComponent("securitySchemes", "bearerAuth", { type: "http", scheme: "bearer" });
  const text = { "text/plain": { schema: z.string() } };
  const answers = {
    "application/json": { schema: z.union([TranscriptionJson, TranscriptionVerboseJson]) },
    ...text,
  };
  registry.registerPath({
    method: "post",
    path: "/v1/audio/transcriptions",
    summary: "The words spoken in a sound file",
    security,
    request: {
      body: { required: true, content: { "multipart/form-data": { schema: TranscriptionRequest } } },
    },
    responses: {
      200: {
        description: "The text, in the format asked for",
        content: { ...answers, "text/event-stream": { schema: StreamEvent } },
      },
      ...ERRORS,
    },
  });
  registry.registerPath({
    method: "post",
    path: "/v1/audio/translations",
    summary: "The same in English, whatever is spoken",
    security,
    request: { body: { required: true, content: { "multipart/form-data": { schema: TranslationRequest } } } },
    responses: { 200: { description: "The text, in the format asked for", content: answers }, ...ERRORS },
  });
  registry.registerPath({
    method: "get",
    path: "/v1/models",
    summary: "Names that the model goes by",
    security,
    responses: { 200: { description: "The names", content: json(ModelList) }, 401: ERRORS[401] },
  });
  registry.registerPath({
    method: "get",
    path: "/v1/models/{model}",
    summary: "One of them",
    security,
    request: { params: z.object({ model: z.string() }) },
    responses: {
      200: { description: "The model", content: json(ModelOne) },
      401: ERRORS[401],
      404: ERRORS[404],
    },
  });
  registry.registerPath({
    method: "get",
    path: "/health",
    summary: "Whether all is well",
    responses: {
      200: { description: "It works, if degraded for the reasons given", content: json(HealthResponse) },
      503: { description: "It is shutting down or has no model", content: json(HealthResponse) },
    },
  });
  registry.registerPath({
    method: "get",
    path: "/stats",
    summary: "Pools, queue, stages and process",
    security,
    responses: {
      200: { description: "Figures", content: json(z.record(z.string(), z.any())) },
      401: ERRORS[401],
    },
  });
  registry.registerPath({
    method: "get",
    path: "/metrics",
    summary: "The same for Prometheus",
    security,
    responses: { 200: { description: "Text exposition format 0.0.4", content: text }, 401: ERRORS[401] },
  });
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "wavepool",
      version: "1",
      description: "Speech to text as the OpenAI API takes and gives it.",
    },
  }) as unknown as OpenApiDocument;
}
