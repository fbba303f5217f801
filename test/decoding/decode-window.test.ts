import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { decodeWindow } from "../../src/decoding/decode-window.ts";
import type { WindowOptions } from "../../src/decoding/window-options.ts";
import { InvalidArgumentError, UnknownLanguageError } from "../../src/index.ts";
import type { Decoder } from "../../src/inference/decoder.ts";
import type { Tensor } from "../../src/inference/tensor.ts";
import { SAMPLE, WORDS } from "../reference/sample.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";
import { hasEspeak, speak } from "./espeak.ts";
import { scriptedDecoder } from "./scripted-decoder.ts";
import { NO_TENSOR } from "./toy-decoder.ts";
import { countingCaches, createWorkbench, type Workbench } from "./workbench.ts";

let bench: Workbench;
let hidden: Tensor & { seconds: number };
let decoder: ReturnType<typeof countingCaches>;

beforeAll(async () => {
  bench = await createWorkbench("tiny");
  hidden = await bench.encode(await readFile(SAMPLE));
  decoder = countingCaches(bench.decoder);
});

afterAll(async () => {
  hidden.release();
  await bench.release();
});

afterEach(() => {
  expect(decoder.held(), "caches not released").toBe(0);
});

function decode(options: WindowOptions = {}, by: Decoder = decoder) {
  return decodeWindow(by, bench.config, bench.tokenizer, hidden, options);
}

/** The real decoder, and the tokens that it was started with. */
function watched(): { by: Decoder; started: number[][] } {
  const started: number[][] = [];
  return {
    started,
    by: {
      ...decoder,
      start(hiddenState, tokens) {
        started.push([...tokens]);
        return decoder.start(hiddenState, tokens);
      },
    },
  };
}

describe("decodeWindow on real weights", () => {
  it("finds the sample's words without timestamps", async () => {
    const counts: number[] = [];
    const found = await decode({
      language: "English",
      timestamps: false,
      seconds: hidden.seconds,
      onToken: (count) => counts.push(count),
    });
    // One word of tiny's hangs on the rounding of a provider.
    expect(wordErrorRate([[WORDS, found.text]])).toBeLessThan(0.07);
    expect(found).toMatchObject({
      language: "en",
      temperature: 0,
      stop: "end",
      truncated: false,
      silent: false,
    });
    expect(found.fallbacks).toEqual([]);
    expect(found.tokens.every((token) => token < bench.tokenizer.endOfText)).toBe(true);
    expect(counts).toEqual(found.tokens.map((_, i) => i + 1));
    expect(found.avgLogprob).toBeGreaterThan(-1);
    expect(found.avgLogprob).toBeLessThan(0);
    expect(found.noSpeechProb).toBeGreaterThan(0);
    expect(found.noSpeechProb).toBeLessThan(0.6);
  });

  it("detects the language when it is not told, and writes timestamps that keep the rules", async () => {
    const found = await decode({ beamSize: 5, seconds: hidden.seconds });
    expect(found.language).toBe("en");
    const probabilities = Object.values(found.languageProbabilities!);
    expect(probabilities).toHaveLength(99);
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
    const begin = bench.tokenizer.timestampBegin;
    const stamps = found.tokens.filter((token) => token >= begin);
    expect(found.tokens[0]).toBe(stamps[0]);
    expect(stamps[0]! - begin).toBeLessThanOrEqual(50);
    expect(stamps.length).toBeGreaterThanOrEqual(2);
    expect(stamps).toEqual(stamps.toSorted((a, b) => a - b));
    expect((stamps.at(-1)! - begin) * 0.02).toBeLessThanOrEqual(30);
    expect(wordErrorRate([[WORDS.slice(0, found.text.length + 1), found.text]])).toBeLessThan(0.2);
  });

  it("scores no less with five beams than greedily", async () => {
    for (const timestamps of [true, false]) {
      const greedy = await decode({ language: "en", timestamps, temperatures: [0] });
      const beams = await decode({ language: "en", timestamps, temperatures: [0], beamSize: 5 });
      const score = ({ avgLogprob, tokens }: typeof greedy) =>
        (avgLogprob * (tokens.length + 1)) / tokens.length;
      expect(score(beams)).toBeGreaterThanOrEqual(score(greedy) - 1e-6);
    }
  });

  it("samples repeatably, otherwise with another seed", async () => {
    const sample = (seed: number) =>
      decode({ language: "en", temperatures: [1], bestOf: 2, seed, maxTokens: 6 });
    const [first, again, other] = [await sample(1), await sample(1), await sample(2)];
    expect(again).toEqual(first);
    expect(other.tokens).not.toEqual(first.tokens);
    expect(first.temperature).toBe(1);
  });

  it("goes through the temperatures while texts fail, and takes the likeliest when all do", async () => {
    const options = { language: "en", timestamps: false, temperatures: [0, 0.3, 0.9], maxTokens: 8 };
    const singles = [];
    for (const [i, temperature] of options.temperatures.entries()) {
      singles.push(await decode({ ...options, temperatures: [temperature], seed: i }));
    }
    const likeliest = singles.toSorted((a, b) => b.avgLogprob - a.avgLogprob)[0]!;
    const repetitive = await decode({ ...options, compressionRatioThreshold: 0.1 });
    expect(repetitive.fallbacks).toEqual(
      options.temperatures.map((temperature) => ({ temperature, reason: "compression ratio" })),
    );
    const unlikely = await decode({ ...options, logprobThreshold: -1e-9 });
    expect(unlikely.fallbacks.map(({ reason }) => reason)).toEqual(new Array(3).fill("log probability"));
    for (const { tokens, temperature, failed } of [repetitive, unlikely]) {
      expect({ tokens, temperature, failed }).toEqual({
        tokens: likeliest.tokens,
        temperature: likeliest.temperature,
        failed: true,
      });
    }
    const unjudged = await decode({ ...options, logprobThreshold: null, compressionRatioThreshold: null });
    expect(unjudged).toMatchObject({ fallbacks: [], failed: false, temperature: 0 });
  });

  it("takes an untrusted text of no speech for silence, and tries no further", async () => {
    const options = { language: "en", timestamps: false, logprobThreshold: -1e-9 };
    const silent = await decode({ ...options, noSpeechThreshold: 1e-9 });
    expect(silent).toMatchObject({ silent: true, temperature: 0, fallbacks: [] });
    const trusted = await decode({ ...options, logprobThreshold: -5, noSpeechThreshold: 1e-9 });
    expect(trusted.silent).toBe(false);
  });

  it("starts with the last 223 tokens of a long prompt, and the prefix after the start", async () => {
    const { by, started } = watched();
    const prompt = bench.tokenizer.encode(" one two three four five six seven eight nine ten".repeat(40));
    expect(prompt.length).toBeGreaterThan(300);
    await decode({ language: "de", prompt, prefix: "Guten Morgen", maxTokens: 3, temperatures: [0] }, by);
    expect(started).toEqual([
      [
        bench.tokenizer.startOfPrevious,
        ...prompt.slice(-223),
        ...bench.tokenizer.startTokens({ language: "de", timestamps: true }),
        ...bench.tokenizer.encode(" Guten Morgen"),
      ],
    ]);
  });

  it("runs the prompt once for all temperatures, and detects the language with one run more", async () => {
    const { by, started } = watched();
    await decode({ compressionRatioThreshold: 0.1, temperatures: [0, 0.5], maxTokens: 4 }, by);
    expect(started).toEqual([
      [bench.tokenizer.startOfText],
      bench.tokenizer.startTokens({ language: "en", timestamps: true }),
    ]);
  });

  it("never writes suppressed tokens", async () => {
    const plain = await decode({ language: "en", timestamps: false });
    const unwanted = plain.tokens.slice(0, 3);
    const found = await decode({
      language: "en",
      timestamps: false,
      suppressTokens: [-1, ...unwanted],
      temperatures: [0],
    });
    expect(found.tokens.some((token) => unwanted.includes(token))).toBe(false);
  });

  it("says when a text was cut at its limit", async () => {
    for (const beamSize of [1, 3]) {
      const found = await decode({
        language: "en",
        timestamps: false,
        maxTokens: 5,
        beamSize,
        temperatures: [0],
      });
      expect(found).toMatchObject({ stop: "length", truncated: true });
      expect(found.tokens).toHaveLength(5);
    }
  });

  it("stops when it is aborted, with every strategy, and releases all caches", async () => {
    for (const options of [{}, { beamSize: 3 }, { temperatures: [0.7], bestOf: 2 }]) {
      const controller = new AbortController();
      const onToken = (count: number) => count === 3 && controller.abort(new Error("enough"));
      await expect(
        decode({
          ...options,
          language: "en",
          timestamps: false,
          signal: controller.signal,
          onToken: (n) => void onToken(n),
        }),
      ).rejects.toThrow("enough");
      expect(decoder.held()).toBe(0);
    }
    await expect(decode({ signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
  });

  it("releases all caches when the decoder fails at its start or amidst a text", async () => {
    for (const at of [0, 4]) {
      let runs = 0;
      const failing: Decoder = {
        ...decoder,
        start: (...args) => (at === 0 ? Promise.reject(new Error("broken")) : decoder.start(...args)),
        step: (...args) => (++runs === at ? Promise.reject(new Error("broken")) : decoder.step(...args)),
      };
      await expect(decode({ language: "en", timestamps: false, beamSize: 2 }, failing)).rejects.toThrow(
        "broken",
      );
      expect(decoder.held()).toBe(0);
    }
  });
});

describe.skipIf(!hasEspeak)("decodeWindow on a phrase said over and over", () => {
  it("neither runs to its limit nor drops what was said", async () => {
    // Greedily, tiny goes on with this for ever.
    const repeated = await bench.encode(await speak("en-gb", "No, no, no, no, no, no, no, no, no, no, no!"));
    let steps = 0;
    const counted = { seconds: repeated.seconds, language: "en", onToken: () => void steps++ };
    const greedy = await decodeWindow(decoder, bench.config, bench.tokenizer, repeated, {
      ...counted,
      temperatures: [0],
    });
    expect(steps).toBeLessThan(100);
    expect(greedy.text.match(/\bno\b/gi)!.length).toBeLessThan(40);
    const found = await decodeWindow(decoder, bench.config, bench.tokenizer, repeated, counted);
    repeated.release();
    expect(found.text).toMatch(/no\W+no/i);
  });
});

describe("decodeWindow", () => {
  it.each<[WindowOptions, RegExp]>([
    [{ temperatures: [] }, /temperatures/],
    [{ temperatures: [-1] }, /temperature is -1/],
    [{ beamSize: 0 }, /beamSize is 0/],
    [{ bestOf: 1.5 }, /bestOf is 1.5/],
    [{ patience: 0 }, /patience is 0/],
    [{ lengthPenalty: 2 }, /lengthPenalty is 2/],
    [{ maxTokens: 500 }, /maxTokens is 500/],
    [{ seed: 0.5 }, /seed is 0.5/],
    [{ maxInitialTimestamp: -1 }, /maxInitialTimestamp is -1/],
    [{ suppressTokens: [-2] }, /suppressTokens is -2/],
    [{ prompt: [1e9] }, /prompt is 1000000000/],
    [
      { prompt: new Array(300).fill(1), prefix: new Array(300).fill(1) },
      /prompt and prefix make 5\d\d tokens/,
    ],
    [{ noSpeechThreshold: Number.NaN }, /noSpeechThreshold is NaN/],
  ])("refuses %j before anything runs", async (options, message) => {
    const made = decoder.made();
    await expect(decode({ language: "en", ...options })).rejects.toThrow(InvalidArgumentError);
    await expect(decode({ language: "en", ...options })).rejects.toThrow(message);
    expect(decoder.made()).toBe(made);
  });

  it("refuses languages that the model does not know", async () => {
    await expect(decode({ language: "klingon" })).rejects.toThrow(UnknownLanguageError);
  });

  it("catches a loop at once at every temperature, and leaves one copy of it", async () => {
    const { config, tokenizer } = bench;
    const phrase = tokenizer.encode(" Thanks for watching!");
    for (const options of [{ temperatures: [0, 0.5, 1] }, { temperatures: [0], beamSize: 3 }]) {
      const { decoder: looping, steps } = scriptedDecoder(
        config,
        (sampled) => phrase[sampled.length % phrase.length]!,
      );
      const found = await decodeWindow(looping, config, tokenizer, NO_TENSOR, {
        ...options,
        language: "en",
        timestamps: false,
      });
      expect(found.text).toBe("Thanks for watching!");
      expect(found).toMatchObject({ stop: "repetition", truncated: true });
      expect(found.fallbacks).toEqual(
        options.temperatures.map((temperature) => ({ temperature, reason: "repetition" })),
      );
      expect(steps()).toBeLessThan(60 * 3);
    }
  });

  it("stops a text longer than can be spoken, and leaves genuine repeats whole", async () => {
    const { config, tokenizer } = bench;
    const numbers = Array.from({ length: 150 }, (_, i) => ` ${i}`).join("");
    const spoken = tokenizer.encode(numbers);
    const say = (text: number[]) =>
      scriptedDecoder(config, (sampled) => text[sampled.length] ?? tokenizer.endOfText).decoder;
    const options = { language: "en", timestamps: false, temperatures: [0] };
    const fast = await decodeWindow(say(spoken), config, tokenizer, NO_TENSOR, { ...options, seconds: 2 });
    expect(fast).toMatchObject({ stop: "rate", truncated: true });
    const slow = await decodeWindow(say(spoken), config, tokenizer, NO_TENSOR, { ...options, seconds: 29 });
    expect(slow).toMatchObject({ stop: "end", text: numbers.trim() });
    const no = " No, no, no, no, no, no, no, no, no, no, no, no.";
    const refusal = await decodeWindow(say(tokenizer.encode(no)), config, tokenizer, NO_TENSOR, {
      ...options,
      seconds: 8,
    });
    expect(refusal).toMatchObject({ stop: "end", text: no.trim() });
  });
});
