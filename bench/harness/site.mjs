/** The suites as a site for browsers: bundled by esbuild, and served with the headers that shared memory needs. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const bench = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const TYPES = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".html": "text/html",
  ".wasm": "application/wasm",
};
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
    plugins: [leaveMissing],
  });
  cpSync(bench("browser.html"), join(out, "index.html"));
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

/** Serves it on a free port of this machine. */
export async function serveSite() {
  const out = mkdtempSync(join(tmpdir(), "wavepool-bench-site-"));
  await buildSite(out);
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    const file = path.startsWith("/modules/")
      ? bench(`node_modules/${path.slice(9)}`)
      : join(out, path === "/" ? "index.html" : path);
    try {
      const body = readFileSync(file);
      response.writeHead(200, {
        "content-type": TYPES[extname(file)] ?? "application/octet-stream",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      });
      response.end(body);
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
