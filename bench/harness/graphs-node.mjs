/** graphs.mjs for Node, Deno and Bun: Node 20 takes no TypeScript, and Bun would take another adapter than the package does. */
import { fileURLToPath } from "node:url";

const BUNDLE = new URL("../../node_modules/.cache/wavepool-bench/graphs.mjs", import.meta.url);

/** Made by the program that starts the others. */
export async function bundleGraphs() {
  const { build } = await import("esbuild");
  await build({
    entryPoints: [fileURLToPath(new URL("./graphs.mjs", import.meta.url))],
    outfile: fileURLToPath(BUNDLE),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    packages: "external",
    logLevel: "error",
  });
}

export const loadGraphs = () => import(BUNDLE.href);
