import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { findModel } from "../../src/models/model-files.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TYPES: Record<string, string> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** A site with a page that has the package on its global object as `wavepool`. */
export interface Site {
  readonly origin: string;
  /** Refuses the model's files from now on, as a network that is cut off. */
  cutOff(): void;
  close(): void;
}

/** What a page may do at /strict: no text as script, no blobs, but Wasm. */
const STRICT =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; object-src 'none'";

/** Serves the page (isolated at / and /strict, not at /plain), tiny, the sample, the package's programs and onnxruntime-web's own files. */
export async function openSite(): Promise<Site> {
  const bundle = await build({
    stdin: {
      contents: 'import * as wavepool from "./dist/index.browser.js"; globalThis.wavepool = wavepool;',
      resolveDir: ROOT,
    },
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
  });
  const page = bundle.outputFiles[0]!.text;
  const folders: Record<string, string> = {
    model: (await findModel("tiny")).directory,
    samples: join(ROOT, "samples"),
    vad: join(ROOT, "node_modules/@ricky0123/vad-web/dist"),
    dist: join(ROOT, "dist"),
    ort: join(ROOT, "node_modules/onnxruntime-web/dist"),
  };
  let cut = false;
  const server: Server = createServer(async (request, response) => {
    const url = normalize(new URL(request.url!, "http://localhost").pathname);
    if (url !== "/plain") {
      response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
      response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    }
    if (url === "/strict" || url.endsWith(".js")) response.setHeader("Content-Security-Policy", STRICT);
    if (url === "/" || url === "/plain" || url === "/strict") {
      response.setHeader("Content-Type", "text/html");
      response.end('<!doctype html><title>test</title><script type="module" src="/page.js"></script>');
      return;
    }
    const [, top = "", ...rest] = url.split("/");
    response.setHeader("Content-Type", TYPES[/\.\w+$/.exec(url)?.[0] ?? ""] ?? "application/octet-stream");
    if (url === "/page.js") return void response.end(page);
    if (cut && top === "model") return void response.destroy();
    try {
      response.end(await readFile(join(folders[top] ?? "/nowhere", ...rest)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutOff() {
      cut = true;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
