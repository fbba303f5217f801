import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as package_ from "../../src/index.ts";
import { CHROMIUM, launchChromium } from "../reference/chromium.ts";
import { fakeMicrophone, writeSpokenSample } from "../reference/fake-microphone.ts";
import { WORDS } from "../reference/sample.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";
import { openSite, type Site } from "./site.ts";

declare const wavepool: typeof package_;

/** Tiny mishears a word of the sample now and then. */
const MISHEARD = 0.2;

describe.skipIf(!CHROMIUM)("a microphone in Chromium", () => {
  let site: Site;
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "wavepool-microphone-"));
    const wav = join(folder, "spoken.wav");
    await writeSpokenSample(wav, 1, 30);
    [site, browser] = await Promise.all([openSite(), launchChromium(fakeMicrophone(wav))]);
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
    await rm(folder, { recursive: true });
  });

  async function onPage<R>(path: string, script: (page: Page) => Promise<R>): Promise<R> {
    const page = await browser.newPage();
    try {
      await page.goto(site.origin + path);
      await page.waitForFunction(() => "wavepool" in globalThis);
      return await script(page);
    } finally {
      await page.close();
    }
  }

  it.each([
    ["/", "shared"],
    ["/plain", "transferred"],
  ])("on the page %s, through %s blocks, is put into words", async (path, transport) => {
    const heard = await onPage(path, (page) =>
      page.evaluate(async () => {
        const { createMicrophone, createSpeechWorker, poolStatistics } = wavepool;
        const speech = await createSpeechWorker({
          model: `${location.origin}/model/`,
          runtimeFiles: `${location.origin}/ort/`,
          providers: ["wasm"],
        });
        // As the file has it: what browsers do to voices for calls costs tiny words.
        const constraints = { echoCancellation: false, autoGainControl: false, noiseSuppression: false };
        const microphone = await createMicrophone({ speech, language: "en", constraints });
        const events: string[] = [];
        const partials: string[] = [];
        microphone.addEventListener("statechange", () => events.push(microphone.state));
        let first: { start: number; end: number; confidence: number } | undefined;
        let latest = 0;
        for await (const one of microphone) {
          if (one.type === "partial") partials.push(one.text);
          else first ??= one;
          if (one.type === "final" && one.end > 6) {
            latest = microphone.spectrogram.written;
            break;
          }
        }
        const result = await microphone.stop();
        const { quanta, dropped, lostSeconds } = await microphone.stats();
        const loud = microphone.spectrogram.frames.reduce((most, value) => Math.max(most, value), -1);
        const left = (await speech.stats()).pools.filter(({ inUse }) => inUse > 0).map(({ name }) => name);
        await speech.dispose();
        const pools = speech.core ? poolStatistics(speech.core).filter(({ inUse }) => inUse > 0) : [];
        return {
          transport: microphone.transport,
          text: result.text,
          first,
          partials,
          events,
          quanta,
          dropped,
          lostSeconds,
          seconds: result.duration,
          rate: microphone.sampleRate,
          latest,
          loud,
          left,
          pools,
        };
      }),
    );
    expect(heard.transport).toBe(transport);
    expect(wordErrorRate([[WORDS, heard.text]])).toBeLessThan(MISHEARD);
    expect(heard).toMatchObject({ dropped: 0, lostSeconds: 0, left: [], pools: [] });
    expect((heard.quanta * 128) / heard.rate).toBeGreaterThan(heard.seconds - 1);
    expect(heard.first!.confidence).toBeGreaterThan(0.3);
    expect(heard.first!.start).toBeGreaterThan(0.5);
    expect(heard.latest).toBeGreaterThan(500);
    expect(heard.loud).toBeGreaterThan(0.5);
  });
});
