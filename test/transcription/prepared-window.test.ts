import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createTranscriber, readWav, type Transcriber } from "../../src/index.ts";
import { SAMPLE } from "../reference/sample.ts";

const RATE = 16000;
const OPTIONS = { timestamps: "none", language: "en", temperature: 0 } as const;
const speech = readWav(readFileSync(SAMPLE)).channels[0]!;
/** Two windows of which the second is long, too: the phrase over and over, with half a second between. */
const sound = (() => {
  const stride = speech.length + RATE / 2;
  const samples = new Float32Array(56 * RATE);
  for (let at = 0; at + stride <= samples.length; at += stride) samples.set(speech, at);
  return { sampleRate: RATE, channels: [samples] };
})();
const peaks = (transcriber: Transcriber) =>
  Object.fromEntries(transcriber.stats().map(({ name, peakInUse }) => [name, peakInUse]));

describe("looking ahead", () => {
  let native: Transcriber;
  beforeAll(async () => {
    // Two files are tested at a time, on two cores: more threads would wait for each other, awake.
    native = await createTranscriber({ model: "tiny", providers: ["native"], threads: 1, warm: false });
  });
  afterAll(() => native.dispose());
  afterEach(() => {
    expect(native.stats().filter(({ inUse }) => inUse > 0)).toEqual([]);
  });

  it("takes the next window's buffers while one is decoded, and gives the same text as one by one", async () => {
    const ahead = await native.transcribe(sound, OPTIONS);
    expect(ahead.windows).toBe(2);
    expect(peaks(native)).toMatchObject({ audio: 2, mel: 2 });
    const { max } = native.stats().find(({ name }) => name === "audio")!;
    // As many calls as there are buffers leave none to look ahead with.
    const texts = await Promise.all(
      Array.from({ length: max }, async () => (await native.transcribe(sound, OPTIONS)).text),
    );
    expect(new Set([ahead.text, ...texts]).size).toBe(1);
  });

  it("stays away where a run blocks the thread, and comes with a thread for the encoder", async () => {
    const texts: string[] = [];
    for (const encoderThread of [false, true]) {
      const wasm = await createTranscriber({
        model: "tiny",
        providers: ["wasm"],
        threads: 1,
        warm: false,
        encoderThread,
      });
      const { text, windows } = await wasm.transcribe(sound, OPTIONS);
      texts.push(text);
      expect(windows).toBe(2);
      const buffers = encoderThread ? 2 : 1;
      expect(peaks(wasm)).toMatchObject({ audio: buffers, mel: buffers });
      expect(wasm.stats().filter(({ inUse }) => inUse > 0)).toEqual([]);
      await wasm.dispose();
    }
    expect(texts[0]).toBe(texts[1]);
  });

  it("gives the window that was begun back when the loop is left, and on abort", async () => {
    for await (const segment of native.stream(sound, OPTIONS)) {
      expect(segment.id).toBe(0);
      break;
    }
    expect(native.stats().filter(({ inUse }) => inUse > 0)).toEqual([]);
    const controller = new AbortController();
    const call = native.transcribe(sound, {
      ...OPTIONS,
      signal: controller.signal,
      onProgress({ stage, tokens }) {
        if (stage === "decoder" && tokens === 5) controller.abort(new Error("enough"));
      },
    });
    await expect(call).rejects.toThrow("enough");
  });
});
