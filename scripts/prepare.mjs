/** What npm runs after an install: builds dist/, unless it is newer than all it is made of, as for the first `npx` in a clone. */
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** The bundle that is written last but for the declarations, which follow in the same run. */
const BUILT = "dist/types/index.d.ts";
const SOURCES = ["assembly", "src", "scripts", "package.json", "package-lock.json", "asconfig.json"];

function newest(path) {
  const entry = statSync(path);
  if (!entry.isDirectory()) return path.endsWith(".generated.ts") ? 0 : entry.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function isFresh() {
  try {
    const built = statSync(join(root, BUILT)).mtimeMs;
    return SOURCES.every((source) => newest(join(root, source)) <= built);
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}

if (!isFresh()) await import("./build.mjs");
