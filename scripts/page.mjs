/**
 * Builds the page into dist/page: static files for any host, with onnxruntime-web's own and, by `--models tiny,base`, models of
 * installed packages beside them. Other models come from the hub.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const page = (name) => join(root, "page", name);

/** The runtime's builds: with and without WebGPU and WebNN, each with the script that its threads run. */
const RUNTIME_FILES = ["ort-wasm-simd-threaded", "ort-wasm-simd-threaded.asyncify"].flatMap((name) => [
  `${name}.wasm`,
  `${name}.mjs`,
]);

/** Directory of a model that is here, as the package finds it. */
export async function modelDirectory(name) {
  // Not before the package is built.
  const { findModel } = await import("../dist/index.js");
  return (await findModel(name, { offline: true })).directory;
}

/** Directory of onnxruntime-web's files. */
export function runtimeDirectory() {
  return dirname(require.resolve("onnxruntime-web"));
}

/**
 * Bundles the page's script and puts its files beside it.
 *
 * @param out directory, made anew
 * @param models by name, the directories that the page finds them in, relative to itself
 */
export async function buildPage(out, models) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await build({
    entryPoints: [page("main.ts")],
    outdir: out,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify: true,
    splitting: true,
    absWorkingDir: root,
    // From the package as it is built, not by the path that page/tsconfig.json has for types.
    tsconfigRaw: {},
    logLevel: "warning",
  });
  for (const name of ["index.html", "style.css"]) cpSync(page(name), join(out, name));
  // As files, not as text in the script: the page's policy allows no blobs.
  for (const name of ["speech-worker.js", "microphone-processor.js"]) {
    cpSync(join(root, "dist", name), join(out, name));
  }
  writeFileSync(join(out, "models.json"), JSON.stringify(models));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { models: { type: "string", default: "" } } });
  const out = join(root, "dist", "page");
  const names = values.models.split(",").filter(Boolean);
  await buildPage(out, Object.fromEntries(names.map((name) => [name, `models/${name}/`])));
  for (const name of RUNTIME_FILES) cpSync(join(runtimeDirectory(), name), join(out, "onnxruntime", name));
  for (const name of names) {
    cpSync(await modelDirectory(name), join(out, "models", name), { recursive: true });
  }
  console.log(`the page is in ${out}; serve it with the headers of docs/page.md`);
}
