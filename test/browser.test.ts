import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as wavepool from "../src/index.ts";
import { findModel } from "../src/models/model-files.ts";
import { CHROMIUM, launchChromium } from "./reference/chromium.ts";
import { referenceLogMel } from "./reference/log-mel.ts";
import { WORDS } from "./reference/sample.ts";
import { wordErrorRate } from "./reference/word-error-rate.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TYPES: Record<string, string> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** A worker that transcribes one sound and tells what came of it. */
const WORKER = `
  import "./page.js";
  addEventListener("message", async ({ data: { origin, options } }) => {
    try {
      const transcriber = await wavepool.createTranscriber(options);
      const sound = new Uint8Array(await (await fetch(origin + "/samples/hello.wav")).arrayBuffer());
      const segments = [];
      for await (const segment of transcriber.stream(sound)) segments.push(segment);
      const left = transcriber.stats().filter(({ inUse }) => inUse > 0);
      await transcriber.dispose();
      postMessage({ text: segments.map(({ text }) => text).join(""), left });
    } catch (error) {
      postMessage({ text: String(error), left: [] });
    }
  });
`;

/** What the page's script leaves on the global object. */
interface Page {
  wavepool: typeof wavepool;
}

/** Serves the page, the model, the sample and onnxruntime-web's own files with the isolation headers. */
async function serve(page: string): Promise<Server> {
  const model = (await findModel("base")).directory;
  const folders: Record<string, string> = {
    model,
    samples: join(ROOT, "samples"),
    ort: join(ROOT, "node_modules/onnxruntime-web/dist"),
  };
  const server = createServer(async (request, response) => {
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    const url = normalize(new URL(request.url!, "http://localhost").pathname);
    if (url === "/")
      return response
        .setHeader("Content-Type", "text/html")
        .end('<!doctype html><title>test</title><script type="module" src="/page.js"></script>');
    const [, top = "", ...rest] = url.split("/");
    const extension = /\.\w+$/.exec(url)?.[0] ?? "";
    response.setHeader("Content-Type", TYPES[extension] ?? "application/octet-stream");
    if (url === "/page.js") return response.end(page);
    if (url === "/worker.js") return response.end(WORKER);
    try {
      response.end(await readFile(join(folders[top] ?? "/nowhere", ...rest)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

describe.skipIf(!CHROMIUM)("Chromium", () => {
  let browser: Browser;
  let server: Server;
  let origin: string;

  beforeAll(async () => {
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
    server = await serve(bundle.outputFiles[0]!.text);
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  async function onPage<R>(script: (origin: string) => Promise<R>): Promise<R> {
    const page = await browser.newPage();
    try {
      await page.goto(origin);
      return await page.evaluate(script, origin);
    } finally {
      await page.close();
    }
  }

  it("computes the same log-mel", async () => {
    const features = await onPage(async () => {
      const { createCore, createFrontEnd, createBufferPool } = (globalThis as unknown as Page).wavepool;
      const core = await createCore();
      const pool = createBufferPool(core, { name: "mel", dtype: "f32", shape: 240000, max: 1 });
      const lease = pool.acquire();
      const samples = Float32Array.from({ length: 16000 }, (_, i) => Math.sin(i * i * 1e-5));
      const frames = createFrontEnd(core, { preset: "whisper-80", pad: false }).compute(samples, lease.view);
      return [...lease.view.subarray(0, 80 * frames)];
    });
    const samples = Float32Array.from({ length: 16000 }, (_, i) => Math.sin(i * i * 1e-5));
    const expected = referenceLogMel(samples, 80);
    expect(features).toHaveLength(8000);
    // A sweep of full scale, for which float32 has this limit.
    for (let i = 0; i < 8000; i++) expect(Math.abs(features[i]! - expected[i]!)).toBeLessThanOrEqual(5e-5);
  });

  it("transcribes the sample with base from a URL, in a worker, and gives its leases back", async () => {
    const { text, left } = await onPage(async (origin) => {
      const worker = new Worker("/worker.js", { type: "module" });
      const answer = new Promise<MessageEvent>((resolve) => worker.addEventListener("message", resolve));
      worker.postMessage({
        origin,
        options: { model: `${origin}/model`, runtimeFiles: `${origin}/ort/` },
      });
      return (await answer).data as { text: string; left: unknown[] };
    });
    expect(wordErrorRate([[WORDS, text]])).toBe(0);
    expect(left).toEqual([]);
  });

  it("names what is missing when onnxruntime-web's own files are not served", async () => {
    const message = await onPage(async (origin) => {
      const { createTranscriber } = (globalThis as unknown as Page).wavepool;
      return createTranscriber({ model: `${origin}/model`, runtimeFiles: `${origin}/nowhere/` }).then(
        () => "created all the same",
        (error: Error) => `${error.name}: ${error.message}`,
      );
    });
    expect(message).toMatch(
      /^UnsupportedRuntimeError: onnxruntime-web does not start .* give their URL as runtimeFiles$/,
    );
  });

  it("names a model that is not there", async () => {
    const message = await onPage(async (origin) => {
      const { createTranscriber } = (globalThis as unknown as Page).wavepool;
      return createTranscriber({ model: `${origin}/nothing` }).catch(
        (error: Error) => `${error.name}: ${error.message}`,
      );
    });
    expect(message).toMatch(/^ModelNotFoundError: model directory http:\S+\/nothing has no config\.json/);
  });
});
