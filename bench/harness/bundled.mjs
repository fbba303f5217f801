/** Modules of the tests that the bench uses too: they are TypeScript, which Node 20 does not take. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
/** Beside the packages that they import. */
const FOLDER = path("../../node_modules/.cache/wavepool-bench/");

/**
 * Bundles a module for Node.
 *
 * @param source its path from the repository's root
 * @param name of the file that comes of it
 * @returns path of the file
 */
export async function bundleForNode(source, name) {
  const outfile = bundleOf(name);
  await build({
    ...{ entryPoints: [path(`../../${source}`)], outfile, bundle: true },
    ...{ format: "esm", platform: "node", packages: "external" },
  });
  return outfile;
}

/** That of the presets' references, made by main.mjs before it starts a process. */
export const REFERENCE_BUNDLE = "references";
/** Where a bundle is. */
export const bundleOf = (name) => `${FOLDER}${name}.mjs`;
