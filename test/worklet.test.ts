import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type * as pageModule from "./fixtures/worklet-page.ts";
import { CHROMIUM, launchChromium } from "./reference/chromium.ts";
import type { EngineBrowser, EnginePage } from "./reference/engine.ts";
import { ENGINES } from "./reference/engines.ts";
import { bundlePage, type Site, serveSite } from "./reference/site.ts";
import { allocatedIn, inspectWorklet } from "./reference/worklet-heap.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SERVED: Record<string, string> = {
  "/dist/worklet.js": "dist/worklet.js",
  "/fixtures/worklet-processor.js": "test/fixtures/worklet-processor.js",
  "/fixtures/worklet-worker.js": "test/fixtures/worklet-worker.js",
};

/** What the page's script leaves on the global object, for the functions that run there. */
declare const inPage: typeof pageModule;

/** Has the page import the bundle that the package ships for browsers. */
const shipped: Plugin = {
  name: "shipped",
  setup({ onResolve }) {
    onResolve({ filter: /src\/index\.ts$/ }, () => ({ path: join(ROOT, "dist/index.browser.js") }));
  },
};

let site: Site;

beforeAll(async () => {
  const page = 'import * as inPage from "./test/fixtures/worklet-page.ts"; globalThis.inPage = inPage;';
  const scripts: Record<string, string> = { "/page.js": await bundlePage(page, [shipped]) };
  // Read once: a rebuild in between would empty dist for a while.
  for (const [path, file] of Object.entries(SERVED)) scripts[path] = await readFile(join(ROOT, file), "utf8");
  site = await serveSite({ scripts });
});

afterAll(() => site?.close());

const url = (path: string) => site.origin + path;

describe.each(ENGINES)("$name", ({ name, there, launch }) => {
  if (!there) return it.skip("is not installed", () => {});

  let browser: EngineBrowser;
  const pages: EnginePage[] = [];
  /** Firefox's OfflineAudioContext cannot be suspended. */
  const stoppable = name !== "Firefox";

  beforeAll(async () => {
    browser = await launch();
  });

  afterEach(async () => {
    await Promise.all(pages.splice(0).map((page) => page.close()));
  });

  afterAll(() => browser?.close());

  async function openPage(path = "/"): Promise<EnginePage> {
    const page = await browser.newPage();
    pages.push(page);
    await page.goto(url(path));
    return page;
  }

  describe("with a Worker and the page on one memory", () => {
    let session: pageModule.Session;

    beforeAll(async () => {
      session = await (await openPage()).evaluate(() => inPage.session());
    });

    it("attaches by processorOptions, each agent under its own number", () => {
      expect(new Set(session.agents).size).toBe(3);
    });

    it.skipIf(!stoppable)("gets 0 from an exhausted pool, plays silence and goes on", () => {
      const { frame, stats } = session.stops[0]!;
      expect(frame).toBe(10240);
      // 16 blocks are full at 8192, and each of the 16 quanta from there on asks once.
      expect(stats).toMatchObject({ acquires: 16, inUse: 16, peakInUse: 16, exhausted: 16, releases: 0 });
      expect(session.worklet.failures).toBe(0);
    });

    it("passes every sample to the Worker", () => {
      const { firsts, sum, wrong, failures } = session.worker;
      const stalled = Array.from({ length: 16 }, (_, i) => 512 * i);
      const stopped = Array.from({ length: 320 }, (_, i) => 10240 + 512 * i);
      if (stoppable) expect(firsts.slice(0, 336)).toEqual([...stalled, ...stopped]);
      expect([wrong, failures]).toEqual([0, 0]);
      // Where nobody waits, blocks may be lacking; those that came follow each other without overlap.
      const free = firsts.slice(stoppable ? 335 : 0);
      expect(free.length).toBeGreaterThanOrEqual(16);
      for (let i = 1; i < free.length; i++) {
        const gap = free[i]! - free[i - 1]! - 512;
        expect(gap).toBeGreaterThanOrEqual(0);
        expect(gap % 128).toBe(0);
      }
      expect(sum).toBe(firsts.reduce((total, first) => total + 512 * first + (512 * 513) / 2, 0));
    });

    it.skipIf(!stoppable)("returns a block once, after the last reference of both", () => {
      for (const { frame, stats } of session.stops.slice(1)) {
        const blocks = 16 + (frame - 10240) / 512;
        // The worklet still has its reference to the block that it passed on last.
        expect(stats).toMatchObject({ acquires: blocks, inUse: 1, releases: blocks - 1 });
        expect(stats.retains).toBe(2 * blocks);
      }
      expect(session.stops).toHaveLength(42);
    });

    it("counts exactly, over all three agents", () => {
      const { worklet, worker, left } = session;
      const blocks = left.find(({ name }) => name === "blocks")!;
      const passed = worker.firsts.length;
      const acquired = passed + (worklet.part ? 1 : 0);
      expect(blocks).toMatchObject({ acquires: acquired, releases: acquired, inUse: 0, retains: 2 * passed });
      expect(worklet.attempts).toBe(acquired + worklet.refused);
      expect(blocks.exhausted).toBe(worklet.refused);
      expect(left.filter(({ inUse }) => inUse > 0).map(({ name }) => name)).toEqual(["queue"]);
      for (const { doubleReleases, foreignReleases, staleUses, reclaimed } of left) {
        expect([doubleReleases, foreignReleases, staleUses, reclaimed]).toEqual([0, 0, 0, 0]);
      }
    });

    it("plays from the blocks what it recorded", () => {
      const { rendered, worklet, frames } = session;
      expect(rendered).toEqual({ wrong: 0, silent: 2 * 128 * worklet.refused });
      const copied = frames - 128 * worklet.refused;
      expect(worklet).toMatchObject({ copiedIn: copied, copiedOut: copied });
    });

    it("writes a ring that the page reads without loss while it keeps up", () => {
      const { before, ...after } = session.microphone;
      // 10240 + 40 × 4096 frames in windows of 1600, 800 apart.
      if (stoppable) expect(before).toEqual({ windows: 216, skipped: 0, wrong: 0, next: 216 * 800 });
      expect(session.worklet.written).toBe(session.frames);
      expect(after).toMatchObject({ wrong: 0, skipped: after.overwritten, written: session.frames });
    });
  });

  it.each(["whisper-80", "kaldi-80", "nemo-128"] as const)(
    "streams %s in quanta of 128, to the same bits as the page computes at once",
    async (preset) => {
      const page = await openPage();
      const { frames, streamed, differ } = await page.evaluate(
        (name) => inPage.streamedFeatures(name),
        preset,
      );
      expect(streamed).toBe(frames);
      expect(differ).toBe(0);
    },
  );

  it("computes features with a crew of Workers as without", async () => {
    const page = await openPage();
    expect(await page.evaluate(() => inPage.crewFeatures())).toBe(0);
  });

  it("waits for a buffer without losing it, though the audio thread has no timers", async () => {
    const page = await openPage();
    const served = { outcome: "served", inUse: 0 };
    expect(await page.evaluate(() => inPage.waiting("others"))).toEqual(served);
    expect(await page.evaluate(() => inPage.waiting("own"))).toEqual(served);
    const limited = await page.evaluate(() => inPage.waiting("limited"));
    expect(limited).toEqual({
      outcome: expect.stringMatching(/^(Unsupported|InvalidArgument)\w+: /),
      inUse: 0,
    });
  });

  it("reads whole windows with the right start from a ring that a Worker overruns", async () => {
    const page = await openPage();
    const { windows, mixed, misplaced, lost, lostSince, overwritten, counted } = await page.evaluate(() =>
      inPage.overtaken(),
    );
    expect(windows).toBeGreaterThan(1000);
    expect(lost).toBeGreaterThan(windows);
    expect([mixed, misplaced]).toEqual([0, 0]);
    expect([lost + lostSince, windows]).toEqual([overwritten, counted]);
  });

  it.each([[true], [false]])("copies AudioBuffers of 1, 2 and 3 channels, threads: %s", async (threads) => {
    const page = await openPage();
    const copied = await page.evaluate((threads) => inPage.audioBuffers(threads), threads);
    expect(copied.threads).toBe(threads);
    const ramp = (length: number, first: number) => Array.from({ length }, (_, i) => first + i);
    const same = (length: number, value: number) => new Array<number>(length).fill(value);
    for (const { numberOfChannels, taken, held, given, targets } of copied.results) {
      // Frames 450 to 699 of the source lie at 100 to 349 of the block; the rest is as it was.
      expect(taken).toBe(250);
      const block = [0, 1].map((channel) => [
        ...same(100, -1),
        ...(channel < numberOfChannels ? ramp(250, 1000 * channel + 451) : same(250, 0)),
        ...same(162, -1),
      ]);
      expect(held).toEqual(block);
      // Frames 90 to 389 of the block lie at 300 to 599 of the target, whose third channel the block lacks.
      expect(given).toBe(300);
      expect(targets).toEqual(
        Array.from({ length: numberOfChannels }, (_, channel) => [
          ...same(300, -1),
          ...(block[channel]?.slice(90, 390) ?? same(300, 0)),
        ]),
      );
    }
    expect(copied.stats).toMatchObject({ acquires: 3, releases: 3, inUse: 0, staleUses: 0 });
  });

  it("reclaims what terminated Workers held, idle ones and busy ones", async () => {
    const page = await openPage();
    const { holding, spinning } = await page.evaluate(() => inPage.terminated());
    // The page has a reference of its own to the third block.
    expect(holding.reclaimed).toEqual({ leases: 2, recovered: 0, complete: true });
    expect([holding.inUse, holding.own]).toEqual([1, true]);
    expect(holding.stats).toMatchObject({ acquires: 3, releases: 1, reclaimed: 2, inUse: 0 });
    const { stats, reclaimed, free } = spinning;
    expect(reclaimed.complete).toBe(true);
    expect(stats).toMatchObject({ inUse: 0, doubleReleases: 0, foreignReleases: 0, staleUses: 0 });
    expect(stats.acquires).toBe(stats.releases + stats.reclaimed);
    // 16 blocks, each once, and the 0 that says there are no more.
    expect(free).toBe(17);
  });

  // The switch by which WebKitGTK shares memory does so on all pages.
  it.skipIf(name === "WebKit")("falls back to the plain build without the isolation headers", async () => {
    const page = await openPage("/plain");
    const { isolated, threads, refusal, exhausted, windows, stats } = await page.evaluate(() =>
      inPage.plainPage(),
    );
    expect([isolated, threads]).toEqual([false, false]);
    expect(refusal).toMatch(
      /^UnsupportedRuntimeError: .*Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.*threads: false$/,
    );
    expect(exhausted).toBe(true);
    expect(stats).toMatchObject({ acquires: 2, releases: 2, exhausted: 1, inUse: 0 });
    expect(windows).toEqual([
      [0, 1, 2, 3, 4],
      [2, 3, 4, 5, 6],
    ]);
  });
});

/** By Chromium's DevTools protocol, which the others do not have. */
describe.skipIf(!CHROMIUM)("Chromium's audio worklet allocates", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(() => browser?.close());

  const QUANTA = 6250;
  const CYCLES = 16;
  const ROUNDS = 3;
  /** The smallest object, a boxed number of 12 bytes, would come to a hundred times that. */
  const LIMIT = 12_000;

  /** Bytes that 100,000 cycles allocate on the audio thread: the least of some rounds, after one to warm up. */
  async function sample(what: string): Promise<number> {
    const page = await browser.newPage();
    await page.goto(url("/"));
    const send = await inspectWorklet(page);
    await page.evaluate(([what, ...numbers]) => inPage.startCycles(what, ...numbers), [
      what,
      CYCLES,
      QUANTA,
      ROUNDS,
    ] as [string, number, number, number]);
    let least = Number.POSITIVE_INFINITY;
    // Compilation goes on beside the rendering, which may finish a round before it on a busy machine.
    for (let round = 0; round < ROUNDS && least > LIMIT; round++) {
      least = Math.min(least, await allocatedIn(send, () => page.evaluate(() => inPage.goOn())));
    }
    await page.close();
    return least;
  }

  it("nothing in 100,000 cycles of a block", async () => {
    expect(await sample("blocks")).toBeLessThanOrEqual(LIMIT);
  });

  it("nothing in 100,000 writes to a ring", async () => {
    expect(await sample("ring")).toBeLessThanOrEqual(LIMIT);
  });

  it("one small object in a cycle of a lease, which shows that the sampling sees them", async () => {
    const perCycle = (await sample("leases")) / (QUANTA * CYCLES);
    expect(perCycle).toBeGreaterThan(12);
    expect(perCycle).toBeLessThan(64);
  });
});
