import { createCore } from "../../src/core/create-core.ts";
import { type Decoder, loadDecoder } from "../../src/inference/decoder.ts";
import { openGpuDevice } from "../../src/inference/devices.ts";
import { type Encoder, loadEncoder } from "../../src/inference/encoder.ts";
import { readModel, writeModel } from "../../src/inference/graph/onnx.ts";
import { ELEMENT, makeWeight } from "../../src/inference/graph/tensors.ts";
import { unpackWeights } from "../../src/inference/graph/unpack-weights.ts";
import { createSession, type PassedOver } from "../../src/inference/providers.ts";
import type { ProviderName, Session } from "../../src/inference/session.ts";
import { setRuntimeFiles } from "../../src/inference/web-session.ts";
import { findModel } from "../../src/models/model-files.ts";
import { readWhisperConfig } from "../../src/models/whisper-config.ts";
import type { TranscribeOptions } from "../../src/transcription/options.ts";
import { createTranscriber } from "../../src/transcription/transcriber.ts";
import { tinyModel } from "./add-graph.ts";
import { externalise } from "./external-weights.ts";

setRuntimeFiles("/ort/");

const MODEL = `${location.origin}/tiny/`;
const SIZE = 16;
/** c = Tanh(a × b) + a, which stays within a few units when it is applied again. */
const layer = (rows: number | string) =>
  tinyModel(
    [
      ["MatMul", ["a", "b"], ["p"]],
      ["Tanh", ["p"], ["t"]],
      ["Add", ["t", "a"], ["c"]],
    ],
    { a: [rows, SIZE], b: [SIZE, SIZE] },
    { c: [rows, SIZE] },
  );

const options = { graph: "encoder", path: "layer.onnx" } as const;
const a = Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i));
const b = Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.cos(3 * i) / 4);

/** The layer in float64. */
function reference(x: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: SIZE * SIZE }, (_, at) => {
    const row = Math.floor(at / SIZE);
    let sum = 0;
    for (let k = 0; k < SIZE; k++) sum += x[row * SIZE + k]! * b[k * SIZE + (at % SIZE)]!;
    return Math.tanh(sum) + x[at]!;
  });
}

function worstOf(values: ArrayLike<number>, expected: Float64Array): number {
  return expected.reduce((worst, x, i) => Math.max(worst, Math.abs(x - values[i]!)), 0);
}

const hosted = (session: Session) => ({
  a: session.tensor("float32", a, [SIZE, SIZE]),
  b: session.tensor("float32", b, [SIZE, SIZE]),
});

async function run(session: Session, feeds: Parameters<Session["run"]>[0]) {
  return (await session.run(feeds, ["c"])).c!;
}

const device = {
  async chain(provider: ProviderName) {
    const session = await createSession(layer(SIZE), { ...options, providers: [provider] });
    const inputs = hosted(session);
    const first = await run(session, inputs);
    const second = await run(session, { ...inputs, a: first });
    const twice = reference(reference(a));
    const worst = worstOf((await second.read()) as Float32Array, twice);
    const locations = [first.location, second.location];
    // Buffers go back and come again: as many runs as one likes take two.
    first.release();
    second.release();
    // Runs that overlap wait for each other.
    const overlapping = await Promise.all([inputs, inputs, inputs].map((feeds) => run(session, feeds)));
    let worstOfMany = 0;
    for (const tensor of overlapping) {
      worstOfMany = Math.max(worstOfMany, worstOf((await tensor.read()) as Float32Array, reference(a)));
      tensor.release();
    }
    let made = 0;
    const gpu = provider === "webgpu" ? await openGpuDevice() : undefined;
    const createBuffer = gpu?.createBuffer.bind(gpu);
    if (gpu && createBuffer) {
      gpu.createBuffer = (descriptor) => {
        if (descriptor.usage === 140 && descriptor.size === 4 * SIZE * SIZE) made++;
        return createBuffer(descriptor);
      };
    }
    const context = (globalThis as { MLContext?: { prototype: { createTensor: unknown } } }).MLContext
      ?.prototype;
    const createTensor = context?.createTensor as ((...args: unknown[]) => unknown) | undefined;
    if (provider === "webnn" && context && createTensor) {
      context.createTensor = function (this: unknown, ...args: unknown[]) {
        made++;
        return createTensor.apply(this, args);
      };
    }
    for (let i = 0; i < 5; i++) (await run(session, inputs)).release();
    const again = await run(session, inputs);
    const right = worstOf((await again.read()) as Float32Array, reference(a)) < 1e-2;
    again.release();
    const reused = right && made === 0;
    await session.release();

    // Fixed by the shapes that it is told.
    const shapes = { a: [SIZE, SIZE] };
    const fixed = await createSession(layer("rows"), { ...options, providers: [provider], shapes });
    const same = await run(fixed, hosted(fixed));
    const fixedWorst = worstOf((await same.read()) as Float32Array, reference(a));
    same.release();
    await fixed.release();

    // Its second factor in a file beside it.
    const model = readModel(layer(SIZE));
    model.graph.inputs = model.graph.inputs.filter(({ name }) => name !== "b");
    model.graph.weights.set("b", makeWeight("b", ELEMENT.FLOAT, [SIZE, SIZE], new Uint8Array(b.buffer)));
    const { bytes, data } = externalise(writeModel(model), "layer.data");
    const files = async () => ({ bytes, externalData: [{ path: "layer.data", data }] });
    const beside = await createSession(files, { ...options, providers: [provider] });
    const weighted = await run(beside, { a: beside.tensor("float32", a, [SIZE, SIZE]) });
    const besideWorst = worstOf((await weighted.read()) as Float32Array, reference(a));
    weighted.release();
    await beside.release();

    let dynamic = "";
    if (provider === "webgpu") {
      const free = await createSession(layer("rows"), { ...options, providers: [provider] });
      const result = await run(free, hosted(free));
      dynamic = result.location;
      result.release();
      await free.release();
    }
    return {
      provider: session.provider,
      device: session.device,
      worst: Math.max(worst, worstOfMany, fixedWorst, besideWorst),
      locations,
      reused,
      dynamic,
    };
  },

  async loseGpu() {
    const passed: PassedOver[] = [];
    const session = await createSession(layer(SIZE), {
      ...options,
      providers: ["webgpu", "wasm"],
      onPassedOver: (one) => passed.push(one),
    });
    const before = session.provider;
    const inputs = hosted(session);
    const resident = await run(session, inputs);
    const gpu = (await openGpuDevice()) as unknown as { destroy(): void; lost: Promise<unknown> };
    gpu.destroy();
    await gpu.lost;
    const lostTensor = await run(session, { ...inputs, a: resident }).then(
      () => "none",
      (error: Error) => error.name,
    );
    const result = await run(session, inputs);
    const worst = worstOf((await result.read()) as Float32Array, reference(a));
    result.release();
    await session.release();
    return {
      before,
      after: session.provider,
      worst,
      passedOver: passed.map(({ provider }) => provider),
      lostTensor,
    };
  },

  async refusals() {
    const reasonsOf = async (graph: Uint8Array, providers: ProviderName[] | "auto") => {
      const passed: PassedOver[] = [];
      const onPassedOver = (one: PassedOver) => void passed.push(one);
      const session = await createSession(graph, { ...options, providers, onPassedOver }).catch(
        () => undefined,
      );
      await session?.release();
      const gpu = passed.find((one) => one.provider === "webgpu");
      return { provider: session?.provider, reason: passed[0]?.reason ?? "", gpu: gpu?.reason };
    };
    const add = layer(SIZE);
    const { provider, reason } = await reasonsOf(add, ["webnn", "wasm"]);
    const one = (operator: string) => tinyModel([[operator, ["a"], ["c"]]], { a: [SIZE] }, { c: [SIZE] });
    return {
      provider,
      webnn: reason,
      eightBit: (await reasonsOf(one("DynamicQuantizeLinear"), ["webgpu"])).reason,
      branches: (await reasonsOf(one("If"), ["webnn"])).reason,
      free: (await reasonsOf(layer("rows"), ["webnn"])).reason,
      auto: await reasonsOf(add, "auto"),
    };
  },
};

interface Ml {
  createContext(options: object): Promise<{ destroy(): void }>;
}

/** The greatest magnitude in a list. */
const greatest = (values: Float32Array) => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** The worst difference between two lists as long as each other. */
function apart(values: Float32Array, expected: Float32Array): number {
  if (values.length !== expected.length) return Number.POSITIVE_INFINITY;
  return expected.reduce((worst, x, i) => Math.max(worst, Math.abs(x - values[i]!)), 0);
}

const whisper = {
  /** Tiny's encoder on `frames` frames, a prompt and a token more on a device, against Wasm on the same float32 weights. */
  async compare(provider: ProviderName, frames: number, prompt: readonly number[]) {
    const files = await findModel(MODEL);
    const config = await readWhisperConfig(files);
    const features = Float32Array.from({ length: config.mels * frames }, (_, i) => Math.sin(i * i) / 2);
    const bytesOf = async (path: string) => new Uint8Array(await (await fetch(path)).arrayBuffer());
    const result = async (encoder: Encoder, decoder: Decoder) => {
      const state = await encoder.encode(features);
      const encoded = ((await state.read()) as Float32Array).slice();
      const start = await decoder.start(state, prompt);
      const first = start.logits.slice();
      const step = await decoder.step(start.cache, 440);
      const second = step.logits.slice();
      const locations = Object.values(step.cache.own).map(({ location }) => location);
      for (const { cache } of [start, step]) cache.release();
      state.release();
      const providers = [encoder.session.provider, decoder.session.provider];
      await encoder.release();
      await decoder.release();
      return { encoded, first, second, locations, providers };
    };
    const passed: PassedOver[] = [];
    const on = { providers: [provider], onPassedOver: (one: PassedOver) => void passed.push(one) };
    const core = await createCore({ threads: false });
    const device = await result(
      await loadEncoder(files.encoder, config, on),
      await loadDecoder(core, files.decoder, config, on),
    );
    const unpacked = (path: string) => async () => unpackWeights(await bytesOf(path), path);
    const host = { providers: ["wasm"] } as const;
    const wasm = await result(
      await loadEncoder(files.encoder, config, { ...host, bytes: unpacked(files.encoder) }),
      await loadDecoder(core, files.decoder, config, {
        ...host,
        bytes: unpacked(files.decoder),
        poolSuffix: "_wasm",
      }),
    );
    return {
      providers: device.providers,
      locations: [...new Set(device.locations)],
      encoded: apart(device.encoded, wasm.encoded),
      relative: apart(device.encoded, wasm.encoded) / greatest(wasm.encoded),
      first: apart(device.first, wasm.first),
      second: apart(device.second, wasm.second),
      passed,
    };
  },

  /** Transcribes the sample after a prompt, and without one; then WebNN's contexts are destroyed when some tokens have come. */
  async transcribe(providers: ProviderName[]) {
    const { ml } = navigator as unknown as { ml: Ml };
    const contexts: { destroy(): void }[] = [];
    const create = ml.createContext.bind(ml);
    ml.createContext = async (options) => {
      const context = await create(options);
      contexts.push(context);
      return context;
    };
    const transcriber = await createTranscriber({ model: MODEL, providers, runtimeFiles: "/ort/" });
    const sound = new Uint8Array(await (await fetch("/hello.wav")).arrayBuffer());
    const run = async (options: TranscribeOptions) => {
      const result = await transcriber.transcribe(sound, { language: "en", ...options });
      return { text: result.text, providers: result.providers, segments: result.segments };
    };
    // Long enough to be run in pieces of many tokens.
    const prompt = "At the station, on a cold morning, a voice was heard.";
    const { segments, ...before } = await run({ timestamps: "word", prompt });
    const words = segments.flatMap((segment) => segment.words ?? []);
    const after = await run({
      onProgress: ({ tokens }) => {
        if (tokens > 3) for (const context of contexts.splice(0)) context.destroy();
      },
    });
    const leased = transcriber.stats().reduce((sum, { inUse }) => sum + inUse, 0);
    await transcriber.dispose();
    return { before, after, words: words.length, leased, end: words.at(-1)?.end };
  },
};

/** What the page leaves on the global object. */
export interface DevicePage {
  device: typeof device;
  whisper: typeof whisper;
}

Object.assign(globalThis, { device, whisper });
