import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as package_ from "../../src/index.ts";
import { CHROMIUM, launchChromium } from "../reference/chromium.ts";
import { WORDS } from "../reference/sample.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";
import { openSite, type Site } from "./site.ts";

declare const wavepool: typeof package_;
/** What the page keeps between two steps of a test. */
interface Kept {
  speech: package_.SpeechWorker;
  /** The sample with a second of silence before and after it, at a rate. */
  sound(rate: number): Promise<AudioBuffer>;
  /** Pools of which something is leased. */
  inUse(): Promise<string[]>;
}
declare const kept: Kept;

/** Tiny mishears a word of the sample now and then. */
const MISHEARD = 0.1;

/** Loads the model once a page. */
async function load(): Promise<void> {
  const speech = await wavepool.createSpeechWorker({
    model: "./model/",
    runtimeFiles: "ort/",
    providers: ["wasm"],
    threads: 1,
    language: "en",
  });
  const before = (await speech.stats()).pools.filter(({ inUse }) => inUse > 0).map(({ name }) => name);
  Object.assign(globalThis, {
    kept: {
      speech,
      async sound(rate: number) {
        const bytes = await (await fetch("/samples/hello.wav")).arrayBuffer();
        const decoded = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes);
        const context = new OfflineAudioContext(2, decoded.length + 2 * rate, rate);
        const node = new AudioBufferSourceNode(context, { buffer: decoded });
        node.connect(context.destination);
        node.start(1);
        return context.startRendering();
      },
      async inUse() {
        const { pools } = await speech.stats();
        return pools.filter(({ name, inUse }) => inUse > 0 && !before.includes(name)).map(({ name }) => name);
      },
    } satisfies Kept,
  });
}

describe.skipIf(!CHROMIUM)("sources of sound in Chromium", () => {
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([
      openSite(),
      launchChromium(["--autoplay-policy=no-user-gesture-required"]),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  describe.each([
    ["/", "shared"],
    ["/plain", "transferred"],
  ] as const)("on the page %s, by %s blocks", (path, transport) => {
    let page: Page;

    beforeAll(async () => {
      page = await browser.newPage();
      await page.goto(site.origin + path);
      await page.waitForFunction(() => "wavepool" in globalThis);
      await page.evaluate(load);
    });
    afterAll(async () => {
      await page?.evaluate(() => kept.speech.dispose());
      await page?.close();
    });

    it("hears an AudioBuffer of two channels at 44.1 kHz to its end, as fast as the worker takes it", async () => {
      const heard = await page.evaluate(async () => {
        const { speech } = kept;
        const source = await kept.sound(44100);
        const microphone = await wavepool.createMicrophone({ source, speech });
        const finals: package_.Heard[] = [];
        for await (const one of microphone) if (one.type === "final") finals.push(one);
        const result = await microphone.stop();
        const { quanta, dropped, lostSeconds, times } = await microphone.stats();
        const { transport, state, spectrogram } = microphone;
        const { written } = spectrogram;
        const left = await kept.inUse();
        return { transport, state, finals, result, quanta, dropped, lostSeconds, times, written, left };
      });
      expect(heard).toMatchObject({ transport, state: "stopped", left: [], dropped: 0, lostSeconds: 0 });
      expect(wordErrorRate([[WORDS, heard.result.text]])).toBeLessThan(MISHEARD);
      expect(heard.finals.map(({ text }) => text).join("")).toBe(` ${heard.result.text}`);
      // 7.2 s of sound between two of silence: no sample is missing at the end.
      expect(heard.quanta).toBe(Math.ceil((9.198 * 44100) / 128));
      expect(Math.abs(heard.result.duration - 9.2)).toBeLessThan(0.05);
      expect(heard.finals[0]!.start).toBeGreaterThan(1.2);
      expect(heard.finals.at(-1)!.end).toBeLessThan(8);
      for (const { confidence } of heard.finals) {
        expect(confidence).toBeGreaterThan(0.3);
        expect(confidence).toBeLessThan(1);
      }
      expect(heard.written).toBeGreaterThan(900);
      expect(heard.times.encoder).toBeGreaterThan(0);
    });

    it.each([44100, 48000])("hears two nodes of an OfflineAudioContext at %i Hz", async (rate) => {
      const heard = await page.evaluate(async (rate) => {
        const { speech } = kept;
        const buffer = await kept.sound(rate);
        const context = new OfflineAudioContext(1, buffer.length + 128, rate);
        const node = new AudioBufferSourceNode(context, { buffer });
        const quiet = new GainNode(context, { gain: 0 });
        node.connect(quiet);
        // The second one on the same context, for its silence.
        const [microphone, silent] = await Promise.all(
          [node, quiet].map((source) =>
            wavepool.createMicrophone({ source: source as AudioNode, speech, partials: false }),
          ),
        );
        node.start();
        await context.startRendering();
        const results = await Promise.all([microphone!.stop(), silent!.stop()]);
        const { quanta, dropped, lostSeconds } = await microphone!.stats();
        const texts = results.map(({ text }) => text);
        return { texts, quanta, dropped, lostSeconds, left: await kept.inUse(), length: context.length };
      }, rate);
      expect(wordErrorRate([[WORDS, heard.texts[0]!]])).toBeLessThan(MISHEARD);
      expect(heard.texts[1]).toBe("");
      expect(heard).toMatchObject({ dropped: 0, lostSeconds: 0, left: [] });
      expect(Math.abs(heard.quanta - heard.length / 128)).toBeLessThanOrEqual(2);
    });

    it("hears a node of a live AudioContext, and leaves out what comes while it is paused or hidden", async () => {
      const heard = await page.evaluate(async () => {
        const { speech } = kept;
        const context = new AudioContext();
        const node = new ConstantSourceNode(context, { offset: 0 });
        node.start();
        const microphone = await wavepool.createMicrophone({ source: node, speech });
        const states: string[] = [microphone.state];
        microphone.addEventListener("statechange", () => states.push(microphone.state));
        const rest = () => new Promise((resolve) => setTimeout(resolve, 300));
        const quanta = async () => (await microphone.stats()).quanta;
        const counts: number[] = [];
        const hide = (visibility: string) => {
          Object.defineProperty(document, "visibilityState", { value: visibility, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        };
        await rest();
        for (const [off, on] of [
          [() => microphone.pause(), () => microphone.resume()],
          [() => hide("hidden"), () => hide("visible")],
          [() => context.suspend(), () => microphone.resume()],
        ] as const) {
          await off();
          await rest();
          counts.push(await quanta());
          await rest();
          counts.push(await quanta());
          await on();
          await rest();
        }
        counts.push(await quanta());
        await microphone.stop();
        const { state } = context;
        await context.close();
        return { states, counts, state, left: await kept.inUse() };
      });
      const paused = ["listening", "paused"];
      expect(heard.states).toEqual([...paused, ...paused, ...paused, "listening", "finishing", "stopped"]);
      const { counts } = heard;
      for (let i = 0; i < 6; i += 2) {
        if (transport === "shared") expect(counts[i]).toBeGreaterThan(i === 0 ? 0 : counts[i - 1]!);
        expect(counts[i + 1]).toBe(counts[i]);
      }
      expect(heard.state).toBe("running"); // not ours to close
      expect(heard.left).toEqual([]);
    });

    it("transcribes files, URLs and AudioBuffers beside it, until it is told to stop", async () => {
      const heard = await page.evaluate(async () => {
        const { speech } = kept;
        const blob = await (await fetch("/samples/hello.wav")).blob();
        const sound = await kept.sound(48000);
        const stages = new Set<string>();
        const texts: string[] = [];
        for (const one of [blob, await blob.arrayBuffer(), "samples/hello.wav", sound]) {
          const { text } = await speech.transcribe(one, {
            onProgress: ({ stage }) => void stages.add(stage),
          });
          texts.push(text);
        }
        const segments: string[] = [];
        for await (const { text } of speech.stream(blob)) {
          segments.push(text);
          break;
        }
        const reason = await speech
          .transcribe(sound, { signal: AbortSignal.timeout(20) })
          .catch((error: Error) => error.name);
        const wrong = await speech.transcribe(new Blob(["no sound"])).catch((error: Error) => error);
        // Samples of the core's memory, as far as Web Audio takes them, and back.
        const view = speech.core
          ? new Float32Array(speech.core.buffer, 65536, 16000)
          : new Float32Array(16000);
        const out = wavepool.toAudioBuffer({ sampleRate: 16000, channels: [view] });
        return {
          ...{ texts, stages: [...stages], segments, reason },
          wrong: wrong instanceof wavepool.AudioFormatError && wrong.kind,
          out: [out.sampleRate, out.length, out.numberOfChannels],
          left: await kept.inUse(),
        };
      });
      for (const text of heard.texts) expect(wordErrorRate([[WORDS, text]]), text).toBeLessThan(MISHEARD);
      expect(heard.stages).toEqual(expect.arrayContaining(["mel", "encoder", "decoder"]));
      expect(heard).toMatchObject({ segments: [" Good morning."], reason: "TimeoutError", wrong: "input" });
      expect(heard).toMatchObject({ out: [16000, 16000, 1], left: [] });
    });

    it("takes Silero's detector for its gate", async () => {
      const heard = await page.evaluate(async () => {
        const { speech } = kept;
        const source = await kept.sound(48000);
        const gate = { detector: { silero: "vad/silero_vad_v6.onnx" } };
        const microphone = await wavepool.createMicrophone({ source, speech, gate, partials: false });
        const { text, segments } = await microphone.stop();
        return { text, start: segments[0]!.start, left: await kept.inUse() };
      });
      expect(wordErrorRate([[WORDS, heard.text]]), heard.text).toBeLessThan(2 * MISHEARD);
      expect(heard.start).toBeGreaterThan(1);
      expect(heard.left).toEqual([]);
    });

    it("says what is no source, and gives everything back when it is aborted or its worker is told to stop", async () => {
      const heard = await page.evaluate(async () => {
        const { speech } = kept;
        const outcome = async (work: Promise<unknown>) => {
          try {
            await work;
            return "fine";
          } catch (error) {
            const { name, message, code } = error as package_.WavepoolError;
            return `${name} ${code}: ${message}`;
          }
        };
        const closed = new AudioContext();
        const node = new GainNode(closed);
        await closed.close();
        const source = await kept.sound(48000);
        const wrong = [
          await outcome(wavepool.createMicrophone({ speech, source: 7 as never })),
          await outcome(wavepool.createMicrophone({ speech, source: new MediaStream() })),
          await outcome(wavepool.createMicrophone({ speech, source: node })),
          await outcome(wavepool.createMicrophone({ speech, source, language: "tlh" })),
          await outcome(wavepool.createMicrophone({ speech, source, gate: { threshold: 2 } })),
          await outcome(
            wavepool.createMicrophone({ speech, source, gate: { detector: { silero: "/none.onnx" } } }),
          ),
        ];
        const stop = new AbortController();
        const aborted = await wavepool.createMicrophone({ speech, source, signal: stop.signal });
        stop.abort(new Error("enough"));
        const reason = await outcome(aborted.stop());
        await aborted.close();
        const left = await kept.inUse();
        // It is of use still.
        const { text } = await speech.transcribe("/samples/hello.wav");
        return { wrong, reason, state: aborted.state, left, text };
      });
      const patterns = [
        /^InvalidArgumentError .*source is 7; give a MediaStream/,
        /^InvalidArgumentError .*no audio track/,
        /^InvalidArgumentError .*AudioContext is closed/,
        /^UnknownLanguageError unknown-language: .*tlh/,
        /^InvalidArgumentError .*threshold is 2/,
        /^FileError file: .*none\.onnx/,
      ];
      for (const [i, pattern] of patterns.entries()) expect(heard.wrong[i]).toMatch(pattern);
      expect(heard.reason).toMatch(/enough/);
      expect(heard).toMatchObject({ state: "stopped", left: [] });
      expect(wordErrorRate([[WORDS, heard.text]])).toBeLessThan(MISHEARD);
    });
  });
});
