import { MODEL_NAMES } from "../models/model-files.ts";

/** A URL as the page sees it: a worker of a blob has no place of its own that relative ones could begin at. */
export function wholeUrl(url: string | URL): string {
  return new URL(url, document.baseURI).href;
}

/** A model's name or repository as it is, its directory as the page sees it: those begin with a slash, a dot or a scheme, or end in a slash. */
export function wholeModel(model: string): string {
  if ((MODEL_NAMES as readonly string[]).includes(model)) return model;
  return /^(\.{0,2}\/|[a-z][a-z0-9+.-]*:)|\/$/i.test(model) ? wholeUrl(model) : model;
}
