import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { openSound } from "../src/audio/sound-source.ts";
import { createCore } from "../src/index.ts";
import { CHROMIUM, launchChromium } from "./reference/chromium.ts";
import { soundOf } from "./reference/sound-streams.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What the page's script leaves on the global object. */
interface Page {
  openSound: typeof openSound;
  createCore: typeof createCore;
}

describe.skipIf(!CHROMIUM)("openSound in Chromium", () => {
  let browser: Browser;
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    const bundle = await build({
      stdin: {
        contents: `export * from "./src/audio/sound-source.ts"; export * from "./src/core/create-core.ts";
          import * as all from "./src/audio/sound-source.ts"; import * as core from "./src/core/create-core.ts";
          Object.assign(globalThis, all, core);`,
        resolveDir: ROOT,
      },
      bundle: true,
      format: "esm",
      platform: "browser",
      conditions: ["browser"],
      target: "es2022",
      write: false,
    });
    const page = bundle.outputFiles[0]!.text;
    server = createServer(async (request, response) => {
      if (request.url === "/") {
        response.setHeader("Content-Type", "text/html");
        response.end('<!doctype html><title>test</title><script type="module" src="/page.js"></script>');
      } else if (request.url === "/page.js") {
        response.setHeader("Content-Type", "text/javascript");
        response.end(page);
      } else if (request.url?.startsWith("/hello")) {
        response.end(await readFile(new URL(`fixtures${request.url}`, import.meta.url)));
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  it.each(["hello.flac", "hello.opus", "hello.m4a"])(
    "reads %s from a URL, a response and a File",
    async (name) => {
      const page = await browser.newPage();
      try {
        await page.goto(origin);
        const sounds = await page.evaluate(async (name) => {
          const { openSound, createCore } = globalThis as unknown as Page;
          const core = await createCore({ threads: false });
          const url = new URL(name, location.href).href;
          const file = new File([await (await fetch(url)).blob()], name);
          const read: number[][] = [];
          for (const source of [url, (await fetch(url)).body!, file]) {
            const reader = await openSound(core, source);
            const view = new Float32Array(100_000);
            read.push([...view.subarray(0, await reader.read(view))]);
            await reader.close();
          }
          return read;
        }, name);
        const expected = [
          ...(await soundOf(await createCore(), fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)))),
        ];
        expect(sounds).toHaveLength(3);
        for (const sound of sounds) {
          expect(sound).toHaveLength(expected.length);
          // Other processors' fused multiply-add may round otherwise.
          for (let i = 0; i < expected.length; i++)
            expect(Math.abs(sound[i]! - expected[i]!)).toBeLessThan(1e-6);
        }
      } finally {
        await page.close();
      }
    },
  );
});
