import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { adapter } from "../../src/adapters/node.ts";
import type { FetchOptions } from "../../src/models/fetch-model.ts";
import type { listModels, removeModel } from "../../src/models/model-cache.ts";
import type { findModel } from "../../src/models/model-files.ts";
import { CHROMIUM, launchChromium } from "../reference/chromium.ts";
import { type Hub, sha256, startHub } from "./hub-server.ts";
import { smallModel } from "./small-model.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NAME = "someone/model";
const ENCODER = "onnx/encoder_model_quantized.onnx";
/** More than two segments of 8 MB, so that files of several are among them. */
const LARGE = Buffer.alloc(20_000_000, "twenty million bytes ");
const files = new Map([...smallModel(9), [ENCODER, LARGE]]);

/** What the page's script leaves on the global object. */
interface OnPage {
  store: {
    findModel: typeof findModel;
    listModels: typeof listModels;
    removeModel: typeof removeModel;
    adapter: typeof adapter;
  };
}

async function serve(script: string): Promise<Server> {
  const server = createServer((request, response) => {
    const html = request.url !== "/page.js";
    if (request.url === "/sandbox") response.setHeader("Content-Security-Policy", "sandbox allow-scripts");
    response.setHeader("Content-Type", html ? "text/html" : "text/javascript");
    response.end(
      html ? '<!doctype html><title>test</title><script type="module" src="/page.js"></script>' : script,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

describe.skipIf(!CHROMIUM).each(["file system", "cache"])("Chromium's %s", (storage) => {
  let browser: Browser;
  let server: Server;
  let hub: Hub;
  let page: Page;
  let script: string;

  beforeAll(async () => {
    const { hubClient } = await import("../../scripts/hub-client.mjs" as string);
    const bundle = await build({
      stdin: {
        contents: `
          export { findModel } from "./src/models/model-files.ts";
          export { listModels, removeModel } from "./src/models/model-cache.ts";
          export { adapter } from "#adapter";`,
        resolveDir: ROOT,
      },
      bundle: true,
      format: "iife",
      globalName: "store",
      platform: "browser",
      conditions: ["browser"],
      target: "es2022",
      plugins: [hubClient],
      write: false,
    });
    script = `${bundle.outputFiles[0]!.text}; globalThis.store = store;`;
    server = await serve(script);
    hub = await startHub({ [NAME]: files });
    browser = await launchChromium();
    page = await browser.newPage();
    if (storage === "cache") {
      // As in browsers whose pages cannot write to the file system.
      await page.addInitScript("delete FileSystemFileHandle.prototype.createWritable");
    }
    await reload();
  });

  afterAll(async () => {
    await browser?.close();
    await hub?.close();
    server?.close();
  });

  async function reload(): Promise<void> {
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction("globalThis.store !== undefined");
  }

  /** Finds the model on the page: its files, or the error's name and message. */
  function find(options: FetchOptions & { offline?: boolean; abortAt?: number } = {}) {
    return page.evaluate(
      async ([name, { abortAt, ...options }]) => {
        const { findModel } = (globalThis as unknown as OnPage).store;
        const controller = new AbortController();
        let last: { bytes: number; totalBytes: number } | undefined;
        const found = await findModel(name, {
          ...options,
          retryDelay: 1,
          signal: controller.signal,
          onProgress: (progress) => {
            last = progress;
            if (abortAt !== undefined && progress.bytes >= abortAt) controller.abort(new Error("enough"));
          },
        }).catch((error: Error) => ({ error: `${error.name}: ${error.message}` }));
        return { found, last };
      },
      [NAME, { hubUrl: hub.url, ...options }] as const,
    );
  }

  const bytesOf = (path: string) => hub.log.filter((seen) => seen.path === path && seen.kind === "bytes");

  /** The encoder came in several requests, each of which began behind the one before it. */
  function expectGoingOn(): void {
    const begun = bytesOf(ENCODER).map(({ from }) => from ?? 0);
    expect(begun.length).toBeGreaterThan(1);
    expect(begun).toEqual([...new Set(begun)].sort((a, b) => a - b));
  }

  it("keeps a model from the hub, of which later pages read the same bytes without it", async () => {
    hub.behave = ({ path, kind, from }) =>
      path === ENCODER && kind === "bytes" && from === undefined ? { cutAt: 12_000_000 } : undefined;
    const { found, last } = await find();
    expect(found).toMatchObject({
      origin: "hub",
      directory: `wavepool:models/${NAME}/main`,
      encoder: `wavepool:models/${NAME}/main/${ENCODER}`,
    });
    expect(last!.bytes).toBe(last!.totalBytes);
    expectGoingOn();

    await reload();
    hub.log.length = 0;
    expect((await find({ offline: true })).found).toMatchObject({ origin: "cache" });
    expect(hub.log).toEqual([]);
    const digest = await page.evaluate(async (path) => {
      const bytes = await (globalThis as unknown as OnPage).store.adapter.readFile(path);
      const hash = await crypto.subtle.digest("SHA-256", bytes);
      return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    }, `wavepool:models/${NAME}/main/${ENCODER}`);
    expect(digest).toBe(sha256(LARGE));
  });

  it("lies where it is said to lie", async () => {
    const places = await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const names: string[] = [];
      for await (const name of (root as unknown as { keys(): AsyncIterable<string> }).keys())
        names.push(name);
      return { files: names, caches: await caches.keys() };
    });
    expect(places).toEqual(
      storage === "cache" ? { files: [], caches: ["wavepool"] } : { files: ["wavepool"], caches: [] },
    );
  });

  it("lists and removes it, with all of its segments", async () => {
    const { models, left } = await page.evaluate(async (name) => {
      const { listModels, removeModel, adapter } = (globalThis as unknown as OnPage).store;
      const models = await listModels();
      await removeModel(name);
      return { models, left: await adapter.modelStore!.list(adapter.modelCache!) };
    }, NAME);
    const bytes = [...files].reduce((sum, [path, file]) => sum + (path === "README.md" ? 0 : file.length), 0);
    expect(models).toEqual([
      {
        name: NAME,
        origin: "cache",
        revision: "main",
        dtypes: ["q8"],
        bytes,
        unfinishedBytes: 0,
        path: `wavepool:models/${NAME}/main`,
      },
    ]);
    expect(left).toEqual([]);
  });

  it("goes on after an abort, and after the end of the page, where it was", async () => {
    hub.behave = async ({ path, kind, from, response }) => {
      if (path !== ENCODER || kind !== "bytes" || from !== undefined) return undefined;
      response.writeHead(200, { "Content-Length": LARGE.length });
      response.write(LARGE.subarray(0, 10_000_000));
      await new Promise((resolve) => setTimeout(resolve, 300)); // reports come ten times a second
      response.write(LARGE.subarray(10_000_000, 12_000_000));
      return "answered"; // and never ends
    };
    hub.log.length = 0;
    expect((await find({ abortAt: 9_000_000 })).found).toEqual({ error: "Error: enough" });
    await reload();
    expect((await find({ offline: true })).found).toMatchObject({
      error: expect.stringMatching(/^ModelNotFoundError: .*has no onnx\/encoder_model/),
    });
    const { found } = await find();
    expect(found).toMatchObject({ origin: "hub" });
    expectGoingOn();
  });

  it("refuses wrong bytes and keeps none of them", async () => {
    hub.repositories.set(NAME, new Map([...files, [ENCODER, Buffer.alloc(100_000, 1)]]));
    hub.behave = ({ path, kind }) =>
      path === ENCODER && kind === "bytes" ? { body: Buffer.alloc(100_000, 2) } : undefined;
    await page.evaluate((name) => (globalThis as unknown as OnPage).store.removeModel(name), NAME);
    const { found } = await find();
    expect(found).toMatchObject({
      error: expect.stringMatching(/^DownloadError: .* came with SHA-256 \w+, but the hub tells/),
    });
    const left = await page.evaluate(async () => {
      const { adapter } = (globalThis as unknown as OnPage).store;
      return adapter.modelStore!.list(adapter.modelCache!);
    });
    expect(left.filter(({ path }) => path.includes("encoder"))).toEqual([]);
  });

  it("fetches it once for calls that overlap", async () => {
    hub.repositories.set(NAME, files);
    hub.behave = () => undefined;
    hub.log.length = 0;
    const all = await Promise.all([find(), find(), find()]);
    for (const { found } of all) expect(found).toMatchObject({ origin: expect.stringMatching(/hub|cache/) });
    expect(bytesOf(ENCODER).filter(({ from }) => from === undefined)).toHaveLength(1);
  });

  it("that is not allowed is a typed error, and no obstacle to what needs none", async () => {
    const sandbox = await browser.newPage();
    try {
      await sandbox.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/sandbox`);
      await sandbox.addScriptTag({ content: script });
      const messages = await sandbox.evaluate(async (name) => {
        const { findModel } = (globalThis as unknown as OnPage).store;
        const message = (error: Error) => `${error.name}: ${error.message}`;
        return [
          await findModel(name).then(() => "found", message),
          await findModel("blob:nothing").then(() => "found", message),
        ];
      }, "tiny");
      expect(messages[0]).toMatch(/^FileError: cannot open the browser's storage: .*; allow site data/);
      expect(messages[1]).not.toMatch(/storage/);
    } finally {
      await sandbox.close();
    }
  });
});
