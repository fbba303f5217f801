import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  createTranscriber,
  FileError,
  InvalidArgumentError,
  readWav,
  type Segment,
  type Transcriber,
  UnknownLanguageError,
} from "../../src/index.ts";
import { SAMPLE, WORDS } from "../reference/sample.ts";
import { whiteNoise } from "../reference/signals.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";

const RATE = 16000;
let base: Transcriber;
let sample: Uint8Array;
let speech: Float32Array;

beforeAll(async () => {
  sample = await readFile(SAMPLE);
  speech = readWav(sample).channels[0]!;
  // Two files are tested at a time, on two cores: more threads would wait for each other.
  base = await createTranscriber({ model: "base", language: "en", threads: 1 });
});
afterAll(() => base.dispose());
afterEach(() => {
  const held = base.stats().filter(({ inUse }) => inUse > 0);
  expect(held.map(({ name }) => name)).toEqual([]);
});

function mono(...parts: (Float32Array | number)[]) {
  const arrays = parts.map((part) => (typeof part === "number" ? new Float32Array(part * RATE) : part));
  const whole = new Float32Array(arrays.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of arrays) {
    whole.set(part, at);
    at += part.length;
  }
  return { sampleRate: RATE, channels: [whole] };
}

describe("transcribe", () => {
  it("gives segments with times within the clip and the decoder's figures", async () => {
    const { segments, text, duration, providers, language } = await base.transcribe(sample);
    expect(wordErrorRate([[WORDS, text]])).toBe(0);
    expect(language).toBe("en");
    expect(segments.length).toBeGreaterThan(0);
    expect(
      segments
        .map(({ text }) => text)
        .join("")
        .trim(),
    ).toBe(text);
    let last = 0;
    for (const [i, segment] of segments.entries()) {
      expect(segment).toMatchObject({ id: i, temperature: 0 });
      expect(segment.start).toBeGreaterThanOrEqual(last);
      expect(segment.end).toBeGreaterThan(segment.start);
      expect(segment.avgLogprob).toBeLessThan(0);
      expect(segment.noSpeechProb).toBeLessThan(0.5);
      last = segment.end;
    }
    expect(last).toBeLessThanOrEqual(duration);
    expect(providers.encoder).toBe(providers.decoder);
  });

  it("gives words in order within their segments", async () => {
    const { segments, text } = await base.transcribe(sample, { timestamps: "word" });
    const words = segments.flatMap(({ words }) => words!);
    expect(
      words
        .map(({ word }) => word)
        .join("")
        .trim(),
    ).toBe(text);
    for (const segment of segments) {
      expect(segment.start).toBeCloseTo(segment.words![0]!.start, 1);
      for (const word of segment.words!) {
        expect(word.end).toBeGreaterThanOrEqual(word.start);
        expect(word.probability).toBeGreaterThan(0);
        expect(word.probability).toBeLessThanOrEqual(1);
      }
    }
    // The sample has a pause before "Please".
    const please = words.findIndex(({ word }) => word.trim() === "Please");
    expect(words[please]!.start - words[please - 1]!.start).toBeGreaterThan(0.4);
  });

  it("takes a path, a Blob, streams, bare samples and live blocks", async () => {
    const s16 = new Uint8Array(Int16Array.from(speech, (x) => Math.round(x * 32767)).buffer);
    async function* blocks() {
      for (let i = 0; i < speech.length; i += 4000) yield speech.slice(i, i + 4000);
    }
    const sources = [
      [SAMPLE, {}],
      [new Blob([sample as Uint8Array<ArrayBuffer>]), {}],
      [new Blob([sample as Uint8Array<ArrayBuffer>]).stream(), {}],
      [createReadStream(SAMPLE), {}],
      [s16, { raw: { format: "s16", sampleRate: RATE } }],
      [blocks(), { sampleRate: RATE }],
    ] as const;
    const texts: string[] = [];
    for (const [source, options] of sources) {
      texts.push((await base.transcribe(source, { timestamps: "none", ...options })).text);
    }
    expect(new Set(texts).size).toBe(1);
    expect(wordErrorRate([[WORDS, texts[0]!]])).toBe(0);
  });

  it("follows the clip with the encoder, with the same words as from the full window", async () => {
    const short = await base.transcribe(sample, { timestamps: "none" });
    const full = await base.transcribe(sample, { timestamps: "none", context: "full" });
    expect(short.text).toBe(full.text);
    expect(short.times.encoder).toBeGreaterThan(0);
  });

  it("walks through long sound and finds both ends of a pause", async () => {
    const pause = 40;
    const { segments, text, windows } = await base.transcribe(mono(speech, pause, speech));
    expect(wordErrorRate([[`${WORDS} ${WORDS}`, text]])).toBe(0);
    expect(windows).toBeGreaterThanOrEqual(2);
    const second = speech.length / RATE + pause;
    const first = segments.find(({ start }) => start > 20)!;
    expect(Math.abs(first.start - second)).toBeLessThan(1);
    expect(segments.filter(({ start, end }) => start > 9 && end < second)).toEqual([]);
  });

  it("skips silence and cuts at pauses by voice activity", async () => {
    const { segments, text, windows } = await base.transcribe(mono(3, speech, 20, speech, 5), {
      voiceActivity: true,
    });
    expect(wordErrorRate([[`${WORDS} ${WORDS}`, text]])).toBe(0);
    expect(windows).toBe(2);
    expect(segments[0]!.start).toBeGreaterThan(2.5);
    expect(segments.at(-1)!.end).toBeLessThan(3 + 20 + (2 * speech.length) / RATE + 0.5);
  });

  it("detects the language where it is not told, with its probability", async () => {
    const result = await base.transcribe(sample, { language: "auto", timestamps: "none" });
    expect(result.language).toBe("en");
    expect(result.languageProbability).toBeGreaterThan(0.5);
    expect((await base.transcribe(sample, { language: "English" })).languageProbability).toBeUndefined();
  });

  it("sees the prompt, however long", async () => {
    const prompt = "Trains to Edinburgh and London. ".repeat(100);
    const { text } = await base.transcribe(sample, { prompt, timestamps: "none" });
    expect(wordErrorRate([[WORDS, text]])).toBeLessThan(0.3);
  });

  it("goes on with the text before it", async () => {
    const { text } = await base.transcribe(mono(speech, 25, speech), { conditionOnPreviousText: true });
    expect(wordErrorRate([[`${WORDS} ${WORDS}`, text]])).toBeLessThan(0.2);
  });

  it("tells how far it has come and how long it will take", async () => {
    const seen: (number | undefined)[] = [];
    const durations = new Set<number | undefined>();
    await base.transcribe(mono(speech, 30, speech), {
      onProgress: ({ secondsLeft, duration }) => {
        seen.push(secondsLeft);
        durations.add(duration);
      },
    });
    expect([...durations]).toEqual([expect.closeTo(30 + (2 * speech.length) / RATE, 1)]);
    expect(seen[0]).toBeUndefined();
    expect(seen.at(-1)).toBeGreaterThan(0);
  });

  it.each([
    ["silence", mono(5)],
    ["white noise (seed 7)", mono(whiteNoise(10 * RATE, 7).map((x) => x * 0.1))],
    ["a tone", mono(Float32Array.from({ length: 8 * RATE }, (_, i) => 0.3 * Math.sin(i / 6)))],
    ["a tenth of a second", mono(0.1)],
    ["one sample", mono(Float32Array.of(0.1))],
  ])("hears nothing in %s", async (_, sound) => {
    for (const timestamps of ["none", "segment"] as const) {
      expect(await base.transcribe(sound, { timestamps })).toMatchObject({ text: "", segments: [] });
    }
  });

  it("takes a clip just longer than a window", async () => {
    const clip = mono(speech, 30.001 - speech.length / RATE);
    for (const timestamps of ["none", "segment"] as const) {
      const { text, duration } = await base.transcribe(clip, { timestamps });
      expect(wordErrorRate([[WORDS, text]])).toBe(0);
      expect(duration).toBeCloseTo(30.001, 3);
    }
  });

  it("refuses what it cannot do before it reads the sound", async () => {
    const never = new ReadableStream<Uint8Array>({
      pull() {
        throw new Error("it was read");
      },
    });
    await expect(base.transcribe(never, { language: "klingon" })).rejects.toThrow(UnknownLanguageError);
    await expect(base.transcribe(never, { timestamps: "words" as never })).rejects.toThrow(
      InvalidArgumentError,
    );
    await expect(base.transcribe("nowhere.wav")).rejects.toThrow(FileError);
  });
});

describe("stream", () => {
  it("gives the segments of a window before the next is read, and the whole at the end", async () => {
    let read = 0;
    async function* blocks() {
      const { channels } = mono(speech, 60, speech);
      for (let i = 0; i < channels[0]!.length; i += RATE) {
        read = i / RATE;
        yield channels[0]!.slice(i, i + RATE);
      }
    }
    const stream = base.stream(blocks(), { sampleRate: RATE });
    const first = await stream.next();
    expect((first.value as Segment).text).toMatch(/Good morning/);
    expect(read).toBeLessThan(70);
    let step = await stream.next();
    while (!step.done) step = await stream.next();
    expect(wordErrorRate([[`${WORDS} ${WORDS}`, step.value.text]])).toBe(0);
  });

  it("stops and gives everything back when the loop is left", async () => {
    let closed = false;
    async function* blocks() {
      try {
        for (let i = 0; i < 100; i++) yield speech.slice();
      } finally {
        closed = true;
      }
    }
    // A sentence said five times is no mistake here.
    const options = { sampleRate: RATE, compressionRatioThreshold: null };
    for await (const segment of base.stream(blocks(), options)) {
      expect(segment.id).toBe(0);
      break;
    }
    expect(closed).toBe(true);
  });

  it("does not wait for sound that may never come when the loop is left", async () => {
    async function* blocks() {
      yield speech.slice();
      yield new Float32Array(25 * RATE);
      await new Promise(() => undefined); // a microphone that was switched off
    }
    for await (const segment of base.stream(blocks(), { sampleRate: RATE })) {
      expect(segment.text).toMatch(/Good morning/);
      break;
    }
  });

  it("interleaves calls, so that a short one need not wait for a long one", async () => {
    const order: string[] = [];
    const long = base
      .transcribe(mono(speech, 25, speech), { timestamps: "none" })
      .then(() => order.push("long"));
    const short = base.transcribe(sample, { timestamps: "none" }).then(() => order.push("short"));
    await Promise.all([long, short]);
    expect(order).toEqual(["short", "long"]);
  });
});

describe("providers", () => {
  it("give the same text, native and Wasm", async () => {
    const options = { model: "base", language: "en", threads: 1, warm: false };
    const wasm = await createTranscriber({ ...options, providers: ["wasm"] });
    const native = await createTranscriber({ ...options, providers: ["native"] });
    const texts: string[] = [];
    for (const [name, transcriber] of [
      ["wasm", wasm],
      ["native", native],
    ] as const) {
      const result = await transcriber.transcribe(sample);
      expect(result.providers).toMatchObject({ encoder: name, decoder: name });
      texts.push(result.text);
      await transcriber.dispose();
      expect(transcriber.stats().filter(({ inUse }) => inUse > 0)).toEqual([]);
    }
    expect(texts[0]).toBe(texts[1]);
  });

  it("that are not here are passed over, with the reason", async () => {
    const transcriber = await createTranscriber({
      model: "tiny",
      providers: ["webnn", "wasm"],
      threads: 1,
      warm: false,
    });
    const { providers } = await transcriber.transcribe(sample, { timestamps: "none" });
    expect(providers).toMatchObject({ encoder: "wasm", decoder: "wasm" });
    expect(providers.passedOver).toContainEqual({
      graph: "encoder",
      provider: "webnn",
      reason: expect.stringMatching(/./),
    });
    await transcriber.dispose();
  });
});
