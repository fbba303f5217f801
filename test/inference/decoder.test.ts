import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { InferenceError, LeaseError, ModelFormatError } from "../../src/core/errors.ts";
import { type Decoder, loadDecoder, movableDecoder } from "../../src/inference/decoder.ts";
import { type Encoder, loadEncoder, movableEncoder, WINDOW_FRAMES } from "../../src/inference/encoder.ts";
import { ProviderLostError } from "../../src/inference/provider-lost.ts";
import type { PassedOver } from "../../src/inference/providers.ts";
import { callersTensor } from "../../src/inference/tensor.ts";
import { addGraph } from "./add-graph.ts";
import { type Model, openModel } from "./speech.ts";

const FRAMES = 100;

describe("graphs on the way from provider to provider", () => {
  let model: Model;
  let decoder: Decoder;
  let encoder: Encoder;
  const state = callersTensor("float32", new Float32Array(4 * 384).fill(0.1), [1, 4, 384]);
  const features = () => new Float32Array(model.config.mels * FRAMES).fill(0.1);

  beforeAll(async () => {
    model = await openModel("tiny");
    const providers = { providers: ["native", "wasm"] } as const;
    decoder = await loadDecoder(model.core, model.files.decoder, model.config, providers);
    encoder = await loadEncoder(model.files.encoder, model.config, providers);
  });

  afterAll(async () => {
    await decoder.release();
    await encoder.release();
  });

  it("pass WebNN over where there is none, and say why, a graph once", async () => {
    const passed: PassedOver[] = [];
    const options = {
      providers: ["webnn", "native", "wasm"],
      onPassedOver: (one: PassedOver) => void passed.push(one),
      poolSuffix: "_test",
    } as const;
    const onHost = await loadDecoder(model.core, model.files.decoder, model.config, options);
    const hostEncoder = await loadEncoder(model.files.encoder, model.config, options);
    try {
      expect([onHost.session.provider, hostEncoder.session.provider]).toEqual([
        decoder.session.provider,
        encoder.session.provider,
      ]);
      expect(hostEncoder.lengths).toBeUndefined();
      const onWebNn = passed.filter(({ provider }) => provider === "webnn");
      expect(onWebNn.map(({ graph }) => graph)).toEqual(["decoder", "encoder"]);
      for (const { reason } of onWebNn) expect(reason).toMatch(/no WebNN/);
    } finally {
      await onHost.release();
      await hostEncoder.release();
    }
    const unread = { ...options, bytes: () => Promise.reject(new Error("it was read")) };
    const alone = { ...unread, providers: ["webnn"] } as const;
    await expect(loadDecoder(model.core, model.files.decoder, model.config, alone)).rejects.toThrow(
      /no WebNN/,
    );
    await expect(loadEncoder(model.files.encoder, model.config, alone)).rejects.toThrow(/no WebNN/);
  });

  it("pass a decoder over that cannot be given fixed sizes, without trying it", async () => {
    const passed: PassedOver[] = [];
    // No session is made with the context: the graph is refused before.
    vi.stubGlobal("navigator", { ml: { createContext: async () => ({}) } });
    const load = loadDecoder(model.core, "add.onnx", model.config, {
      providers: ["webnn", "wasm"],
      bytes: addGraph(4),
      onPassedOver: (one) => void passed.push(one),
      poolSuffix: "_add",
    });
    await expect(load).rejects.toThrow(/no merged Whisper decoder/);
    vi.unstubAllGlobals();
    const [{ reason, ...first }] = passed as [PassedOver];
    expect(first).toEqual({ graph: "decoder", provider: "webnn" });
    expect(reason).toMatch(/add.onnx cannot be given fixed sizes: it has no two branches/);
  });

  it("take the decoder along with a lost provider, once; the window is run again", async () => {
    let released = 0;
    const failing: Decoder = {
      ...decoder,
      step: () => Promise.reject(new InferenceError("it is broken")),
      release: async () => void released++,
    };
    const causes: string[] = [];
    const moving = movableDecoder(failing, async ({ message }) => {
      causes.push(message);
      return { ...decoder, release: async () => void released++ };
    });
    const { cache } = await moving.start(state, [50258]);
    const steps = [moving.step(cache, 440), moving.step(cache, 441)];
    for (const step of await Promise.allSettled(steps)) {
      expect(step.status === "rejected" && step.reason).toBeInstanceOf(ProviderLostError);
    }
    cache.release();
    expect(causes).toEqual(["it is broken"]);
    const again = await moving.start(state, [50258]);
    const next = await moving.step(again.cache, 440);
    expect(next.cache.length).toBe(2);
    next.cache.release();
    again.cache.release();
    await moving.release();
    expect(released).toBe(2);
  });

  it("repeat a start and attentions, which need no cache, where the decoder moved to", async () => {
    const broken = () => Promise.reject(new InferenceError("it is broken"));
    const failing: Decoder = { ...decoder, start: broken, attend: broken, release: async () => undefined };
    const moved = async () => ({ ...decoder, release: async () => undefined });
    const moving = movableDecoder(failing, moved);
    const { cache, logits } = await moving.start(state, [50258]);
    expect([cache.length, logits.length]).toEqual([1, model.config.vocabularySize]);
    cache.release();
    const other = movableDecoder(failing, moved);
    const { attentions } = await other.attend(state, [50258, 440], [0]);
    expect(attentions.map(({ tokens, positions }) => [tokens, positions])).toEqual([[2, 4]]);
  });

  it("stay where they are for errors of the caller, and when no other provider takes them", async () => {
    let error: Error = new LeaseError("a tensor was used after its release");
    const failing: Decoder = {
      ...decoder,
      step: () => Promise.reject(error),
      release: async () => undefined,
    };
    let moves = 0;
    const moving = movableDecoder(failing, async () => {
      moves++;
      throw new ModelFormatError("no other");
    });
    const { cache } = await moving.start(state, [50258]);
    await expect(moving.step(cache, 1)).rejects.toBe(error);
    expect(moves).toBe(0);
    error = new InferenceError("it is broken");
    await expect(moving.step(cache, 1)).rejects.toBe(error);
    await expect(moving.step(cache, 1)).rejects.toBe(error);
    expect(moves).toBe(2);
    cache.release();
    await moving.release();
  });

  it("repeat what the encoder could not do", async () => {
    const broken = new InferenceError("it is broken");
    const failing: Encoder = {
      ...encoder,
      lengths: [WINDOW_FRAMES],
      encode: () => Promise.reject(broken),
      release: async () => undefined,
    };
    const moving = movableEncoder(failing, async () => ({ ...encoder, release: async () => undefined }));
    expect(moving.lengths).toEqual([WINDOW_FRAMES]);
    const moved = await moving.encode(features());
    const expected = await encoder.encode(features());
    expect([...(await moved.read())]).toEqual([...(await expected.read())]);
    expect(moving.lengths).toBeUndefined();
    moved.release();
    expected.release();
    await moving.release();
    const stuck = movableEncoder(failing, () => Promise.reject(new ModelFormatError("no other")));
    await expect(stuck.encode(features())).rejects.toBe(broken);
  });
});
