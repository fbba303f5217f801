import type { Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunTests } from "./in-page/run.ts";
import { serveTests } from "./in-page/serve.ts";
import type { EngineBrowser } from "./reference/engine.ts";
import { ENGINES } from "./reference/engines.ts";

/** Test files that browsers have to pass as well, as they are, and how many tests of them at least. */
interface Shared {
  files: string[];
  least: number;
  /** Those that they do not have to pass. */
  except?: string;
}

/** Each entry in a page of its own: a browser gives one page memory for some hundred cores, and setup.ts keeps them. */
const SHARED: Record<string, Shared> = {
  "the core": {
    files: [
      "test/core.test.ts",
      // Which build of it the engine takes by default.
      "test/runtime-probes.test.ts",
      "test/pools/create-buffer-pool.test.ts",
      "test/pools/tiered-pool.test.ts",
    ],
    least: 70,
  },
  "buffer pools": { files: ["test/pools/buffer-pool.test.ts"], least: 72 },
  "waiting for buffers": {
    files: ["test/pools/acquire-async.test.ts", "test/pools/adaptive-sizing.test.ts"],
    least: 33,
  },
  "audio blocks and rings": {
    files: ["test/pools/analysis-buffer.test.ts", "test/pools/audio-block-pool.test.ts"],
    least: 82,
  },
  "pool managers": {
    files: ["test/pools/pool-manager.test.ts", "test/pools/pressure-monitor.test.ts"],
    least: 72,
    // What a page hears of itself takes turns of its event loop.
    except: "reads the runtime's own figures",
  },
  "many workers on one pool": {
    files: ["test/pools/threads.test.ts"],
    least: 18,
    // Browsers let a busy worker run on for two seconds; worklet.test.ts terminates one.
    except: "random moments|without a word",
  },
  // In each build that the engine has. Short clips take half of the time, and the same kernels.
  "features of every preset within their limits": {
    files: ["test/features/presets.test.ts"],
    least: 47,
    except: "of short clips",
  },
  // Pages have no Buffer.
  "resampling and decoding": {
    files: ["test/resample.test.ts", "test/decode.test.ts"],
    least: 51,
    except: "decodes a Buffer",
  },
};

/** What the page's script leaves on the global object. */
declare const runTests: RunTests;

let server: Server;
let origin: string;

beforeAll(async () => {
  ({ server, origin } = await serveTests(Object.values(SHARED).flatMap(({ files }) => files)));
});

afterAll(() => void server?.close());

describe.each(ENGINES)("$name", ({ there, launch }) => {
  if (!there) return it.skip("is not installed", () => {});

  let browser: EngineBrowser;

  beforeAll(async () => {
    browser = await launch();
  });

  afterAll(() => browser?.close());

  it.each(Object.entries(SHARED))("passes the tests of %s", async (_, shared) => {
    const { files, least, except = "" } = shared;
    const page = await browser.newPage();
    try {
      await page.goto(origin);
      const { passed, failures } = await page.evaluate((which) => runTests(which), { files, except });
      expect(failures).toEqual([]);
      expect(passed).toBeGreaterThanOrEqual(least);
    } finally {
      await page.close();
    }
  });
});
