import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createCore } from "../../src/core/create-core.ts";
import { InferenceError, LeaseError } from "../../src/core/errors.ts";
import { type Decoder, loadDecoder } from "../../src/inference/decoder.ts";
import { type Encoder, loadEncoder } from "../../src/inference/encoder.ts";
import { type RuntimeModule, runtimeModule } from "../../src/inference/runtime-module.ts";
import type { ProviderName, Session } from "../../src/inference/session.ts";
import { warmUp } from "../../src/inference/warm-up.ts";
import { createWebSession } from "../../src/inference/web-session.ts";
import { SAMPLE, WORDS } from "../reference/sample.ts";
import { wordErrorRate } from "../reference/word-error-rate.ts";
import { decodedTokens, featuresOf, greedyTokens, JFK, type Model, openModel } from "./speech.ts";

describe("sessions in onnxruntime-web's heap", () => {
  let model: Model;
  let features: Float32Array;
  let encoder: Encoder;
  let decoder: Decoder;
  let runtime: RuntimeModule;
  const providers: ProviderName[] = ["wasm"];
  /** Two files are tested at a time, on two cores: more threads would wait for each other. */
  const threads = 1;
  const reasons: string[] = [];

  beforeAll(async () => {
    model = await openModel("tiny");
    features = await featuresOf(model, SAMPLE);
    const options = { providers, threads, onCopying: (reason: string) => void reasons.push(reason) };
    encoder = await loadEncoder(model.files.encoder, model.config, options);
    decoder = await loadDecoder(model.core, model.files.decoder, model.config, options);
    runtime = runtimeModule() as RuntimeModule;
  });

  afterAll(async () => {
    await encoder.release();
    await decoder.release();
  });

  afterEach(() => void vi.restoreAllMocks());

  /** Counts what is made and released in the heap, by the runtime's own functions. */
  function countHeap() {
    const blocks = new Set<number>();
    const values = { made: 0, released: 0 };
    const { _malloc, _free, _OrtCreateTensor, _OrtReleaseTensor, _OrtRun } = runtime;
    vi.spyOn(runtime, "_malloc").mockImplementation((bytes) => {
      const pointer = _malloc(bytes);
      blocks.add(pointer);
      return pointer;
    });
    vi.spyOn(runtime, "_free").mockImplementation((pointer) => {
      blocks.delete(pointer);
      _free(pointer);
    });
    vi.spyOn(runtime, "_OrtCreateTensor").mockImplementation((...args) => {
      values.made++;
      return _OrtCreateTensor(...args);
    });
    vi.spyOn(runtime, "_OrtReleaseTensor").mockImplementation((tensor) => {
      values.released++;
      return _OrtReleaseTensor(tensor);
    });
    vi.spyOn(runtime, "_OrtRun").mockImplementation((...args) => {
      const code = _OrtRun(...args);
      if (code === 0) values.made += args[5];
      return code;
    });
    return { blocks, values };
  }

  it("are what the installed onnxruntime-web gets", () => {
    expect(reasons).toEqual([]);
    expect(typeof runtime).toBe("object");
  });

  it("give the token ids that the public API gives", async () => {
    const state = await encoder.encode(features);
    const inHeap = await decodedTokens(model, decoder, state);
    expect(wordErrorRate([[WORDS, model.tokenizer.decode(inHeap.slice(0, -1))]])).toBe(0);
    const options = { providers, threads, inHeap: false };
    const publicEncoder = await loadEncoder(model.files.encoder, model.config, options);
    const core = await createCore({ threads: false });
    const publicDecoder = await loadDecoder(core, model.files.decoder, model.config, options);
    try {
      const publicState = await publicEncoder.encode(features);
      expect(publicState.location).toBe("host");
      expect(await decodedTokens(model, publicDecoder, publicState)).toEqual(inHeap);
      // Tensors of either kind go into sessions of the other.
      expect(await decodedTokens(model, decoder, publicState)).toEqual(inHeap);
      expect(await decodedTokens(model, publicDecoder, state)).toEqual(inHeap);
      publicState.release();
    } finally {
      state.release();
      await publicEncoder.release();
      await publicDecoder.release();
    }
  });

  it("give the same ids with embeddings unpacked at load", async () => {
    const core = await createCore({ threads: false });
    const options = { providers, threads, fast: true };
    const unpacked = await loadDecoder(core, model.files.decoder, model.config, options);
    try {
      for (const path of JFK ? [SAMPLE, JFK] : [SAMPLE]) {
        const clip = await featuresOf(model, path);
        const state = await encoder.encode(clip);
        const ids = await decodedTokens(model, unpacked, state);
        expect(ids).toEqual(await decodedTokens(model, decoder, state));
        state.release();
      }
    } finally {
      await unpacked.release();
    }
  });

  it("release all that they make, so that the heap stays as it is", async () => {
    // Ten seconds of the thirty: as many values are made, with less arithmetic.
    const { mels } = model.config;
    const short = new Float32Array(mels * 1000);
    for (let m = 0; m < mels; m++) short.set(features.subarray(m * 3000, m * 3000 + 1000), m * 1000);
    await greedyTokens(model, encoder, decoder, short);
    const before = runtime.HEAPU8.length;
    const { blocks, values } = countHeap();
    for (let i = 0; i < 3; i++) await greedyTokens(model, encoder, decoder, short);
    expect(values.made).toBeGreaterThan(300);
    expect(values.released).toBe(values.made);
    expect(blocks.size).toBe(0);
    expect(runtime.HEAPU8.length).toBe(before);
  });

  it("are warmed up without a trace", async () => {
    const { blocks, values } = countHeap();
    await warmUp(encoder, decoder, model.config, 3000);
    expect(values.made).toBeGreaterThan(20);
    expect(values.released).toBe(values.made);
    expect(blocks.size).toBe(0);
  });

  it("release what a failed run had made", async () => {
    const state = await encoder.encode(features);
    const { blocks, values } = countHeap();
    const session = encoder.session as Session;
    const wrong = session.tensor("float32", new Float32Array(7 * 3000), [1, 7, 3000]);
    await expect(session.run({ input_features: wrong }, ["last_hidden_state"])).rejects.toThrow(
      InferenceError,
    );
    const right = session.tensor("float32", features, [1, 80, 3000]);
    await expect(session.run({ input_features: right }, ["nothing"])).rejects.toThrow(/no output nothing/);
    await expect(session.run({ sound: right }, ["last_hidden_state"])).rejects.toThrow(/no input sound/);
    await expect(session.run({ input_features: state }, ["last_hidden_state"])).rejects.toThrow(
      /^the encoder failed \(/,
    );
    state.release();
    expect(values.released).toBe(values.made + 1);
    expect(blocks.size).toBe(0);
    (await encoder.encode(features)).release();
  });

  it("refuse tensors after their release", async () => {
    const state = await encoder.encode(features);
    expect(state.location).toBe("runtime");
    expect(state.dims).toEqual([1, 1500, model.config.width]);
    expect((await state.read()).length).toBe(1500 * model.config.width);
    state.release();
    state.release();
    expect(() => state.read()).toThrow(LeaseError);
    await expect(decoder.start(state, [1])).rejects.toThrow(LeaseError);
  });

  it("free their own memory, and run no more", async () => {
    await encoder.encode(features).then((state) => state.release());
    const { blocks } = countHeap();
    const bytes = await readFile(model.files.encoder);
    const session = await createWebSession(bytes, { graph: "encoder", path: model.files.encoder, threads });
    expect(blocks.size).toBeGreaterThan(0);
    const input = session.tensor("float32", features, [1, 80, 3000]);
    const { last_hidden_state } = await session.run({ input_features: input }, ["last_hidden_state"]);
    await session.release();
    await session.release();
    // A tensor outlives its session.
    expect((await last_hidden_state!.read())[0]).not.toBeNaN();
    last_hidden_state!.release();
    expect(blocks.size).toBe(0);
    await expect(session.run({ input_features: input }, ["last_hidden_state"])).rejects.toThrow(LeaseError);
  });
});
