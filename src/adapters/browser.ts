/** Browsers: files are URLs, models are served from a directory of the site. */
import { FileError } from "../core/errors.ts";
import type { Adapter } from "./adapter.ts";

async function fetchFile(url: string, method: "GET" | "HEAD"): Promise<Response> {
  try {
    return await fetch(url, { method });
  } catch (cause) {
    throw new FileError(`cannot fetch ${url}: ${(cause as Error).message}; check the URL and the network`, {
      cause,
    });
  }
}

export const adapter: Adapter = {
  runtime: globalThis.navigator?.userAgent ?? "unknown runtime",
  cores: globalThis.navigator?.hardwareConcurrency ?? 1,
  join: (directory, path) => `${directory.replace(/\/$/, "")}/${path}`,
  async fileExists(url) {
    const { ok, status } = await fetchFile(url, "HEAD");
    if (ok || status === 404 || status === 410) return ok;
    throw new FileError(`cannot look for ${url}: the server answers ${status} to HEAD; check the server`);
  },
  async readFile(url) {
    const response = await fetchFile(url, "GET");
    if (!response.ok)
      throw new FileError(`cannot fetch ${url}: the server answers ${response.status}; check the URL`);
    return new Uint8Array(await response.arrayBuffer());
  },
  async writeFile(path) {
    throw new FileError(`cannot write ${path}: a page has no file system; offer the bytes as a download`);
  },
  findPackage: () => undefined,
  nextTask() {
    // Not setTimeout: browsers hold nested timers back by 4 ms.
    const { port1, port2 } = new MessageChannel();
    return new Promise((resolve) => {
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(undefined);
    });
  },
  sameFile: async (a, b) => new URL(a, location.href).href === new URL(b, location.href).href,
  modelCache: undefined,
};
