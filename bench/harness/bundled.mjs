/** Modules of the tests that the bench uses too: they are TypeScript, which Node 20 does not take. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
/** Beside the packages that they import. */
const FOLDER = path("../../node_modules/.cache/wavepool-bench/");

/** The float64 references of the presets. */
export const REFERENCES = { source: "test/features/preset-references.ts", name: "references" };
/** Encoder and decoder as the package loads them; Bun would take another adapter from the sources than from the package. */
export const GRAPHS = { source: "bench/harness/graphs.mjs", name: "graphs" };
/** The drivers of browsers. */
export const ENGINES = { source: "test/reference/engines.ts", name: "engines" };

/**
 * Bundles a module for Node, Deno and Bun, before processes of them start.
 *
 * @param source its path from the repository's root
 * @param name of the file that comes of it
 * @returns path of the file
 */
export async function bundleForNode({ source, name }) {
  const outfile = bundleOf(name);
  await build({
    ...{ entryPoints: [path(`../../${source}`)], outfile, bundle: true, target: "es2022", logLevel: "error" },
    ...{ format: "esm", platform: "node", packages: "external" },
  });
  return outfile;
}

/** Where a bundle is. */
export const bundleOf = (name) => `${FOLDER}${name}.mjs`;
