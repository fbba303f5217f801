import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCore, readWav } from "../src/index.ts";
import {
  InvalidArgumentError,
  NonFiniteSamplesError,
  PoolClosedError,
  PoolExhaustedError,
  type PooledFeatureExtractorOptions,
  UnsupportedExtractorError,
} from "../src/transformers.ts";
import { AST, closeAll, disposeAll, PARAKEET, pooledOf, SEAMLESS, WHISPER } from "./reference/extractors.ts";
import { collectGarbage } from "./reference/garbage.ts";
import {
  loadPeer,
  PEER_INSTALLED,
  type Peer,
  type PeerExtractor,
  type PeerTensor,
} from "./reference/peer.ts";
import { SAMPLE } from "./reference/sample.ts";
import { whiteNoise } from "./reference/signals.ts";

if (!PEER_INSTALLED) {
  console.warn("SKIPPED: leases of the drop-in for transformers.js; run `npm run peers`.");
}

const SEED = 20240701;

describe.skipIf(!PEER_INSTALLED)("pooledFeatureExtractor", () => {
  let peer: Peer;
  let speech: Float32Array;

  beforeAll(async () => {
    peer = await loadPeer();
    peer.env.logLevel = 50;
    speech = readWav(await readFile(SAMPLE)).channels[0]!;
  });
  afterAll(closeAll);

  const whisper = (options?: PooledFeatureExtractorOptions) =>
    pooledOf(new peer.WhisperFeatureExtractor({ ...WHISPER }), options);

  describe("leases", () => {
    it("end when the tensors that share a buffer are disposed, once", async () => {
      const pooled = await pooledOf(new peer.ParakeetFeatureExtractor({ ...PARAKEET }));
      const { input_features, attention_mask } = await pooled(speech);
      expect(attention_mask!.data.buffer).toBe(input_features!.data.buffer);
      expect(pooled.stats()).toMatchObject({ tensors: 2, pool: { inUse: 1 } });
      input_features!.dispose();
      expect(pooled.stats()).toMatchObject({ tensors: 1, pool: { inUse: 1 } });
      expect(Number(attention_mask!.data[0])).toBe(1);
      attention_mask!.dispose();
      attention_mask!.dispose();
      expect(pooled.stats()).toMatchObject({ tensors: 0, pool: { inUse: 0, doubleReleases: 0 } });
    });

    it("end when nothing of a tensor can be reached any more, and not before", async () => {
      const pooled = await whisper({ buffers: 4 });
      const held: { data?: unknown; part?: PeerTensor; view?: unknown } = {};
      await (async () => {
        await pooled(speech);
        held.data = (await pooled(speech)).input_features!.data;
        held.part = (await pooled(speech)).input_features![0]![79]!;
      })();
      const tensors = () => pooled.stats().tensors;
      expect(tensors()).toBe(3);
      await collectGarbage(() => tensors() === 2);
      expect(tensors()).toBe(2);
      const expected = (await new peer.WhisperFeatureExtractor({ ...WHISPER })(speech)).input_features!.data;
      // Were the buffer free, these would write into it.
      for (let i = 0; i < 4; i++) await pooled(whiteNoise(480000, SEED + i));
      const row = held.part!.data as Float32Array;
      const apart = Array.from(row, (x, i) => Math.abs(Number(x) - Number(expected[79 * 3000 + i])));
      expect(apart).toHaveLength(3000);
      expect(Math.max(...apart)).toBeLessThanOrEqual(3e-5);
      expect(pooled.stats()).toMatchObject({ unpooled: 2 });
      held.data = undefined;
      await collectGarbage(() => tensors() === 1);
      expect(tensors()).toBe(1);
      expect(held.part!.dims).toEqual([3000]);
    });

    it("end for tensors of a closed extractor too, which stay valid until then", async () => {
      const pooled = await whisper();
      const { input_features } = await pooled(speech);
      const copy = input_features!.data.slice();
      expect(pooled.close()).toBe(1);
      expect(pooled.close()).toBe(0);
      expect(input_features!.data).toEqual(copy);
      await expect(pooled(speech)).rejects.toThrow(PoolClosedError);
      expect(pooled.stats()).toMatchObject({ tensors: 1, pool: { inUse: 1 } });
      input_features!.dispose();
      expect(() => pooled.stats()).toThrow(PoolClosedError);
    });

    it("can be refused where an array would be allocated", async () => {
      const pooled = await whisper({ buffers: 1, whenFull: "error" });
      const first = await pooled(speech);
      await expect(pooled(speech)).rejects.toThrow(PoolExhaustedError);
      await expect(pooled(speech)).rejects.toThrow(/all 1 buffers are in use; dispose tensors/);
      disposeAll(first);
      disposeAll(await pooled(speech));
      pooled[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
      await expect(pooled(speech)).rejects.toThrow(PoolClosedError);
    });

    it("are of the core that is given", async () => {
      const core = await createCore({ threads: false });
      const one = await whisper({ core, name: "one", buffers: 2 });
      const two = await whisper({ core, name: "two", buffers: 2 });
      const ours = [await one(speech), await two(speech)];
      for (const { input_features } of ours) expect(input_features!.data.buffer).toBe(core.buffer);
      ours.forEach(disposeAll);
      await expect(whisper({ core, name: "one" })).rejects.toThrow(/"one" exists already/);
    });
  });

  it("belongs to the copy of transformers.js that the original is of, minified or not", async () => {
    const other = await loadPeer("transformers.node.min.mjs");
    const pooled = await pooledOf(new other.WhisperFeatureExtractor({ ...WHISPER }));
    const { input_features } = await pooled(speech);
    expect(input_features).toBeInstanceOf(other.Tensor);
    expect(input_features).not.toBeInstanceOf(peer.Tensor);
    input_features!.dispose();
  });

  describe("refuses", () => {
    const refusal = async (extractor: unknown, options?: PooledFeatureExtractorOptions) =>
      pooledOf(extractor as PeerExtractor, options).then(
        () => new Error("taken all the same"),
        (error: Error) => error,
      );

    it("classes and settings that it cannot reproduce, naming them", async () => {
      const cases: [PeerExtractor, RegExp][] = [
        [
          new peer.GraniteSpeechFeatureExtractor({
            melspec_kwargs: { n_fft: 512, win_length: 400, n_mels: 80, sample_rate: 16000, hop_length: 160 },
          }),
          /does not reproduce GraniteSpeechFeatureExtractor .* but WhisperFeatureExtractor, /,
        ],
        [new peer.CohereAsrFeatureExtractor({ ...PARAKEET, dither: 1e-5 }), /dither is 0\.00001; .* 0;/],
        [new peer.SeamlessM4TFeatureExtractor({ ...SEAMLESS, max_length: 100 }), /max_length is 100;/],
        [new peer.WhisperFeatureExtractor({ ...WHISPER, n_samples: undefined }), /n_samples is undefined;/],
        [
          new peer.WhisperFeatureExtractor({ ...WHISPER, nb_max_frames: 1000 }),
          /n_samples is 480000; .* 1000 /,
        ],
        [new peer.ASTFeatureExtractor({ ...AST, std: 0 }), /std is 0;/],
      ];
      for (const [extractor, message] of cases) {
        const error = await refusal(extractor);
        expect(error).toBeInstanceOf(UnsupportedExtractorError);
        expect(error.message).toMatch(message);
      }
    });

    it("whatever computes other features", async () => {
      const { mel_filters } = new peer.WhisperFeatureExtractor({ ...WHISPER }).config;
      const filters = mel_filters.map((filter: number[], i: number) =>
        i === 40 ? filter.map((x) => 1.01 * x) : filter,
      );
      const refiltered = new peer.WhisperFeatureExtractor({ ...WHISPER, mel_filters: filters });
      expect((await refusal(refiltered)).message).toMatch(
        /input_features differs by 0\.001\d* at .* mel_filters/,
      );
      class Louder extends peer.WhisperFeatureExtractor {
        override _call(audio: Float32Array) {
          return super._call(audio.map((x) => 2 * x));
        }
      }
      expect(await refusal(new Louder({ ...WHISPER }))).toBeInstanceOf(UnsupportedExtractorError);
    });

    it("what is no extractor, or pooled already", async () => {
      for (const nothing of [undefined, {}, () => {}, "WhisperFeatureExtractor"]) {
        expect(await refusal(nothing)).toBeInstanceOf(InvalidArgumentError);
      }
      expect((await refusal(await whisper())).message).toMatch(/pooled already/);
    });

    it("options out of range, and shared memory", async () => {
      const original = new peer.ParakeetFeatureExtractor({ ...PARAKEET });
      const cases: [object, RegExp][] = [
        [{ buffers: 0 }, /buffers is 0;/],
        [{ buffers: 1.5 }, /buffers is 1\.5;/],
        [{ buffers: 4096, maxSeconds: 3600 }, /give fewer buffers/],
        [{ maxSeconds: 0.5 }, /maxSeconds is 0\.5;/],
        [{ maxSeconds: Number.NaN }, /maxSeconds is NaN;/],
        [{ whenFull: "wait" }, /whenFull is "wait";/],
        [{ nonFinite: "ignore" }, /nonFinite is "ignore";/],
        [{ core: await createCore({ threads: true }) }, /threads: false/],
      ];
      for (const [options, message] of cases) {
        const error = await refusal(original, options);
        expect(error, JSON.stringify(Object.keys(options))).toBeInstanceOf(InvalidArgumentError);
        expect(error.message).toMatch(message);
      }
    });

    it("samples of another type, or that are not finite", async () => {
      const pooled = await whisper();
      const theirs = new peer.WhisperFeatureExtractor({ ...WHISPER });
      for (const audio of [undefined, [0, 1], [speech, speech], new Int16Array(100), "speech.wav"]) {
        await expect(theirs(audio)).rejects.toThrow(/expects input to be a Float32Array or a Float64Array/);
        await expect(pooled(audio)).rejects.toThrow(/expects input to be a Float32Array or a Float64Array/);
        await expect(pooled(audio)).rejects.toThrow(InvalidArgumentError);
      }
      const broken = speech.slice();
      broken[100] = Number.NaN;
      await expect(pooled(broken)).rejects.toThrow(NonFiniteSamplesError);
      expect(pooled.stats()).toMatchObject({ pooled: 0, tensors: 0, pool: { inUse: 0 } });
      const lenient = await whisper({ nonFinite: "zero" });
      disposeAll(await lenient(broken));
      expect(lenient.stats()).toMatchObject({ pooled: 1 });
    });
  });
});
