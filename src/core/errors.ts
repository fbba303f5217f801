/**
 * Errors that wavepool throws. Each names the value at fault and the remedy in its message.
 *
 * `kind` tells the two families apart: `"input"` is the caller's to mend (a bad argument, a file that
 * is no sound file), `"failure"` is not (memory exhausted, a model that does not load).
 */
export class WavepoolError extends Error {
  /** Stable identifier of the error, such as `"pool-exhausted"`. */
  readonly code: string;
  /** Whose fault it is: the command line turns `"input"` into exit code 2 and `"failure"` into 1. */
  readonly kind: "input" | "failure";

  constructor(code: string, kind: "input" | "failure", message: string, options?: ErrorOptions) {
    super(message, options);
    // Not of the class, whose name minifiers change.
    this.name = `${code.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase())}Error`;
    this.code = code;
    this.kind = kind;
  }
}

/** An argument outside its range or of the wrong type. */
export class InvalidArgumentError extends WavepoolError {
  constructor(message: string, options?: ErrorOptions) {
    super("invalid-argument", "input", message, options);
  }
}

/** This runtime lacks something that wavepool cannot do without. */
export class UnsupportedRuntimeError extends WavepoolError {
  constructor(message: string, options?: ErrorOptions) {
    super("unsupported-runtime", "failure", message, options);
  }
}

/** A microphone that cannot be used, or that went away; its code says which. */
export class MicrophoneError extends WavepoolError {
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, "failure", message, options);
    this.name = "MicrophoneError";
  }
}

/** The core's memory has no room left for what was asked. */
export class CoreMemoryError extends WavepoolError {
  constructor(message: string, options?: ErrorOptions) {
    super("core-memory", "failure", message, options);
  }
}

/** A pool was used after its shutdown. */
export class PoolClosedError extends WavepoolError {
  constructor(message: string) {
    super("pool-closed", "input", message);
  }
}

/** No buffer came free in the time that a caller was willing to wait. */
export class PoolTimeoutError extends WavepoolError {
  constructor(message: string) {
    super("pool-timeout", "failure", message);
  }
}

/** Every slot of a pool is leased, or its queue of waiters is full. */
export class PoolExhaustedError extends WavepoolError {
  constructor(message: string) {
    super("pool-exhausted", "failure", message);
  }
}

/** A lease used or released after its release. */
export class LeaseError extends WavepoolError {
  constructor(message: string) {
    super("lease", "input", message);
  }
}

/** Samples that are NaN or infinite, or so large that their power overflows float32. */
export class NonFiniteSamplesError extends WavepoolError {
  /** Number of NaN or infinite samples; 0 when the samples are finite but overflow. */
  readonly count: number;
  /** Index of the first of them, or -1. */
  readonly firstIndex: number;

  constructor(message: string, count: number, firstIndex: number) {
    super("non-finite-samples", "input", message);
    this.count = count;
    this.firstIndex = firstIndex;
  }
}

/** A thread that computes along could not be started, failed or does not answer. */
export class CrewError extends WavepoolError {
  constructor(message: string, options?: ErrorOptions) {
    super("crew", "failure", message, options);
  }
}

/** A file that cannot be read. */
export class FileError extends WavepoolError {
  constructor(message: string, options?: ErrorOptions) {
    super("file", "input", message, options);
  }
}

/** Bytes that are no sound wavepool can decode. */
export class AudioFormatError extends WavepoolError {
  constructor(message: string, options?: ErrorOptions) {
    super("audio-format", "input", message, options);
  }
}

/** A feature extractor of transformers.js whose features wavepool cannot reproduce. */
export class UnsupportedExtractorError extends WavepoolError {
  constructor(message: string, options?: ErrorOptions) {
    super("unsupported-extractor", "input", message, options);
  }
}

/** No model under the given name or directory, or a file of it is missing. */
export class ModelNotFoundError extends WavepoolError {
  constructor(message: string, options?: ErrorOptions) {
    super("model-not-found", "input", message, options);
  }
}

/** Why a download ended: no connection, an answer of the server that is none, a connection that broke, wrong bytes. */
export type DownloadFailure = "unreachable" | "refused" | "interrupted" | "wrong-bytes";

/** A file could not be fetched, also not by trying again. */
export class DownloadError extends WavepoolError {
  readonly reason: DownloadFailure;

  constructor(reason: DownloadFailure, message: string, options?: ErrorOptions) {
    super("download", "failure", message, options);
    this.reason = reason;
  }
}

/** A model file that is present but broken, or no Whisper model. */
export class ModelFormatError extends WavepoolError {
  constructor(message: string, options?: ErrorOptions) {
    super("model-format", "failure", message, options);
  }
}

/** A language code that the model does not know. */
export class UnknownLanguageError extends WavepoolError {
  constructor(message: string) {
    super("unknown-language", "input", message);
  }
}

/** A task that the model was not trained for. */
export class UnsupportedTaskError extends WavepoolError {
  constructor(message: string) {
    super("unsupported-task", "input", message);
  }
}

/** The inference runtime failed while it ran a model. */
export class InferenceError extends WavepoolError {
  constructor(message: string, options?: ErrorOptions) {
    super("inference", "failure", message, options);
  }
}

/** Message of whatever was thrown: libraries throw strings and numbers too. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
