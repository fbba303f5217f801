import * as errors from "./errors.ts";
import { messageOf, WavepoolError } from "./errors.ts";

/** An error as it travels between agents. */
export interface PostedError {
  code: string;
  kind: "input" | "failure";
  message: string;
  /** What its class adds, such as why a download ended. */
  details?: Record<string, unknown>;
}

/** What of an error can be posted. */
export function postedError(error: unknown): PostedError {
  if (error instanceof WavepoolError) {
    const { code, kind, message, name: _name, cause: _cause, stack: _stack, ...details } = error;
    return { code, kind, message, ...(Object.keys(details).length > 0 && { details }) };
  }
  return { code: "internal", kind: "failure", message: messageOf(error) };
}

/** Classes that have one code each, by which they are found: names do not survive minifying. */
const CLASSES: Record<string, { readonly prototype: WavepoolError }> = {
  "audio-format": errors.AudioFormatError,
  "core-memory": errors.CoreMemoryError,
  download: errors.DownloadError,
  file: errors.FileError,
  inference: errors.InferenceError,
  "invalid-argument": errors.InvalidArgumentError,
  lease: errors.LeaseError,
  "model-format": errors.ModelFormatError,
  "model-not-found": errors.ModelNotFoundError,
  "non-finite-samples": errors.NonFiniteSamplesError,
  "pool-closed": errors.PoolClosedError,
  "pool-exhausted": errors.PoolExhaustedError,
  "pool-timeout": errors.PoolTimeoutError,
  "unknown-language": errors.UnknownLanguageError,
  "unsupported-runtime": errors.UnsupportedRuntimeError,
  "unsupported-task": errors.UnsupportedTaskError,
};

/** The error again: of its class where its code tells that, else of the base class. */
export function revivedError({ code, kind, message, details }: PostedError): WavepoolError {
  const error = new WavepoolError(code, kind, message);
  const known = CLASSES[code];
  if (known) Object.setPrototypeOf(error, known.prototype);
  return Object.assign(error, details);
}
