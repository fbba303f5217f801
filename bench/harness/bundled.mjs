/** Modules of the tests that the bench uses too: they are TypeScript, which Node 20 does not take. */
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
/** Beside the packages that they import. */
const FOLDER = path("../../node_modules/.cache/wavepool-bench/");

/** The float64 references of the presets. */
export const REFERENCES = { source: "test/features/preset-references.ts", name: "references" };
/** Encoder and decoder as the package loads them; Bun would take another adapter from the sources than from the package. */
export const GRAPHS = { source: "bench/harness/graphs.mjs", name: "graphs" };
/** The drivers of browsers, which find packages from where they lie. */
export const DRIVERS = {
  source: "bench/harness/drivers.mjs",
  name: "drivers",
  lies: "test/reference/engines.ts",
};

/**
 * Bundles a module for Node, Deno and Bun, before processes of them start.
 *
 * @param source its path from the repository's root
 * @param name of the file that comes of it
 * @param lies path from the root that its import.meta.url is to tell, where not that of the bundle
 * @returns path of the file
 */
export async function bundleForNode({ source, name, lies }) {
  const outfile = bundleOf(name);
  const define = lies && { "import.meta.url": JSON.stringify(pathToFileURL(path(`../../${lies}`)).href) };
  await build({
    ...{ entryPoints: [path(`../../${source}`)], outfile, bundle: true, target: "es2022", logLevel: "error" },
    ...{ format: "esm", platform: "node", packages: "external", ...(define && { define }) },
  });
  return outfile;
}

/** Where a bundle is. */
export const bundleOf = (name) => `${FOLDER}${name}.mjs`;
