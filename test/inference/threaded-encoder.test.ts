import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startThread, type Thread } from "../../src/adapters/threads.node.ts";
import type { Core } from "../../src/core/core.ts";
import { createCore } from "../../src/core/create-core.ts";
import { InferenceError, InvalidArgumentError, ModelFormatError } from "../../src/core/errors.ts";
import { type Encoder, loadEncoder } from "../../src/inference/encoder.ts";
import { startEncoderThread } from "../../src/inference/threaded-encoder.ts";
import { poolStatistics } from "../../src/pools/pool-statistics.ts";
import { SAMPLE } from "../reference/sample.ts";
import { featuresOf, type Model, openModel } from "./speech.ts";

const OPTIONS = { providers: ["wasm"], threads: 1, windows: 2 } as const;
let core: Core;
let model: Model;
let encoder: Encoder;
let features: Float32Array;
let thread: Thread;

beforeAll(async () => {
  core = await createCore({ threads: true });
  model = await openModel("tiny");
  features = await featuresOf(model, SAMPLE);
  encoder = await startEncoderThread(core, model.files.encoder, model.config, {
    ...OPTIONS,
    start(...given) {
      thread = startThread(...given);
      return thread;
    },
  });
});
afterAll(() => encoder.release());

const inUse = () => poolStatistics(core).find(({ name }) => name === "encoder_output")!.inUse;

describe("an encoder in a thread", () => {
  it("gives the bits that one in this thread gives, in a pooled buffer", async () => {
    const here = await loadEncoder(model.files.encoder, model.config, OPTIONS);
    const [expected, got] = [await here.encode(features), await encoder.encode(features)];
    expect(got.dims).toEqual(expected.dims);
    const [a, b] = [(await expected.read()) as Float32Array, (await got.read()) as Float32Array];
    expect(a.findIndex((x, i) => x !== b[i])).toBe(-1);
    expect(inUse()).toBe(1);
    got.release();
    got.release();
    expect(inUse()).toBe(0);
    expected.release();
    await here.release();
  });

  it("leaves this thread free meanwhile", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    (await encoder.encode(features)).release();
    clearInterval(timer);
    expect(turns).toBeGreaterThan(10);
    expect(encoder.beside).toBe(true);
  });

  it("has another thread encode what a dead one had, and fails what dies twice", async () => {
    const expected = await encoder.encode(features);
    const again = encoder.encode(features);
    await thread.crash();
    const got = await again;
    expect(await got.read()).toEqual(await expected.read());
    expected.release();
    got.release();
    const under = encoder.encode(features);
    const failed = expect(under).rejects.toThrow(InferenceError);
    const first = thread;
    await first.crash();
    await vi.waitUntil(() => thread !== first, 10_000);
    await thread.crash();
    await failed;
    expect(inUse()).toBe(0);
    (await encoder.encode(features)).release();
  });

  it("tells why an encoder does not load, and that memory must be shared", async () => {
    const shared = await createCore({ threads: true });
    await expect(startEncoderThread(shared, SAMPLE, model.config, OPTIONS)).rejects.toThrow(ModelFormatError);
    expect(poolStatistics(shared)).toEqual([]);
    // No thread is left behind: one that was started is ended, and none is started where there is no room for its output.
    const small = await createCore({ threads: true, memoryBytes: 2 ** 21 });
    const started = vi.fn(startThread);
    const inSmall = { ...OPTIONS, start: started };
    await expect(startEncoderThread(small, SAMPLE, model.config, inSmall)).rejects.toThrow(
      InvalidArgumentError,
    );
    expect(started).not.toHaveBeenCalled();
    const alone = await createCore({ threads: false });
    await expect(startEncoderThread(alone, SAMPLE, model.config, OPTIONS)).rejects.toThrow(
      InvalidArgumentError,
    );
  });
});
