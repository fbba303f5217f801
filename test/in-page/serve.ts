import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const IN_PAGE = join(ROOT, "test/in-page");

/** Stand-ins for what tests import that pages lack. */
const STAND_INS: Record<string, string> = {
  vitest: "vitest.ts",
  "node:worker_threads": "node-worker-threads.ts",
  "node:fs": "node-modules.ts",
  "node:fs/promises": "node-modules.ts",
  "node:path": "node-modules.ts",
  "node:url": "node-modules.ts",
};

/** Workers of tests, each a file of its own. */
const WORKERS = ["test/pools/agent.mjs"];

function inPage(files: readonly string[]): Plugin {
  return {
    name: "in page",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^(vitest|node:.*)$/ }, ({ path }) => {
        const standIn = STAND_INS[path];
        return standIn ? { path: join(IN_PAGE, standIn) } : { errors: [{ text: `no stand-in for ${path}` }] };
      });
      // What the package has for browsers.
      onResolve({ filter: /^\.\.\/\.\.\/dist\/index\.js$/ }, () => ({
        path: join(ROOT, "dist/index.browser.js"),
      }));
      onResolve({ filter: /^in-page:files$/ }, ({ path }) => ({ path, namespace: "in-page" }));
      onLoad({ filter: /.*/, namespace: "in-page" }, () => ({
        contents: `export const FILES = {${files.map((file) => `"${file}": () => import("./${file}")`).join()}};`,
        resolveDir: ROOT,
      }));
      // Tests name files beside them by import.meta.url, which in a bundle is the bundle's.
      onLoad({ filter: /\/test\/.*\.(ts|mjs)$/ }, async ({ path }) => ({
        contents: (await readFile(path, "utf8")).replaceAll(
          "import.meta.url",
          `new URL("/${relative(ROOT, path)}", location.origin).href`,
        ),
        loader: path.endsWith(".ts") ? "ts" : "js",
      }));
    },
  };
}

const TYPES: Record<string, string> = { js: "text/javascript", mjs: "text/javascript" };

/**
 * Serves the repository to pages with the isolation headers; / is a page that runs the test files (run.ts).
 *
 * @param files paths of test files in the repository
 */
export async function serveTests(files: readonly string[]): Promise<{ server: Server; origin: string }> {
  const { hubClient } = await import("../../scripts/hub-client.mjs" as string);
  const { outputFiles } = await build({
    entryPoints: [join(IN_PAGE, "run.ts"), ...WORKERS.map((worker) => join(ROOT, worker))],
    outbase: ROOT,
    outdir: ROOT,
    entryNames: "[dir]/[name]",
    chunkNames: "chunks/[name]-[hash]",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    conditions: ["browser"],
    target: "es2022",
    define: { "process.env": "{}" },
    plugins: [inPage(files), hubClient],
    logLevel: "error",
    write: false,
  });
  const built = new Map(outputFiles.map(({ path, contents }) => [`/${relative(ROOT, path)}`, contents]));
  const server = createServer(async ({ url }, response) => {
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    const { pathname } = new URL(url!, "http://localhost");
    const type = pathname === "/" ? "text/html" : TYPES[pathname.split(".").at(-1)!];
    response.setHeader("Content-Type", type ?? "application/octet-stream");
    if (pathname === "/")
      return response.end(
        '<!doctype html><title>test</title><script type="module" src="/test/in-page/run.mjs"></script>',
      );
    try {
      response.end(built.get(pathname) ?? (await readFile(join(ROOT, pathname))));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
