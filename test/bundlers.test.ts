import { execFile } from "node:child_process";
import { cp, readFile, symlink } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as wavepool from "../src/index.ts";
import { findModel } from "../src/models/model-files.ts";
import { CHROMIUM, launchChromium } from "./reference/chromium.ts";
import { maxError, referenceLogMel } from "./reference/log-mel.ts";
import { installPacked, type PackedProject } from "./reference/packed.ts";
import { SAMPLE, WORDS } from "./reference/sample.ts";
import { wordErrorRate } from "./reference/word-error-rate.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const APPS = join(ROOT, "test/bundlers");
const module = (path: string) => join(ROOT, "node_modules", path);

interface Bundler {
  name: string;
  /** Packages that a user has beside wavepool. */
  needs: string[];
  /** Arguments to node, in the app's folder. */
  command: string[];
  /** Folder that is served. */
  site: string;
  /** Whether it finds files by their URL: those of onnxruntime-web. */
  findsFiles?: true;
}

const BUNDLERS: Bundler[] = [
  {
    name: "vite",
    needs: ["vite"],
    command: [module("vite/bin/vite.js"), "build"],
    site: "dist",
    findsFiles: true,
  },
  {
    name: "webpack",
    needs: ["webpack"],
    // What webpack-cli does, which is one more package; minifying is most of the time that it takes.
    command: [
      "--input-type=module",
      "--eval",
      `import webpack from "webpack";
       const config = (await import(process.cwd() + "/webpack.config.js")).default;
       webpack({ ...config, optimization: { minimize: false } }, (error, stats) => {
         if (error ?? stats.hasErrors()) throw error ?? new Error(stats.toString("errors-only"));
       });`,
    ],
    site: ".",
    findsFiles: true,
  },
  { name: "esbuild", needs: ["esbuild"], command: ["build.js"], site: "." },
  {
    name: "rollup",
    needs: ["rollup", "@rollup/plugin-node-resolve"],
    command: [module("rollup/dist/bin/rollup"), "--config"],
    site: ".",
  },
];

const TYPES: Record<string, string> = {
  html: "text/html",
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
};

/** What the app leaves on the global object (test/bundlers/main.js). */
declare const app: {
  logMel(): Promise<{ features: number[]; threads: boolean; sameClass: boolean; inUse: number }>;
  decode(url: string): Promise<number>;
  transcribe(url: string, options: object): Promise<Pick<wavepool.Transcription, "text" | "providers">>;
};

describe.skipIf(!CHROMIUM)("the packed tarball, bundled and run in Chromium", () => {
  let project: PackedProject;
  let browser: Browser;

  beforeAll(async () => {
    project = await installPacked();
    const needs = BUNDLERS.flatMap((bundler) => bundler.needs);
    for (const name of new Set(needs.map((need) => need.split("/")[0]!))) {
      await symlink(module(name), join(project.folder, "node_modules", name));
    }
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await project?.remove();
  });

  describe.each(BUNDLERS)("by $name", ({ name, command, site, findsFiles }) => {
    let server: Server;
    let origin: string;
    /** Paths that nothing was found at. */
    const missing: string[] = [];

    /** The app as it was built, the sounds and the model. */
    async function serve(): Promise<void> {
      const served: Record<string, string> = {
        sounds: join(ROOT, "test/fixtures"),
        model: dirname((await findModel("tiny")).config),
      };
      server = createServer(async ({ url, method }, response) => {
        const { pathname } = new URL(url!, "http://localhost");
        const path = pathname === "/" ? "/index.html" : pathname;
        response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
        response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
        const type = TYPES[path.split(".").at(-1)!];
        response.setHeader("Content-Type", type ?? "application/octet-stream");
        const [, top = "", ...rest] = path.split("/");
        const file = served[top] ? join(served[top], ...rest) : join(project.folder, name, site, path);
        try {
          const bytes = await readFile(path === "/sounds/hello.wav" ? SAMPLE : file);
          response.end(method === "HEAD" ? undefined : bytes);
        } catch {
          if (!path.startsWith("/model/") && path !== "/favicon.ico") missing.push(path);
          response.writeHead(404).end();
        }
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }

    beforeAll(async () => {
      const folder = join(project.folder, name);
      await cp(join(APPS, name), folder, { recursive: true });
      await cp(join(APPS, "main.js"), join(folder, "main.js"));
      await promisify(execFile)(process.execPath, command, { cwd: folder });
      await serve();
    });

    afterAll(() => void server?.close());

    async function onPage<R, A = undefined>(script: (argument: A) => Promise<R>, argument?: A): Promise<R> {
      const page = await browser.newPage();
      try {
        await page.goto(origin);
        return await page.evaluate(script as (argument: unknown) => Promise<R>, argument);
      } finally {
        await page.close();
      }
    }

    it("runs pools, log-mel with a crew, and a codec, with no file copied", async () => {
      const { logMel, seconds } = await onPage(async () => ({
        logMel: await app.logMel(),
        seconds: await app.decode("/sounds/hello.flac"),
      }));
      const { features, ...rest } = logMel;
      expect(rest).toEqual({ threads: true, sameClass: true, inUse: 0 });
      const samples = Float32Array.from({ length: 16000 }, (_, i) =>
        Math.sin((2 * Math.PI * 440 * i) / 16000),
      );
      expect(maxError(Float32Array.from(features), referenceLogMel(samples, 80))).toBeLessThanOrEqual(5e-5);
      expect(seconds).toBe(1.5);
      expect(missing).toEqual([]);
    });

    const model = () => ({ model: `${origin}/model`, providers: ["wasm"], warm: false });

    if (findsFiles)
      it("transcribes with onnxruntime-web's own files where the bundler put them", async () => {
        const { text, providers, caught } = await onPage(
          async (options) => ({
            ...(await app.transcribe("/sounds/hello.wav", options)),
            // Left by src/inference/runtime-module.ts: tensors stay in the runtime's heap.
            caught: Symbol.for("wavepool.onnxruntime-factory") in globalThis,
          }),
          model(),
        );
        expect(wordErrorRate([[WORDS, text]])).toBeLessThan(0.1);
        expect(providers).toMatchObject({ encoder: "wasm", decoder: "wasm" });
        expect(caught).toBe(true);
        expect(missing).toEqual([]);
      });
    else
      it("says what to do about onnxruntime-web's own files, whose URLs it does not know", async () => {
        const message = await onPage(
          (options) => app.transcribe("/sounds/hello.wav", options).catch(String),
          model(),
        );
        expect(message).toMatch(
          /UnsupportedRuntimeError: onnxruntime-web does not start .* as runtimeFiles$/,
        );
      });
  });
});
