import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ListenerOptions, startListener } from "../../src/browser/listener.ts";
import type { MicrophoneInput } from "../../src/browser/microphone-input.ts";
import {
  createCore,
  createResampler,
  createTranscriber,
  type Segment,
  type Transcriber,
} from "../../src/index.ts";
import { poolStatistics } from "../../src/pools/pool-statistics.ts";
import { SAMPLE, WORDS } from "../reference/sample.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";

const RATE = 16000;
/** Tiny mishears a word of the sample now and then. */
const MISHEARD = 0.1;

/** Sound that is there at once, or as fast as the clock says: so many times faster than it was. */
function scripted(
  sound: Float32Array,
  sampleRate: number,
  speed = Number.POSITIVE_INFINITY,
): MicrophoneInput {
  const began = performance.now();
  let at = 0;
  return {
    read(last) {
      const until = last ? sound.length : ((performance.now() - began) / 1000) * sampleRate * speed;
      const end = Math.min(at + 1024, sound.length);
      if (at >= sound.length || (end > until && !last)) return undefined;
      const block = sound.subarray(at, end);
      at = end;
      return block;
    },
    changed: (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.min(5, milliseconds))),
    complete: true,
    counts: undefined,
    close() {},
  };
}

describe("a listener", () => {
  let transcriber: Transcriber;
  let sample: Float32Array;
  /** What the transcriber has on lease at rest. */
  let rest: string[];

  const inUse = () =>
    poolStatistics(transcriber.core)
      .filter((pool) => pool.inUse > 0)
      .map((pool) => `${pool.name} ${pool.inUse}`);
  const joined = (...parts: Float32Array[]) => {
    const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  };
  const quiet = (seconds: number) => new Float32Array(seconds * RATE);

  beforeAll(async () => {
    const core = await createCore({ memoryBytes: 96 * 2 ** 20, threads: false });
    // Whichever provider is quickest here, on one thread: pages have Wasm in the other tests of this folder.
    transcriber = await createTranscriber({ model: "tiny", threads: 1, core, language: "en" });
    const wav = await readFile(SAMPLE);
    sample = Float32Array.from(
      { length: (wav.length - 44) / 2 },
      (_, i) => wav.readInt16LE(44 + 2 * i) / 32768,
    );
    rest = inUse();
  });
  afterAll(() => transcriber?.dispose());

  async function listen(
    input: MicrophoneInput,
    options: Partial<ListenerOptions> = {},
    whole = true,
    model = transcriber,
  ) {
    const segments: Segment[] = [];
    const partials: string[] = [];
    const listener = await startListener(
      model.core,
      model,
      input,
      {
        ...{
          sampleRate: RATE,
          options: {},
          gate: {},
          partials: false,
          patient: false,
          signal: new AbortController().signal,
        },
        ...options,
      },
      {
        segment: (segment) => void segments.push(segment),
        partial: ({ text }) => void partials.push(text),
      },
    );
    if (whole) listener.finish();
    return { listener, segments, partials };
  }

  it.each([44100, 48000, 16000])("puts sound at %i Hz into words", async (sampleRate) => {
    const core = await createCore({ memoryBytes: 16 * 2 ** 20, threads: false });
    using resampler = createResampler(core, { from: RATE, to: sampleRate });
    const sound = new Float32Array(resampler.outputLength(sample.length));
    const count = resampler.process(sample, sound);
    resampler.flush(sound.subarray(count));
    const { listener } = await listen(scripted(sound, sampleRate), { sampleRate });
    const { text, duration } = await listener.done;
    expect(wordErrorRate([[WORDS, text]]), text).toBeLessThan(MISHEARD);
    expect(Math.abs(duration - sample.length / RATE)).toBeLessThan(0.04);
    expect(inUse()).toEqual(rest);
  });

  it("tells partial and final texts while sound comes, each utterance at its time", async () => {
    const sound = joined(quiet(1), sample, quiet(2), sample, quiet(1));
    const speed = 2;
    const { listener, segments, partials } = await listen(
      scripted(sound, RATE, speed),
      { partials: true },
      false,
    );
    await new Promise((resolve) => setTimeout(resolve, (1000 * sound.length) / RATE / speed + 200));
    listener.finish();
    const { text, segments: all } = await listener.done;
    expect(wordErrorRate([[`${WORDS} ${WORDS}`, text]]), text).toBeLessThan(MISHEARD);
    expect(all).toEqual(segments);
    expect(all.map(({ id }) => id)).toEqual(all.map((_, i) => i));
    const second = all.filter(({ start }) => start > 9);
    expect(second[0]!.text).toMatch(/Good morning/);
    expect(Math.abs(second[0]!.start - 10.65)).toBeLessThan(0.6);
    expect(partials.length).toBeGreaterThan(1);
    expect(partials[0]).toMatch(/Good/);
    expect(listener.lostSeconds).toBe(0);
    expect(inUse()).toEqual(rest);
  });

  it.each([true, false])(
    "is behind by two minutes at most, and loses none where sound waits: %s",
    async (patient) => {
      // Ten times the sample in 152 s; the second one begins before what two minutes hold.
      const sound = joined(...Array.from({ length: 10 }, () => [sample, quiet(8)]).flat());
      const slow: Transcriber = {
        ...transcriber,
        async transcribe(...call) {
          await new Promise((resolve) => setTimeout(resolve, 200));
          return transcriber.transcribe(...call);
        },
      };
      const { listener } = await listen(
        scripted(sound, RATE),
        { patient, options: { timestamps: "none" } },
        true,
        slow,
      );
      const { text, duration } = await listener.done;
      expect(duration).toBeCloseTo(sound.length / RATE, 1);
      if (patient) {
        expect(wordErrorRate([[Array(10).fill(WORDS).join(" "), text]]), text).toBeLessThan(MISHEARD);
        expect(listener.lostSeconds).toBe(0);
      } else expect(listener.lostSeconds).toBeGreaterThan(1);
      expect(inUse()).toEqual(rest);
    },
  );

  it("does not trouble the model with silence", async () => {
    const { listener } = await listen(scripted(quiet(20), RATE));
    const { text, windows, times, duration } = await listener.done;
    expect([text, windows, times.encoder]).toEqual(["", 0, 0]);
    expect(duration).toBeCloseTo(20, 1);
    expect(inUse()).toEqual(rest);
  });

  it("ends with the signal's reason, and gives everything back", async () => {
    const stop = new AbortController();
    const { listener } = await listen(scripted(sample, RATE, 4), { signal: stop.signal }, false);
    setTimeout(() => stop.abort(new Error("enough")), 300);
    await expect(listener.done).rejects.toThrow("enough");
    expect(inUse()).toEqual(rest);
  });

  it("refuses options and detectors before it listens, and gives everything back", async () => {
    const input = scripted(sample, RATE);
    await expect(listen(input, { options: { language: "tlh" } })).rejects.toMatchObject({
      code: "unknown-language",
    });
    await expect(listen(input, { options: { beamSize: 0 } })).rejects.toThrow(/beamSize/);
    await expect(listen(input, { gate: { threshold: 7 } })).rejects.toThrow(/threshold is 7/);
    await expect(listen(input, { gate: { detector: { silero: "/nowhere.onnx" } } })).rejects.toMatchObject({
      code: "file",
    });
    expect(inUse()).toEqual(rest);
  });
});
