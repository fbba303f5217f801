/** The suites as a site for browsers: bundled by esbuild, and served with the headers that shared memory needs. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { hubClient } from "../../scripts/hub-client.mjs";
import { MODEL_PATH, modelDirectory } from "./speech-model.mjs";

const require = createRequire(import.meta.url);
const bench = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const TYPES = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".html": "text/html",
  ".wasm": "application/wasm",
};
/** A page of nothing but the suites, for browsers that are driven and for frames of bench/browser.html. */
const BARE = '<!doctype html><meta charset="utf-8"><script type="module" src="page.js"></script>';
/** What loaders of Emscripten and transformers.js import in Node only. */
const NODE_ONLY = [
  "module",
  "fs",
  "path",
  "url",
  "crypto",
  "worker_threads",
  "node:*",
  "sharp",
  "onnxruntime-node",
];

/**
 * Bundles bench/browser.html's script into a directory. A peer that is not installed is left to fail when it is asked for.
 *
 * @param out directory
 */
export async function buildSite(out) {
  await build({
    entryPoints: { page: bench("harness/page.mjs"), "page-thread": bench("harness/page-thread.mjs") },
    outdir: out,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    splitting: true,
    minify: true,
    alias: { wavepool: bench("../dist/index.browser.js") },
    external: NODE_ONLY,
    logLevel: "error",
    logOverride: { "unsupported-dynamic-import": "silent" },
    plugins: [hubClient, leaveMissing],
  });
  cpSync(bench("browser.html"), join(out, "index.html"));
  writeFileSync(join(out, "suite.html"), BARE);
}

/**
 * What a page fetches beside its scripts, as it is installed and not bundled: by paths of the site, directories. Without the model's
 * package there is no model, and the page says so.
 */
export function siteFolders() {
  const model = modelDirectory();
  return {
    modules: bench("node_modules"),
    onnxruntime: dirname(require.resolve("onnxruntime-web")),
    samples: bench("../samples"),
    ...(model && { [MODEL_PATH]: model }),
  };
}

/** An import that cannot be resolved becomes a module that throws, so that the page names the peer and goes on. */
const leaveMissing = {
  name: "leave missing peers to the page",
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^[^./]/, namespace: "file" }, async ({ path, pluginData, kind, ...rest }) => {
      if (pluginData === "asked" || kind !== "dynamic-import" || NODE_ONLY.includes(path)) return;
      const { resolveDir, importer } = rest;
      const found = await resolve(path, { kind, resolveDir, importer, pluginData: "asked" });
      if (found.errors.length === 0) return found;
      return { path, namespace: "missing" };
    });
    onLoad({ filter: /.*/, namespace: "missing" }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not installed: npm run peers`)})`,
    }));
  },
};

/**
 * Serves it on a free port of this machine.
 *
 * @param served as siteFolders gives them
 */
export async function serveSite(served = siteFolders()) {
  const out = mkdtempSync(join(tmpdir(), "wavepool-bench-site-"));
  await buildSite(out);
  const folders = Object.entries(served);
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname).slice(1);
    const [prefix, folder] = folders.find(([prefix]) => path.startsWith(`${prefix}/`)) ?? ["", out];
    const file = join(folder, prefix === "" ? path || "index.html" : path.slice(prefix.length + 1));
    try {
      const body = readFileSync(file);
      response.writeHead(200, {
        "content-type": TYPES[extname(file)] ?? "application/octet-stream",
        "content-length": body.length,
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      });
      response.end(request.method === "HEAD" ? undefined : body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close() {
      server.close();
      server.closeAllConnections();
      rmSync(out, { recursive: true, force: true });
    },
  };
}
