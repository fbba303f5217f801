/** Builds dist/: the core (asc), its inlined bytes, the bundles (esbuild) and the declarations (tsc). */
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { hubClient } from "./hub-client.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const require = createRequire(import.meta.url);

/** Path of a program that a package installs, so that no shell or PATH is involved. */
const program = (packageName, bin) => join(dirname(require.resolve(`${packageName}/package.json`)), bin);

rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");

/** The core's binaries, by the targets of asconfig.json. */
const BINARIES = ["plain", "relaxed", "threads", "threads.relaxed"];
const wasm = (name) => (name === "plain" ? "dist/wavepool.wasm" : `dist/wavepool.${name}.wasm`);
/** What a binary may weigh: it is downloaded before anything else can happen. */
const MAX_BINARY_BYTES = 48 * 1024;

rmSync("src/core/binaries", { recursive: true, force: true });
mkdirSync("src/core/binaries");
const asc = program("assemblyscript", "bin/asc.js");
// Beside each other: each takes one core for some seconds.
await Promise.all(
  BINARIES.map(async (name) => {
    const compiled = promisify(execFile)(process.execPath, [asc, "--target", name]);
    compiled.child.stdout.pipe(process.stdout);
    compiled.child.stderr.pipe(process.stderr);
    await compiled;
  }),
);
for (const name of BINARIES) {
  writeFileSync(
    `src/core/binaries/${name}.generated.ts`,
    `/** Made by scripts/build.mjs from assembly/. */
export const BASE64: string =
  "${readFileSync(wasm(name)).toString("base64")}";
`,
  );
}
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
writeFileSync(
  "src/cli/version.generated.ts",
  `/** Made by scripts/build.mjs from package.json. */\nexport const VERSION = "${version}";\n`,
);

/** What the package exports for browsers too: the same chunks, so that a class is one in all of them. */
const ENTRIES = {
  index: "src/index.ts",
  pool: "src/pool.ts",
  mel: "src/mel.ts",
  whisper: "src/whisper.ts",
  transformers: "src/transformers.ts",
};
/**
 * Modules that get chunks of their own, for bundlers leave a chunk of our package out when nothing of it is used, but not a
 * statement that may do something, nor yaml, which does not say that it has no side effects.
 */
const APART = { adapter: "src/adapters/browser.ts", manager: "src/pools/pool-manager.ts" };

/** Programs that pages start in a worker and in an audio worklet. */
const PROGRAMS = {
  "speech-worker": "src/browser/speech-thread.ts",
  "microphone-processor": "src/browser/microphone-processor.ts",
};

const shared = {
  bundle: true,
  format: "esm",
  target: "es2022",
  packages: "external",
  sourcemap: true,
  logLevel: "warning",
};
const browser = {
  ...shared,
  platform: "browser",
  conditions: ["browser"],
  outdir: "dist",
  plugins: [hubClient],
};
// Programs of pages: a file each, with all that they import, and its text in a module, which a page can start without a file.
for (const [name, entry] of Object.entries(PROGRAMS)) {
  await build({
    ...browser,
    packages: "bundle",
    minify: true,
    sourcemap: false,
    entryPoints: { [name]: entry },
  });
  writeFileSync(
    `src/browser/${name}-text.generated.ts`,
    `/** Made by scripts/build.mjs from ${entry}. */
export const TEXT: string = ${JSON.stringify(readFileSync(`dist/${name}.js`, "utf8"))};
`,
  );
}
/** Programs of pages are none of Node's. */
const noPrograms = {
  name: "no programs of pages",
  setup({ onLoad }) {
    onLoad({ filter: /-text\.generated\.ts$/ }, () => ({ contents: 'export const TEXT = "";' }));
  },
};
await build({
  ...shared,
  plugins: [noPrograms],
  platform: "node",
  entryPoints: {
    ...ENTRIES,
    cli: "src/cli/main.ts",
    "bench-thread": "src/cli/bench-thread.ts",
    vitest: "src/testing/vitest.ts",
    "encoder-thread": "src/inference/encoder-thread.ts",
    server: "src/server/index.ts",
    "text-thread": "src/server/engine/text-thread.ts",
    "sound-thread": "src/server/engine/sound-thread.ts",
  },
  outdir: "dist",
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
});
const named = (entries, name) =>
  Object.fromEntries(Object.entries(entries).map(([key, path]) => [name(key), path]));
await build({
  ...browser,
  entryPoints: { ...named(ENTRIES, (key) => `${key}.browser`), ...named(APART, (key) => `apart/${key}`) },
  splitting: true,
  chunkNames: "chunks/browser-[name]-[hash]",
});
rmSync("dist/apart", { recursive: true });
// A chunk of which nothing is used is imported for its effects, of which ours have none: bundlers would say so each time.
for (const name of readdirSync("dist", { recursive: true }).filter((file) => /browser.*\.js$/.test(file))) {
  const path = join("dist", name);
  writeFileSync(path, readFileSync(path, "utf8").replace(/^import "\.\/[^"]+";$/gm, ""));
}
// A worklet takes one file.
await build({ ...browser, entryPoints: { worklet: "src/worklet.ts" } });
chmodSync("dist/cli.js", 0o755);

const tsc = program("typescript", "bin/tsc");
execFileSync(process.execPath, [tsc, "--project", "tsconfig.build.json"], { stdio: "inherit" });
// tsc leaves the sources' extension in declarations, where there is no such file.
for (const name of readdirSync("dist/types", { recursive: true }).filter((file) => file.endsWith(".d.ts"))) {
  const text = readFileSync(join("dist/types", name), "utf8");
  writeFileSync(
    join("dist/types", name),
    text.replace(/(from |import\()"(\.{1,2}\/[^"]+)\.ts"/g, '$1"$2.js"'),
  );
}

const kib = (path) => `${(statSync(path).size / 1024).toFixed(1)} KiB`;
const sizes = BINARIES.map((name) => `${name} ${kib(wasm(name))}`).join(", ");
console.log(`core: ${sizes}, of at most ${MAX_BINARY_BYTES / 1024} KiB each`);
const heavy = BINARIES.filter((name) => statSync(wasm(name)).size > MAX_BINARY_BYTES);
if (heavy.length > 0) throw new Error(`over ${MAX_BINARY_BYTES} bytes: ${heavy.join(", ")}`);
