import { messageOf, WavepoolError } from "../core/errors.ts";

/** An answer in the OpenAI API's error shape. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
  /** Seconds after which to try again. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    message: string,
    details: { type?: string; param?: string; code?: string; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = status;
    this.type = details.type ?? (status >= 500 ? "server_error" : "invalid_request_error");
    this.param = details.param ?? null;
    this.code = details.code ?? null;
    this.retryAfter = details.retryAfter;
  }
}

/** The body of an error, as the API has it. */
export function errorBody({ message, type, param, code }: ApiError): {
  error: { message: string; type: string; param: string | null; code: string | null };
} {
  return { error: { message, type, param, code } };
}

/** A request with a field at fault. */
export function invalid(param: string, message: string, code = "invalid_value"): ApiError {
  return new ApiError(400, message, { param, code });
}

/** Seconds that a client is told to stay away when there is no better guess. */
const RETRY_AFTER = 5;

/** Too much at once: 503. */
export function overloaded(message: string, retryAfter: number = RETRY_AFTER): ApiError {
  return new ApiError(503, message, { code: "server_overloaded", retryAfter });
}

/** By the codes of wavepool's errors: status, the field at fault and the API's code. */
const BY_CODE: Record<string, { status: number; param?: string; code: string }> = {
  "audio-format": { status: 400, param: "file", code: "invalid_audio" },
  "non-finite-samples": { status: 400, param: "file", code: "invalid_audio" },
  "sound-unsafe": { status: 400, param: "file", code: "invalid_audio" },
  "sound-too-long": { status: 400, param: "file", code: "audio_too_long" },
  "unknown-language": { status: 400, param: "language", code: "invalid_language" },
  "unsupported-task": { status: 400, param: "model", code: "unsupported_task" },
};

/** By the codes of errors that pass: what clients are told of them. */
const BUSY: Record<string, string> = {
  busy: "the service is busy; try again later",
  "thread-lost": "the model is being loaded anew; try again later",
  "pool-exhausted": "no buffer is free; try again later",
  "pool-timeout": "no buffer is free; try again later",
  "core-memory": "no memory is free; try again later",
};

/**
 * What a client is told of an error. Messages of our own failures may name paths and internals and stay in the log.
 */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const code = error instanceof WavepoolError ? error.code : "internal";
  const known = BY_CODE[code];
  if (known) {
    const { status, ...details } = known;
    return new ApiError(status, messageOf(error), { ...details, cause: error });
  }
  const busy = BUSY[code];
  if (busy !== undefined) {
    const message = code === "busy" ? messageOf(error) : busy;
    return new ApiError(503, message, { code: "server_overloaded", retryAfter: RETRY_AFTER, cause: error });
  }
  if (code === "invalid-argument") {
    return new ApiError(400, messageOf(error), { code: "invalid_value", cause: error });
  }
  return new ApiError(500, "the transcription failed; try again, and see the server's log if it goes on", {
    code: "internal_error",
    cause: error,
  });
}
