import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/**
 * Makes the hub's client part of a browser build, shaken to what is used of it: its "browser" field is not heeded
 * beside its "exports" (esbuild), so that pages would fail to bundle it.
 */
export const hubClient = {
  name: "hub client",
  setup({ onResolve }) {
    onResolve({ filter: /^@huggingface\/hub$/ }, () => ({
      path: join(dirname(require.resolve("@huggingface/hub")), "browser/index.mjs"),
      sideEffects: false,
    }));
    // For uploads; it is imported by name, and for nothing else.
    onResolve({ filter: /^@huggingface\/xetchunk-wasm$/ }, ({ path }) => ({
      path,
      external: true,
      sideEffects: false,
    }));
  },
};
