import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findModel } from "../../src/models/model-files.ts";
import { CHROMIUM, DEVICE_FLAGS } from "../reference/chromium.ts";
import { SAMPLE, WORDS } from "../reference/sample.ts";
import { webNnChromium } from "../reference/webnn-chromium.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";
import type { DevicePage } from "./device-page.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TYPES: Record<string, string> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
const WEBNN_CHROMIUM = await webNnChromium();
const MODEL = dirname((await findModel("tiny")).config);

/** What the page may fetch. */
const FOLDERS: Record<string, string> = {
  "/ort/": join(ROOT, "node_modules/onnxruntime-web/dist"),
  "/tiny/": MODEL,
  "/hello.wav": SAMPLE,
};

async function serve(script: string): Promise<Server> {
  const server = createServer(async (request, response) => {
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    const path = normalize(new URL(request.url!, "http://localhost").pathname);
    const type = path === "/" ? "text/html" : TYPES[/\.\w+$/.exec(path)?.[0] ?? ""];
    response.setHeader("Content-Type", type ?? "application/octet-stream");
    if (path === "/") return response.end('<!doctype html><script type="module" src="/page.js"></script>');
    if (path === "/page.js") return response.end(script);
    const folder = Object.keys(FOLDERS).find((prefix) => path.startsWith(prefix));
    try {
      if (folder === undefined) throw new Error("it is nowhere");
      const bytes = await readFile(join(FOLDERS[folder]!, path.slice(folder.length)));
      response.setHeader("Content-Length", bytes.length);
      response.end(request.method === "HEAD" ? undefined : bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

describe.skipIf(!CHROMIUM && !WEBNN_CHROMIUM)("sessions on devices", () => {
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    const { hubClient } = await import("../../scripts/hub-client.mjs" as string);
    const bundle = await build({
      entryPoints: [join(ROOT, "test/inference/device-page.ts")],
      bundle: true,
      format: "esm",
      platform: "browser",
      conditions: ["browser"],
      target: "es2022",
      plugins: [hubClient],
      write: false,
    });
    server = await serve(bundle.outputFiles[0]!.text);
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => void server?.close());

  async function onPage<R, A = undefined>(
    browser: Browser,
    script: (argument: A) => Promise<R>,
    argument?: A,
  ): Promise<R> {
    const page = await browser.newPage();
    try {
      await page.goto(origin);
      await page.waitForFunction(() => "device" in globalThis);
      return await page.evaluate(script as (argument: unknown) => Promise<R>, argument);
    } finally {
      await page.close();
    }
  }

  describe.skipIf(!CHROMIUM)("in Chromium with WebGPU in software", () => {
    let browser: Browser;
    let adapter: boolean;

    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: CHROMIUM!, args: DEVICE_FLAGS });
      adapter = await onPage(browser, async () => {
        const { gpu } = navigator as unknown as { gpu?: { requestAdapter(): Promise<unknown> } };
        return Boolean(await gpu?.requestAdapter());
      });
    });

    afterAll(() => browser?.close());

    it("keep tensors in GPU buffers from run to run, and pool them by shape", async (context) => {
      if (!adapter) context.skip("this Chromium has no WebGPU adapter");
      const result = await onPage(browser, () =>
        (globalThis as unknown as DevicePage).device.chain("webgpu"),
      );
      expect(result.provider).toBe("webgpu");
      expect(result.locations).toEqual(["gpu", "gpu"]);
      expect(result.worst).toBeLessThan(1e-4);
      expect(result.reused).toBe(true);
      expect(result.dynamic).toBe("gpu");
    });

    it("move to Wasm when the GPU device is lost, with what lies on the host", async (context) => {
      if (!adapter) context.skip("this Chromium has no WebGPU adapter");
      const result = await onPage(browser, () => (globalThis as unknown as DevicePage).device.loseGpu());
      expect(result.before).toBe("webgpu");
      expect(result.after).toBe("wasm");
      expect(result.worst).toBeLessThan(1e-4);
      expect(result.passedOver).toEqual(["webgpu"]);
      expect(result.lostTensor).toBe("ProviderLostError");
    });

    // Few frames and tokens, for the GPU is software: all of tiny, its branches included, takes minutes a sentence.
    it("run Whisper on weights of 8 bits, unpacked", async (context) => {
      if (!adapter) context.skip("this Chromium has no WebGPU adapter");
      const result = await onPage(browser, () =>
        (globalThis as unknown as DevicePage).whisper.compare("webgpu", 8, [50258]),
      );
      expect(result.passed).toEqual([]);
      expect(result.providers).toEqual(["webgpu", "webgpu"]);
      expect(result.locations).toEqual(["gpu"]);
      expect(result.encoded).toBeLessThan(1e-2);
      expect(result.relative).toBeLessThan(1e-3);
      expect(Math.max(result.first, result.second)).toBeLessThan(1e-2);
    });

    it("are those of the Wasm heap otherwise, where tensors stay from run to run too", async () => {
      const result = await onPage(browser, () => (globalThis as unknown as DevicePage).device.chain("wasm"));
      expect(result.provider).toBe("wasm");
      expect(result.locations).toEqual(["runtime", "runtime"]);
      expect(result.worst).toBeLessThan(1e-4);
    });

    it("are passed over with the reason: no context, 8-bit weights, branches, free dimensions", async () => {
      const result = await onPage(browser, () => (globalThis as unknown as DevicePage).device.refusals());
      expect(result.provider).toBe("wasm");
      expect(result.webnn).toMatch(/WebNN/);
      expect(result.eightBit).toMatch(/8 bits \(DynamicQuantizeLinear\)/);
      expect(result.branches).toMatch(/branches \(If\)/);
      expect(result.free).toMatch(/free dimensions \(rows\)/);
      // A GPU in software is for those who ask for it.
      expect(result.auto.provider).toBe("wasm");
      expect(result.auto.gpu).toMatch(/no adapter|in software/);
    });
  });

  describe.skipIf(!WEBNN_CHROMIUM)("in a Chromium with WebNN", () => {
    let browser: Browser;

    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: WEBNN_CHROMIUM!,
        args: [...DEVICE_FLAGS, "--headless=old"],
      });
    });

    afterAll(() => browser?.close());

    it("keep tensors in MLTensors from run to run, and pool them by shape", async () => {
      const result = await onPage(browser, () => (globalThis as unknown as DevicePage).device.chain("webnn"));
      expect(result.provider).toBe("webnn");
      expect(["npu", "gpu", "cpu"]).toContain(result.device);
      expect(result.locations).toEqual(["npu", "npu"]);
      expect(result.worst).toBeLessThan(1e-2);
      expect(result.reused).toBe(true);
    });

    it("run Whisper's encoder and decoder, of 8-bit weights, in fixed sizes", async () => {
      const result = await onPage(browser, () =>
        (globalThis as unknown as DevicePage).whisper.compare("webnn", 1000, [50258, 50259, 50359]),
      );
      expect(result.passed).toEqual([]);
      expect(result.providers).toEqual(["webnn", "webnn"]);
      expect(result.locations).toEqual(["npu"]);
      expect(result.encoded).toBeLessThan(1e-2);
      expect(result.relative).toBeLessThan(1e-3);
      expect(Math.max(result.first, result.second)).toBeLessThan(1e-2);
    });

    it("transcribe from the sound to the words' times, and on Wasm when the context is lost", async () => {
      const { before, after, ...rest } = await onPage(browser, () =>
        (globalThis as unknown as DevicePage).whisper.transcribe(["webnn", "wasm"]),
      );
      expect(before.providers).toEqual({ encoder: "webnn", decoder: "webnn", passedOver: [] });
      expect(rest.words).toBeGreaterThan(10);
      expect(rest.end).toBeGreaterThan(4);
      // Lost after some tokens: the encoder's output and the caches go with it, and the window is done again.
      expect(after.providers).toMatchObject({ encoder: "wasm", decoder: "wasm" });
      const graphs = after.providers.passedOver.map(({ graph, provider }) => `${graph} ${provider}`);
      expect(graphs.sort()).toEqual(["decoder webnn", "encoder webnn"]);
      for (const { reason } of after.providers.passedOver) expect(reason).toMatch(/failed in a run/);
      // Tiny, without the rounding of activations that its weights were chosen for, makes "Matt" of "at".
      for (const { text } of [before, after]) expect(wordErrorRate([[WORDS, text]])).toBeLessThan(0.4);
      expect(rest.leased).toBe(0);
    });
  });
});
