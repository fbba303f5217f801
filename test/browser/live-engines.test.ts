import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type * as package_ from "../../src/index.ts";
import type { EngineBrowser, EnginePage } from "../reference/engine.ts";
import { ENGINES } from "../reference/engines.ts";
import { WORDS } from "../reference/sample.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";
import { openSite, type Site } from "./site.ts";

declare const wavepool: typeof package_;

/** Tiny mishears a word of the sample now and then. */
const MISHEARD = 0.1;

/** Those that microphone.test.ts and sources.test.ts leave out. */
const OTHERS = ENGINES.filter(({ there, name }) => there && name !== "Chromium");

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site?.close());

describe.each(OTHERS)("live sound in $name", ({ launch }) => {
  let browser: EngineBrowser;
  const pages: EnginePage[] = [];

  beforeAll(async () => {
    browser = await launch();
  });
  afterEach(async () => {
    await Promise.all(pages.splice(0).map((page) => page.close()));
  });
  afterAll(() => browser?.close());

  // Each kind of source at each rate, on one of the pages.
  it.each([
    ["/", "shared", 44100, 48000],
    ["/plain", "transferred", 48000, 44100],
  ])(
    "on the page %s goes by %s blocks from a node at %i Hz and from an AudioBuffer at %i Hz",
    async (path, transport, ...rates) => {
      const page = await browser.newPage();
      pages.push(page);
      await page.goto(site.origin + path);
      const heard = await page.evaluate(
        async ({ shared, rates }) => {
          const speech = await wavepool.createSpeechWorker({
            model: "model/",
            runtimeFiles: "ort/",
            providers: ["wasm"],
            threads: 1,
            language: "en",
            // WebKitGTK shares memory on any page.
            shared,
          });
          const bytes = await (await fetch("/samples/hello.wav")).arrayBuffer();
          const texts: string[] = [];
          const finals: string[] = [];
          const counts: [number, number][] = [];
          const kinds = new Set<string>();
          // An offline context renders in one go, an AudioBuffer as fast as the worker takes it.
          for (const [kind, rate] of [
            ["node", rates[0]!],
            ["buffer", rates[1]!],
          ] as const) {
            const buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes.slice(0));
            const context = new OfflineAudioContext(1, buffer.length + rate, rate);
            const source = new AudioBufferSourceNode(context, { buffer });
            const microphone = await wavepool.createMicrophone({
              speech,
              source: kind === "node" ? source : buffer,
              partials: false,
            });
            kinds.add(microphone.transport);
            microphone.addEventListener("final", ({ detail }) => void finals.push(detail.text));
            if (kind === "node") {
              source.start(0.5);
              await context.startRendering();
            }
            texts.push((await microphone.stop()).text);
            const { quanta, dropped } = await microphone.stats();
            counts.push([quanta / (buffer.length / 128), dropped]);
          }
          await speech.dispose();
          const pools = speech.core ? wavepool.poolStatistics(speech.core) : [];
          const left = pools.filter(({ inUse }) => inUse > 0).map(({ name }) => name);
          return { texts, finals: finals.length, counts, kinds: [...kinds], left };
        },
        { shared: transport === "shared", rates },
      );
      expect(heard.kinds).toEqual([transport]);
      expect(heard.texts).toHaveLength(2);
      for (const text of heard.texts) expect(wordErrorRate([[WORDS, text]]), text).toBeLessThan(MISHEARD);
      expect(heard.finals).toBeGreaterThanOrEqual(2);
      for (const [share, dropped] of heard.counts) {
        expect(share).toBeGreaterThanOrEqual(1);
        expect(dropped).toBe(0);
      }
      expect(heard.left).toEqual([]);
    },
  );
});
