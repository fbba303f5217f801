import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROMIUM } from "../reference/chromium.ts";
import type { DevicePage } from "./device-page.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TYPES: Record<string, string> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
/** A GPU in software where there is none, and WebNN where the browser has it. */
const FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-sync",
  "--disable-background-networking",
  "--disable-component-update",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=WebMachineLearningNeuralNetwork",
];
/** A browser whose WebNN works: Debian's has navigator.ml, but no backend. */
const WEBNN_CHROMIUM = process.env.WAVEPOOL_WEBNN_CHROMIUM;
if (!WEBNN_CHROMIUM)
  console.warn("SKIPPED: WebNN. Set WAVEPOOL_WEBNN_CHROMIUM to a Chromium whose WebNN has a backend.");

async function serve(script: string): Promise<Server> {
  const server = createServer(async (request, response) => {
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    const path = normalize(new URL(request.url!, "http://localhost").pathname);
    const type = path === "/" ? "text/html" : TYPES[/\.\w+$/.exec(path)?.[0] ?? ""];
    response.setHeader("Content-Type", type ?? "application/octet-stream");
    if (path === "/") return response.end('<!doctype html><script type="module" src="/page.js"></script>');
    if (path === "/page.js") return response.end(script);
    try {
      response.end(
        await readFile(join(ROOT, "node_modules/onnxruntime-web/dist", path.replace("/ort/", ""))),
      );
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

describe.skipIf(!CHROMIUM)("sessions on devices", () => {
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    const bundle = await build({
      entryPoints: [join(ROOT, "test/inference/device-page.ts")],
      bundle: true,
      format: "esm",
      platform: "browser",
      conditions: ["browser"],
      target: "es2022",
      write: false,
    });
    server = await serve(bundle.outputFiles[0]!.text);
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => void server?.close());

  async function onPage<R>(browser: Browser, script: () => Promise<R>): Promise<R> {
    const page = await browser.newPage();
    try {
      await page.goto(origin);
      await page.waitForFunction(() => "device" in globalThis);
      return await page.evaluate(script);
    } finally {
      await page.close();
    }
  }

  describe("in Chromium with WebGPU in software", () => {
    let browser: Browser;
    let adapter: boolean;

    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: CHROMIUM!, args: FLAGS });
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
    });
  });

  describe.skipIf(!WEBNN_CHROMIUM)("in a Chromium with WebNN", () => {
    let browser: Browser;

    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: WEBNN_CHROMIUM!,
        args: [...FLAGS, "--headless=old"],
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
  });
});
