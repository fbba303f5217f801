import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type * as package_ from "../../src/index.ts";
import { CHROMIUM, launchChromium } from "../reference/chromium.ts";
import { fakeMicrophone, writeSpokenSample } from "../reference/fake-microphone.ts";
import { WORDS } from "../reference/sample.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";
import { openSite, type Site } from "./site.ts";

declare const wavepool: typeof package_;

/** What a page's script keeps for the next step of a test. */
interface Kept {
  speech: package_.SpeechWorker;
  worker: Worker;
  microphone: package_.Microphone;
}
declare const kept: Kept;

/**
 * Tiny mishears a few of the sample's fifteen words, others each time, for Chromium's fake microphone starts anywhere
 * in the file ("leave Matt Half-Pass 7"). So some may be wrong, but each of the three phrases must be there.
 */
const MISHEARD = 0.34;
const PHRASES = /morning.*London.*seats/is;

describe.skipIf(!CHROMIUM)("a microphone in Chromium", () => {
  let site: Site;
  let browser: Browser;
  let folder: string;
  const pages: Page[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "wavepool-microphone-"));
    const wav = join(folder, "spoken.wav");
    await writeSpokenSample(wav, 1, 30);
    [site, browser] = await Promise.all([openSite(), launchChromium(fakeMicrophone(wav))]);
  });
  afterEach(async () => {
    await Promise.all(pages.splice(0).map((page) => page.close()));
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
    await rm(folder, { recursive: true });
  });

  async function open(path: string): Promise<Page> {
    const page = await browser.newPage();
    pages.push(page);
    await page.goto(site.origin + path);
    await page.waitForFunction(() => "wavepool" in globalThis);
    return page;
  }

  /** Opens a microphone on a page, by files of the site where it allows no blobs. */
  function record(page: Page, byFiles = false, warm = false): Promise<void> {
    return page.evaluate(
      async ([byFiles, warm]) => {
        const speech = await wavepool.createSpeechWorker({
          model: "model/",
          runtimeFiles: "ort/",
          providers: ["wasm"],
          // One thread where pages are many: theirs would fight for two cores.
          ...(!warm && { warm, threads: 1 }),
          ...(byFiles && { worker: "dist/speech-worker.js" }),
        });
        const microphone = await wavepool.createMicrophone({
          speech,
          language: "en",
          // As the file has it: what browsers do to voices for calls costs tiny words.
          constraints: { echoCancellation: false, autoGainControl: false, noiseSuppression: false },
          ...(byFiles && { processorUrl: "dist/microphone-processor.js" }),
        });
        Object.assign(globalThis, { kept: { speech, microphone } });
      },
      [byFiles, warm] as const,
    );
  }

  /** Listens until the sample is over, and gives everything back. */
  function listen(page: Page) {
    return page.evaluate(async () => {
      const { microphone, speech } = kept;
      const events: string[] = [];
      const partials: string[] = [];
      microphone.addEventListener("statechange", () => events.push(microphone.state));
      microphone.addEventListener("partial", ({ detail }) => void partials.push(detail.text));
      let first: package_.Heard | undefined;
      let latest = 0;
      for await (const one of microphone) {
        if (one.type !== "final") continue;
        first ??= one;
        latest = microphone.spectrogram.written;
        if (one.end > 6) break;
      }
      const result = await microphone.stop();
      const { quanta, dropped, lostSeconds, pools } = await microphone.stats();
      const loud = microphone.spectrogram.frames.reduce((most, value) => Math.max(most, value), -1);
      await speech.dispose();
      const after = speech.core ? wavepool.poolStatistics(speech.core) : [];
      const { transport, sampleRate: rate } = microphone;
      return {
        ...{ transport, rate, text: result.text, seconds: result.duration, first, partials, events },
        ...{ quanta, dropped, lostSeconds, latest, loud },
        left: pools.filter(({ inUse, name }) => inUse > 0 && /micro|utter|spectro/.test(name)),
        after: after.filter(({ inUse }) => inUse > 0).map(({ name }) => name),
      };
    });
  }

  it("is put into words on shared memory, without losing a quantum", async () => {
    const page = await open("/");
    await record(page, false, true);
    const heard = await listen(page);
    expect(heard.transport).toBe("shared");
    expect(wordErrorRate([[WORDS, heard.text]]), heard.text).toBeLessThan(MISHEARD);
    expect(heard.text).toMatch(PHRASES);
    expect(heard).toMatchObject({ dropped: 0, lostSeconds: 0, left: [], after: [] });
    expect(Math.abs((heard.quanta * 128) / heard.rate - heard.seconds)).toBeLessThan(0.3);
    expect(heard.events).toEqual(["finishing", "stopped"]);
    expect(heard.first!.confidence).toBeGreaterThan(0.3);
    expect(heard.first!.start).toBeGreaterThan(0.5);
    expect(heard.partials.length).toBeGreaterThan(0);
    expect(heard.latest).toBeGreaterThan(500);
    expect(heard.loud).toBeGreaterThan(0.5);
  });

  it("is heard in two tabs, without isolation and without blobs, while one of them is loaded anew", async () => {
    const [plain, strict] = await Promise.all(["/plain", "/strict"].map(open));
    await record(plain!);
    await record(strict!, true);
    await strict!.reload();
    await strict!.waitForFunction(() => "wavepool" in globalThis);
    await record(strict!, true);
    for (const [page, transport] of [
      [plain!, "transferred"],
      [strict!, "shared"],
    ] as const) {
      await page.waitForTimeout(1000);
      const heard = await page.evaluate(async () => {
        const { microphone, speech } = kept;
        const { state, transport, sampleRate } = microphone;
        const { duration } = await microphone.stop();
        const { quanta, dropped } = await microphone.stats();
        await speech.dispose();
        return { state, transport, seconds: (quanta * 128) / sampleRate, dropped, duration };
      });
      expect(heard).toMatchObject({ state: "listening", transport, dropped: 0 });
      expect(heard.duration).toBeGreaterThan(0.5);
      expect(Math.abs(heard.seconds - heard.duration)).toBeLessThan(0.3);
    }
  });

  it("fails for good when its track ends or its worker dies, and leaves nothing behind", async () => {
    const page = await open("/");
    const heard = await page.evaluate(async () => {
      const script =
        'import "/dist/speech-worker.js"; addEventListener("message", ({ data }) => {\n' +
        'if (data === "die") setTimeout(() => { throw new Error("out of memory"); }); });';
      const blob = URL.createObjectURL(
        new Blob([script.replace("/dist", `${location.origin}/dist`)], { type: "text/javascript" }),
      );
      const worker = new Worker(blob, { type: "module" });
      const speech = await wavepool.createSpeechWorker({
        ...{ model: "model/", runtimeFiles: "ort/", providers: ["wasm"], warm: false, worker },
      });
      const outcome = async (work: Promise<unknown>) => {
        try {
          return `fine: ${JSON.stringify(await work)}`;
        } catch (error) {
          const { name, message, code } = error as package_.WavepoolError;
          return `${name} ${code}: ${message}`;
        }
      };
      const inUse = async (name: RegExp) =>
        wavepool.poolStatistics(speech.core!).filter((pool) => pool.inUse > 0 && name.test(pool.name)).length;

      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const lost = await wavepool.createMicrophone({ speech, source: stream });
      const reading = outcome(
        (async () => {
          for await (const _ of lost);
        })(),
      );
      // What browsers do when the device is pulled out.
      stream.getAudioTracks()[0]!.dispatchEvent(new Event("ended"));
      const first = [await reading, await outcome(lost.stop()), lost.state, lost.error?.name];
      await lost.close();
      const afterLoss = await inUse(/micro|utter|spectro/);
      const own = stream.getAudioTracks()[0]!.readyState;
      for (const track of stream.getTracks()) track.stop();

      const microphone = await wavepool.createMicrophone({ speech });
      const call = outcome(speech.transcribe("/samples/hello.wav"));
      worker.postMessage("die");
      const second = [await call, await outcome(microphone.stop()), microphone.state];
      await microphone.close();
      const later = await outcome(speech.transcribe("/samples/hello.wav"));
      await speech.dispose();
      return { first, afterLoss, own, second, later, left: await inUse(/./) };
    });
    const lost = /^MicrophoneError microphone-lost: .*disconnected or blocked; connect it/;
    const dead = /^InferenceError inference: the speech worker failed: .*out of memory/;
    expect(heard.first[0]).toMatch(lost);
    expect(heard.first[1]).toMatch(lost);
    expect(heard.first.slice(2)).toEqual(["failed", "MicrophoneError"]);
    expect(heard).toMatchObject({ afterLoss: 0, own: "live", left: 0 });
    expect(heard.second[0]).toMatch(dead);
    expect(heard.second[1]).toMatch(dead);
    expect(heard.second[2]).toBe("failed");
    expect(heard.later).toMatch(dead);
  });
});
