/** Builds dist/: the core (asc), its inlined bytes, the bundles (esbuild) and the declarations (tsc). */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const require = createRequire(import.meta.url);

/** Runs the program that a package installs, by its path, so that no shell or PATH is involved. */
function run(packageName, bin, args) {
  const manifest = require.resolve(`${packageName}/package.json`);
  execFileSync(process.execPath, [join(dirname(manifest), bin), ...args], { stdio: "inherit" });
}

rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");

run("assemblyscript", "bin/asc.js", ["--target", "plain"]);
run("assemblyscript", "bin/asc.js", ["--target", "threads"]);
const base64 = (path) => readFileSync(path).toString("base64");
writeFileSync(
  "src/core/core-binary.generated.ts",
  `/** Made by scripts/build.mjs from assembly/. */
export const PLAIN_BASE64: string =
  "${base64("dist/wavepool.wasm")}";
export const THREADS_BASE64: string =
  "${base64("dist/wavepool.threads.wasm")}";
`,
);
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
writeFileSync(
  "src/cli/version.generated.ts",
  `/** Made by scripts/build.mjs from package.json. */\nexport const VERSION = "${version}";\n`,
);

const shared = {
  bundle: true,
  format: "esm",
  target: "es2022",
  packages: "external",
  sourcemap: true,
  logLevel: "warning",
};
await build({
  ...shared,
  platform: "node",
  entryPoints: { index: "src/index.ts", cli: "src/cli/main.ts", vitest: "src/testing/vitest.ts" },
  outdir: "dist",
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
});
await build({
  ...shared,
  platform: "browser",
  conditions: ["browser"],
  entryPoints: { "index.browser": "src/index.ts", worklet: "src/worklet.ts" },
  outdir: "dist",
});
chmodSync("dist/cli.js", 0o755);

run("typescript", "bin/tsc", ["--project", "tsconfig.build.json"]);

const kib = (path) => `${(statSync(path).size / 1024).toFixed(1)} KiB`;
console.log(
  `core ${kib("dist/wavepool.wasm")}, with threads ${kib("dist/wavepool.threads.wasm")}, ` +
    `browser bundle ${kib("dist/index.browser.js")} (both inlined)`,
);
