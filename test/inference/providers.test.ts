import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCore } from "../../src/core/create-core.ts";
import { InvalidArgumentError, LeaseError, ModelFormatError } from "../../src/core/errors.ts";
import { type Decoder, loadDecoder } from "../../src/inference/decoder.ts";
import { type Encoder, type GraphOptions, loadEncoder } from "../../src/inference/encoder.ts";
import { loadNativeRuntime } from "../../src/inference/native-session.ts";
import { ProviderLostError } from "../../src/inference/provider-lost.ts";
import {
  createSession,
  movable,
  type PassedOver,
  providerOrder,
  providerReport,
} from "../../src/inference/providers.ts";
import type { ProviderName, Session } from "../../src/inference/session.ts";
import type { Tensor } from "../../src/inference/tensor.ts";
import { SAMPLE, WORDS } from "../reference/sample.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";
import { addGraph } from "./add-graph.ts";
import { featuresOf, greedyTokens, JFK, type Model, openModel } from "./speech.ts";

const installed = await loadNativeRuntime().then(
  () => true,
  () => false,
);
if (!installed) console.warn("SKIPPED: native provider. npm install onnxruntime-node.");

describe.skipIf(!installed)("the native provider", () => {
  let model: Model;
  /** Of 8-bit weights the small model's choices hang on the last bit, which processors and Wasm round apart. */
  let base: Model;

  beforeAll(async () => {
    model = await openModel("tiny");
    base = await openModel("base");
  });

  /** On one thread: two files are tested at a time, on two cores, and more threads would wait for each other. */
  async function withGraphs<R>(
    providers: readonly ProviderName[],
    use: (encoder: Encoder, decoder: Decoder) => Promise<R>,
    options: GraphOptions = {},
    of = model,
  ): Promise<R> {
    const core = await createCore({ threads: false });
    const loading = { ...options, providers, threads: 1 };
    const encoder = await loadEncoder(of.files.encoder, of.config, loading);
    try {
      const decoder = await loadDecoder(core, of.files.decoder, of.config, loading);
      try {
        return await use(encoder, decoder);
      } finally {
        await decoder.release();
      }
    } finally {
      await encoder.release();
    }
  }

  /** What a provider makes of sound files, loaded once for all of them. */
  const words = async (provider: ProviderName, paths: string[]) => {
    const run = async (encoder: Encoder, decoder: Decoder) => {
      expect(encoder.session.provider).toBe(provider);
      expect(decoder.session.provider).toBe(provider);
      const texts: string[] = [];
      for (const path of paths) {
        const ids = await greedyTokens(base, encoder, decoder, await featuresOf(base, path));
        texts.push(base.tokenizer.decode(ids.slice(0, -1)));
      }
      return texts;
    };
    return withGraphs([provider], run, {}, base);
  };

  it("gives the text that Wasm gives: the sample's words, and of a recording where there is one", async () => {
    const paths = JFK ? [SAMPLE, JFK] : [SAMPLE];
    const texts = await words("native", paths);
    expect(wordErrorRate([[WORDS, texts[0]!]])).toBe(0);
    expect(texts).toEqual(await words("wasm", paths));
  });

  it("is the first choice outside browsers, and passes nothing over", async () => {
    const passed: PassedOver[] = [];
    const encoder = await loadEncoder(model.files.encoder, model.config, {
      onPassedOver: (one) => passed.push(one),
    });
    expect(providerReport(encoder.session, encoder.session, passed)).toEqual({
      encoder: "native",
      decoder: "native",
      passedOver: [],
    });
    await encoder.release();
  });

  it("takes shared memory", async () => {
    const features = await featuresOf(model, SAMPLE);
    const shared = new Float32Array(new SharedArrayBuffer(features.byteLength));
    shared.set(features);
    await withGraphs(["native"], async (encoder, decoder) => {
      const ids = await greedyTokens(model, encoder, decoder, features);
      expect(await greedyTokens(model, encoder, decoder, shared)).toEqual(ids);
    });
  });

  it("takes tensors of the Wasm heap, and gives it some", async () => {
    const features = await featuresOf(model, SAMPLE);
    const text = (ids: number[]) => model.tokenizer.decode(ids.slice(0, -1));
    await withGraphs(["wasm"], (encoder, decoder) =>
      withGraphs(["native"], async (nativeEncoder, nativeDecoder) => {
        const one = text(await greedyTokens(model, encoder, nativeDecoder, features));
        const other = text(await greedyTokens(model, nativeEncoder, decoder, features));
        expect(wordErrorRate([[WORDS, one]])).toBeLessThan(0.1);
        expect(wordErrorRate([[WORDS, other]])).toBeLessThan(0.1);
      }),
    );
  });

  it("leaves a decoder that fails mid-way to Wasm, which goes on with its caches", async () => {
    const features = await featuresOf(model, SAMPLE);
    const expected = await withGraphs(["native"], (encoder, decoder) =>
      greedyTokens(model, encoder, decoder, features),
    );
    const passed: PassedOver[] = [];
    const onPassedOver = (one: PassedOver) => passed.push(one);
    const options: GraphOptions = { onPassedOver };
    const ids = await withGraphs(
      ["native", "wasm"],
      async (encoder, decoder) => {
        let steps = 0;
        const failing: Decoder = {
          ...decoder,
          async step(cache, token) {
            // A cache of the wrong width fails in native; the caches of before are whole.
            if (++steps === 5) {
              const name = Object.keys(cache.own)[0]!;
              const wrong = decoder.session.tensor("float32", new Float32Array(6 * 65), [1, 6, 1, 65]);
              const feeds = { ...cache.own, ...cache.cross.tensors, [name]: wrong };
              await expect(decoder.session.run(feeds, ["logits"])).rejects.toThrow(/decoder failed/);
            }
            return decoder.step(cache, token);
          },
        };
        const all = await greedyTokens(model, encoder, failing, features);
        expect(encoder.session.provider).toBe("native");
        expect(decoder.session.provider).toBe("wasm");
        return all;
      },
      options,
    );
    expect(ids).toEqual(expected);
    expect(passed).toHaveLength(1);
    expect(passed[0]).toMatchObject({ graph: "decoder", provider: "native" });
    expect(passed[0]!.reason).toMatch(/^failed in a run: /);
  });
});

describe("the choice of a provider", () => {
  const graph = addGraph(4);
  const options = { graph: "encoder", path: "add.onnx" } as const;

  const add = async (session: Session) => {
    const x = session.tensor("float32", new Float32Array([1, 2, 3, 4]), [4]);
    const { z } = await session.run({ x, y: x }, ["z"]);
    const sum = [...((await z!.read()) as Float32Array)];
    z!.release();
    return sum;
  };

  it("refuses names that there are not", () => {
    expect(() => providerOrder([])).toThrow(InvalidArgumentError);
    expect(() => providerOrder(["cuda" as ProviderName])).toThrow(/"cuda".*webnn, webgpu, native, wasm/);
    expect(() => providerOrder("wasm" as "auto")).toThrow(InvalidArgumentError);
    expect(providerOrder(undefined)).toEqual(["native", "wasm"]);
  });

  it("goes on to what exists, and says why not the better ones", async () => {
    const passed: PassedOver[] = [];
    const session = await createSession(graph, {
      ...options,
      providers: ["webnn", "webgpu", "wasm"],
      onPassedOver: (one) => passed.push(one),
    });
    expect(session.provider).toBe("wasm");
    expect(await add(session)).toEqual([2, 4, 6, 8]);
    await session.release();
    const reasons = Object.fromEntries(passed.map(({ provider, reason }) => [provider, reason]));
    expect(reasons.webnn).toMatch(/no WebNN/);
    expect(reasons.webgpu).toMatch(/no WebGPU/);
  });

  it("throws the last provider's error when none takes the graph", async () => {
    const passed: PassedOver[] = [];
    const broken = createSession(new Uint8Array([1, 2, 3]), {
      ...options,
      onPassedOver: (one) => passed.push(one),
    });
    await expect(broken).rejects.toThrow(ModelFormatError);
    expect(passed.map(({ provider }) => provider)).toEqual(["native", "wasm"]);
  });

  describe("a session that can move", () => {
    let wasm: Session;

    beforeAll(async () => {
      wasm = await createSession(graph, { ...options, providers: ["wasm"] });
    });
    afterAll(() => wasm.release());

    /** A session that fails in every run, as if its device were gone. */
    const lost = (cause: Error): Session => ({
      ...wasm,
      provider: "webgpu",
      run: () => Promise.reject(cause),
      release: () => Promise.reject(cause),
    });

    it("moves once, with runs that overlap, and repeats them", async () => {
      let moves = 0;
      const session = movable(lost(new Error("device lost")), "encoder", async () => {
        moves++;
        return wasm;
      });
      expect(session.provider).toBe("webgpu");
      expect(await Promise.all([add(session), add(session)])).toEqual([
        [2, 4, 6, 8],
        [2, 4, 6, 8],
      ]);
      expect(await add(session)).toEqual([2, 4, 6, 8]);
      expect(moves).toBe(1);
      expect(session.provider).toBe("wasm");
    });

    it("reads tensors back from a device that still gives them", async () => {
      const session = movable(lost(new Error("out of memory")), "encoder", async () => wasm);
      const x: Tensor = {
        type: "float32",
        dims: [4],
        location: "gpu",
        read: async () => new Float32Array([1, 2, 3, 4]),
        release() {},
      };
      const { z } = await session.run({ x, y: x }, ["z"]);
      expect([...((await z!.read()) as Float32Array)]).toEqual([2, 4, 6, 8]);
      z!.release();
    });

    it("says when tensors are lost with the device", async () => {
      const session = movable(lost(new Error("device lost")), "decoder", async () => wasm);
      const x: Tensor = {
        type: "float32",
        dims: [4],
        location: "gpu",
        read: () => Promise.reject(new Error("the buffer is gone")),
        release() {},
      };
      await expect(session.run({ x, y: x }, ["z"])).rejects.toThrow(ProviderLostError);
      expect(await add(session)).toEqual([2, 4, 6, 8]);
    });

    it("throws the first failure when nothing else takes the graph", async () => {
      const session = movable(lost(new Error("device lost")), "decoder", () =>
        Promise.reject(new Error("nor this one")),
      );
      await expect(add(session)).rejects.toThrow("device lost");
      const both = await Promise.allSettled([add(session), add(session)]);
      expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
      expect(session.provider).toBe("webgpu");
      await expect(session.release()).rejects.toThrow("device lost");
    });

    it("does not take a caller's mistake for a failure", async () => {
      const session = movable(lost(new LeaseError("released")), "decoder", () => {
        throw new Error("moved");
      });
      await expect(add(session)).rejects.toThrow(LeaseError);
    });
  });
});
