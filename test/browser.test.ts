import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as wavepool from "../src/index.ts";
import { findModel } from "../src/models/model-files.ts";
import type { EngineBrowser } from "./reference/engine.ts";
import { ENGINES } from "./reference/engines.ts";
import { WORDS } from "./reference/sample.ts";
import { bundlePackage, type Site, serveSite } from "./reference/site.ts";
import { wordErrorRate } from "./reference/word-error-rate.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** What transcribes in each engine, and how many of the words may be wrong: base once, for it takes longer. */
const MODELS = {
  Chromium: { model: "base", wrong: 0 },
  Firefox: { model: "tiny", wrong: 0.1 },
  WebKit: { model: "tiny", wrong: 0.1 },
};

/** A worker that transcribes one sound and tells what came of it. */
const WORKER = `
  import "./page.js";
  addEventListener("message", async ({ data: { origin, options } }) => {
    try {
      const transcriber = await wavepool.createTranscriber(options);
      const sound = new Uint8Array(await (await fetch(origin + "/samples/hello.wav")).arrayBuffer());
      const segments = [];
      for await (const segment of transcriber.stream(sound, { timestamps: "none" })) segments.push(segment);
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

let site: Site;
let origin: string;

beforeAll(async () => {
  site = await serveSite({
    scripts: { "/page.js": await bundlePackage(), "/worker.js": WORKER },
    folders: {
      base: (await findModel("base")).directory,
      tiny: (await findModel("tiny")).directory,
      samples: join(ROOT, "samples"),
      ort: join(ROOT, "node_modules/onnxruntime-web/dist"),
    },
  });
  ({ origin } = site);
});

afterAll(() => site?.close());

describe.each(ENGINES)("$name", ({ name, there, launch }) => {
  if (!there) return it.skip("is not installed", () => {});

  let browser: EngineBrowser;

  beforeAll(async () => {
    browser = await launch();
  });

  afterAll(() => browser?.close());

  async function onPage<R, A = string>(script: (argument: A) => Promise<R>, argument?: A): Promise<R> {
    const page = await browser.newPage();
    try {
      await page.goto(origin);
      return await page.evaluate(script, argument ?? (origin as A));
    } finally {
      await page.close();
    }
  }

  it("has what detectFeatures says, and only that", async () => {
    const { features, core, relaxed } = await onPage(async () => {
      const { createCore, detectFeatures } = (globalThis as unknown as Page).wavepool;
      const { threads, relaxed } = await createCore();
      return {
        features: await detectFeatures(),
        core: { threads, relaxed },
        relaxed: await createCore({ relaxed: true }).then(
          () => "created",
          (error: Error) => error.message,
        ),
      };
    });
    expect(features).toMatchObject({ simd: true, threads: true, sharedMemory: true, audioWorklet: true });
    expect(core.threads).toBe(features.sharedMemory);
    // Relaxed where the processor fuses as well.
    if (core.relaxed) expect(features.relaxedSimd).toBe(true);
    expect(relaxed).toMatch(features.relaxedSimd ? /^created$/ : /^this runtime has no relaxed SIMD/);
    expect(features.storage).toContain("cache");
    expect(features.webgpu).toMatch(/^(yes|no|no adapter|in software)$/);
    expect(features.webnn).toMatch(/^(yes, |no$|createContext rejects)/);
  });

  it("transcribes the sample from a URL, in a worker, and gives its leases back", async () => {
    const { model, wrong } = MODELS[name];
    const options = {
      model: `${origin}/${model}`,
      // By a prefix, or by name as a bundler's are.
      runtimeFiles:
        name === "Firefox"
          ? { mjs: "/ort/ort-wasm-simd-threaded.mjs", wasm: "/ort/ort-wasm-simd-threaded.wasm" }
          : `${origin}/ort/`,
      warm: name === "Chromium",
    };
    const { text, left } = await onPage(
      async ({ origin, options }) => {
        const worker = new Worker("/worker.js", { type: "module" });
        const answer = new Promise<MessageEvent>((resolve) => worker.addEventListener("message", resolve));
        worker.postMessage({ origin, options });
        return (await answer).data as { text: string; left: unknown[] };
      },
      { origin, options },
    );
    expect(wordErrorRate([[WORDS, text]])).toBeLessThanOrEqual(wrong);
    expect(left).toEqual([]);
  });

  if (name !== "Chromium") return;

  it("names what is missing when onnxruntime-web's own files are not served", async () => {
    const message = await onPage(async (origin) => {
      const { createTranscriber } = (globalThis as unknown as Page).wavepool;
      return createTranscriber({ model: `${origin}/tiny`, runtimeFiles: `${origin}/nowhere/` }).then(
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
