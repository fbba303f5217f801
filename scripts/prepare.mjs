/**
 * What npm runs after an install and before the tests: builds dist/, unless it is newer than all it is made of, as for
 * the first `npx` in a clone and for tests that follow an install.
 */
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** The bundle that is written last but for the declarations, which follow in the same run. */
const BUILT = "dist/types/index.d.ts";
const SOURCES = [
  "assembly",
  "src",
  "scripts",
  // wavepool bench
  "bench/own.mjs",
  "bench/harness",
  "bench/suites",
  "test/features/preset-references.ts",
  "test/reference",
  "package.json",
  "package-lock.json",
  "asconfig.json",
  "tsconfig.json",
  "tsconfig.build.json",
];

function newest(path) {
  const entry = statSync(path);
  if (!entry.isDirectory()) return path.endsWith(".generated.ts") ? 0 : entry.mtimeMs;
  // A folder is as new as the last file that came or went.
  return Math.max(entry.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
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
