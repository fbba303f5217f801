import { messageOf, WavepoolError } from "./errors.ts";

/** An error as it travels between agents. */
export interface PostedError {
  code: string;
  kind: "input" | "failure";
  message: string;
}

/** What of an error can be posted. */
export function postedError(error: unknown): PostedError {
  if (error instanceof WavepoolError) {
    return { code: error.code, kind: error.kind, message: error.message };
  }
  return { code: "internal", kind: "failure", message: messageOf(error) };
}

/** The error again; of the base class, by whose `code` it is told. */
export function revivedError({ code, kind, message }: PostedError): WavepoolError {
  return new WavepoolError(code, kind, message);
}
