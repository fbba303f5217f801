import { createInterruption } from "../audio/interruption.ts";
import type { SpeechEngine } from "./engine/engine.ts";
import type { Upload } from "./engine/upload.ts";
import { ApiError, invalid } from "./errors.ts";
import { boundaryOf, createMultipartParser, MultipartError } from "./multipart.ts";

/** What an upload may be, and how long it may take. */
export interface ReceiveLimits {
  maxUploadBytes: number;
  /** Milliseconds without a byte, and in all. */
  idleTimeout: number;
  uploadTimeout: number;
  /** Milliseconds to wait for room. */
  waitTimeout: number;
}

/** A form that came whole. Its file is the caller's to release. */
export interface Received {
  file: Upload | undefined;
  /** Values by name, in order; `name[]` counts as `name`. */
  fields: Map<string, string[]>;
}

/** Bytes of all fields beside the file, and of a form's own lines. */
const MAX_FIELDS = 64 * 1024;
const MAX_PARTS = 64;
/** Bytes a second that a client has to send on the whole, once the first timeout for silence is over: less only takes up places. */
const LEAST_RATE = 1024;

/**
 * Takes a form in: the file into pooled pieces as it comes, with its limit, the fields into a map.
 *
 * @throws ApiError naming what is wrong; the signal's reason when the client hangs up. Nothing is held then.
 */
export async function receiveForm(
  request: Request,
  engine: SpeechEngine,
  limits: ReceiveLimits,
  signal: AbortSignal,
): Promise<Received> {
  const boundary = boundaryOf(request.headers.get("content-type") ?? undefined);
  if (boundary === undefined) {
    throw new ApiError(415, "the body is no multipart/form-data with a boundary; send the file as a form", {
      code: "unsupported_content_type",
    });
  }
  const declared = declaredLength(request);
  const { maxUploadBytes } = limits;
  if (declared !== undefined && declared > maxUploadBytes + MAX_FIELDS) throw tooLarge(maxUploadBytes);
  const upload = await engine.receive(Math.min(declared ?? maxUploadBytes, maxUploadBytes), {
    timeout: limits.waitTimeout,
    signal,
  });
  const received: Received = { file: undefined, fields: new Map() };
  let fieldBytes = 0;
  const parser = createMultipartParser(
    boundary,
    ({ name }) => {
      if (name === "file") {
        if (received.file) throw invalid("file", "there are two files; send one");
        received.file = upload;
        return (bytes) => {
          if (upload.size + bytes.length > maxUploadBytes) throw tooLarge(maxUploadBytes);
          upload.append(bytes);
        };
      }
      const key = name.replace(/\[\]$/, "");
      const values = received.fields.get(key) ?? [];
      received.fields.set(key, values);
      const decoder = new TextDecoder();
      const at = values.push("") - 1;
      return (bytes) => {
        fieldBytes += bytes.length;
        if (fieldBytes > MAX_FIELDS) throw invalid(key, "the fields take over 64 KiB; shorten them");
        values[at] += decoder.decode(bytes, { stream: true });
      };
    },
    MAX_PARTS,
  );
  try {
    for await (const chunk of chunksOf(request, limits, signal)) parser.write(chunk);
    parser.end();
    upload.complete();
    if (!received.file) upload.release();
    return received;
  } catch (error) {
    upload.release();
    if (error instanceof MultipartError) {
      throw new ApiError(400, error.message, { code: "invalid_form", cause: error });
    }
    throw error;
  }
}

function declaredLength(request: Request): number | undefined {
  const text = request.headers.get("content-length");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function tooLarge(most: number): ApiError {
  return new ApiError(413, `the file is over the limit of ${most} bytes; send a shorter or compressed one`, {
    param: "file",
    code: "file_too_large",
  });
}

/** The body's chunks, with an end to waiting for them. */
async function* chunksOf(
  request: Request,
  { idleTimeout, uploadTimeout, maxUploadBytes }: ReceiveLimits,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = request.body?.getReader();
  if (!reader) throw invalid("file", "the body is empty; send the sound as the form's file", "missing_file");
  const began = performance.now();
  let total = 0;
  let finished = false;
  const interruption = createInterruption(signal);
  try {
    while (true) {
      const elapsed = performance.now() - began;
      if (elapsed > idleTimeout && total < (elapsed / 1000) * LEAST_RATE) throw tooSlow();
      const left = Math.max(0, Math.min(idleTimeout, uploadTimeout - elapsed));
      const timer = setTimeout(() => interruption.stop(tooSlow()), left);
      const { done, value } = await interruption.race(reader.read().catch(brokenOff)).finally(() => {
        clearTimeout(timer);
      });
      if (done) break;
      total += value.length;
      // Also of what is before, between and behind the parts.
      if (total > maxUploadBytes + MAX_FIELDS) throw tooLarge(maxUploadBytes);
      yield value;
    }
    finished = true;
  } finally {
    interruption.leave();
    // Not awaited: a client that sends nothing would hold it up.
    if (!finished) reader.cancel().catch(() => undefined);
  }
}

function tooSlow(): ApiError {
  return new ApiError(408, "the upload takes too long; send it faster, or a smaller file", {
    param: "file",
    code: "upload_timeout",
  });
}

function brokenOff(cause: unknown): never {
  throw new ApiError(400, "the upload broke off; send it again", { code: "upload_incomplete", cause });
}
