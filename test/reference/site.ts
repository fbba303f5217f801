import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = '<!doctype html><title>test</title><script type="module" src="/page.js"></script>';
/** Paths of pages; all but the second are isolated. */
const PAGES = ["/", "/plain", "/strict"];
const TYPES: Record<string, string> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** A site on this machine. */
export interface Site {
  readonly origin: string;
  close(): void;
}

/** What a site has beside its pages, which run /page.js. */
export interface SiteContents {
  /** Scripts by their paths. */
  scripts: Readonly<Record<string, string>>;
  /** Folders by the first part of the path. */
  folders?: Readonly<Record<string, string>>;
  /** Sees to a request first; true when it was answered. */
  first?: (path: string, response: ServerResponse) => boolean;
}

/** Serves pages at /, /plain (without the isolation headers) and /strict, and what else they need. */
export async function serveSite({ scripts, folders = {}, first }: SiteContents): Promise<Site> {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url!, "http://localhost").pathname);
    if (path !== "/plain") {
      response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
      response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    }
    if (first?.(path, response)) return;
    if (PAGES.includes(path)) {
      response.setHeader("Content-Type", "text/html");
      response.end(PAGE);
      return;
    }
    const [, top = "", ...rest] = path.split("/");
    response.setHeader("Content-Type", TYPES[/\.\w+$/.exec(path)?.[0] ?? ""] ?? "application/octet-stream");
    try {
      response.end(scripts[path] ?? (await readFile(join(folders[top] ?? "/nowhere", ...rest))));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A page's script of its source, whose imports begin at the repository. */
export async function bundlePage(contents: string, plugins: Plugin[] = []): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    plugins,
  });
  return outputFiles[0]!.text;
}

/** The script of a page that has the package, as it is shipped for browsers, on its global object as `wavepool`. */
export const bundlePackage = (): Promise<string> =>
  bundlePage('import * as wavepool from "./dist/index.browser.js"; globalThis.wavepool = wavepool;');
