import { UnsupportedRuntimeError } from "../core/errors.ts";
import { wholeUrl } from "./whole-urls.ts";

/** Where a script is: a URL of the site, or undefined for the text that the package carries. */
export type ScriptUrl = string | URL | undefined;

/** A script as a URL, and how to let go of it once it is loaded. */
export interface OpenScript {
  readonly url: string;
  close(): void;
}

/**
 * The script at a URL of the caller's, or the one inside the package as a blob, which needs no file to be copied by any bundler.
 *
 * @param load gives the text; called only without a URL, so that pages with one do not load it
 */
export async function openScript(url: ScriptUrl, load: () => Promise<string>): Promise<OpenScript> {
  if (url !== undefined) return { url: wholeUrl(url), close() {} };
  const blob = URL.createObjectURL(new Blob([await load()], { type: "text/javascript" }));
  return { url: blob, close: () => URL.revokeObjectURL(blob) };
}

/** @throws UnsupportedRuntimeError outside of pages. */
export function assertPage(what: string): void {
  if (typeof document !== "undefined" && typeof Worker !== "undefined") return;
  throw new UnsupportedRuntimeError(`${what} is for pages; use createTranscriber here`);
}
