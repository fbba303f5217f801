import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type * as package_ from "../../src/index.ts";
import { createMicrophone, createSpeechWorker } from "../../src/index.ts";
import { CHROMIUM, launchChromium } from "../reference/chromium.ts";
import { openSite, type Site } from "./site.ts";

declare const wavepool: typeof package_;

it("is for pages: elsewhere it says what to take", async () => {
  await expect(createSpeechWorker()).rejects.toThrow(
    /^createSpeechWorker is for pages; use createTranscriber here$/,
  );
  await expect(createMicrophone()).rejects.toMatchObject({ code: "unsupported-runtime" });
});

describe.skipIf(!CHROMIUM)("in Chromium", () => {
  let site: Site;
  const browsers: Browser[] = [];
  const pages: Page[] = [];

  beforeAll(async () => {
    site = await openSite();
    // Without anybody to allow its fake microphone, and without one.
    browsers.push(await launchChromium(["--use-fake-device-for-media-stream", "--deny-permission-prompts"]));
    browsers.push(await launchChromium(["--use-fake-ui-for-media-stream"]));
  });
  afterEach(async () => {
    await Promise.all(pages.splice(0).map((page) => page.close()));
  });
  afterAll(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    site?.close();
  });

  async function open(browser: Browser, path = "/"): Promise<Page> {
    const page = await browser.newPage();
    pages.push(page);
    await page.goto(site.origin + path);
    await page.waitForFunction(() => "wavepool" in globalThis);
    // What went wrong, by class, code and message; "fine" when nothing did.
    await page.evaluate(() => {
      Object.assign(globalThis, {
        outcome: async (work: Promise<unknown>) => {
          try {
            await work;
            return "fine";
          } catch (error) {
            const { name, message, code } = error as package_.WavepoolError;
            const known = error instanceof wavepool.WavepoolError;
            return `${name} ${known ? code : "foreign"}: ${message}`;
          }
        },
      });
    });
    return page;
  }

  it("a microphone that is blocked is named, with the remedy, before a model is loaded", async () => {
    const page = await open(browsers[0]!);
    const said = await page.evaluate(() =>
      outcome(wavepool.createMicrophone({ speech: { model: "/none/" } })),
    );
    expect(said).toMatch(
      /^MicrophoneError microphone-denied: the microphone is blocked for this page; allow it/,
    );
  });

  it("so is one that is missing, or has another number", async () => {
    const page = await open(browsers[1]!);
    const said = await page.evaluate(() => outcome(wavepool.createMicrophone()));
    expect(said).toMatch(/^MicrophoneError microphone-missing: there is no microphone; connect one/);
  });

  it("so are pages without audio worklets, and those that may open no microphone", async () => {
    const page = await open(browsers[1]!);
    const said = await page.evaluate(async () => {
      Object.defineProperty(navigator, "mediaDevices", { value: undefined });
      const insecure = await outcome(wavepool.createMicrophone());
      Object.defineProperty(globalThis, "AudioWorkletNode", { value: undefined });
      return [insecure, await outcome(wavepool.createMicrophone())];
    });
    expect(said[0]).toMatch(/^UnsupportedRuntimeError .*cannot open a microphone; serve it over HTTPS/);
    expect(said[1]).toMatch(/^UnsupportedRuntimeError .*no audio worklets; serve it over HTTPS/);
  });

  it("a worker that the page's policy forbids, or that is not there", async () => {
    const [strict, page] = await Promise.all([open(browsers[1]!, "/strict"), open(browsers[1]!)]);
    const forbidden = await strict.evaluate(() => outcome(wavepool.createSpeechWorker({ model: "model/" })));
    expect(forbidden).toMatch(/^InferenceError inference: the speech worker .*Content-Security-Policy/);
    const missing = await page.evaluate(() =>
      outcome(wavepool.createSpeechWorker({ model: "model/", worker: "/dist/none.js" })),
    );
    expect(missing).toMatch(/^InferenceError inference: the speech worker .*its script did not load/);
  });

  it("a model that is not there or is cut off, files of onnxruntime-web that are not, and an aborted load", async () => {
    const page = await open(browsers[1]!);
    const rest = { runtimeFiles: "ort/", providers: ["wasm"] as const, threads: 1, warm: false };
    const said = await page.evaluate(
      async (rest) => [
        await outcome(wavepool.createSpeechWorker({ ...rest, model: "/none/" })),
        await outcome(wavepool.createSpeechWorker({ ...rest, model: "model/", runtimeFiles: "/none/" })),
        await outcome(wavepool.createSpeechWorker({ ...rest, model: "model/", language: "tlh" })),
        await outcome(
          wavepool.createSpeechWorker({ ...rest, model: "model/", signal: AbortSignal.timeout(50) }),
        ),
      ],
      rest,
    );
    expect(said[0]).toMatch(/^ModelNotFoundError model-not-found: .*\/none\//);
    expect(said[1]).toMatch(/^UnsupportedRuntimeError .*runtimeFiles/);
    expect(said[2]).toMatch(/^UnknownLanguageError unknown-language: .*tlh/);
    expect(said[3]).toMatch(/^TimeoutError foreign: /);
    site.cutOff();
    const cut = await page.evaluate(
      (rest) => outcome(wavepool.createSpeechWorker({ ...rest, model: "model/" })),
      rest,
    );
    expect(cut).toMatch(/^FileError file: cannot fetch .*; check the URL and the network/);
  });
});

declare function outcome(work: Promise<unknown>): Promise<string>;
