/** What a figure of the bench rests on and a machine cannot blur: sizes, misses, calls and bytes, counted. */
import { execFileSync } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { InferenceSession } from "onnxruntime-node";
import { expect, it, vi } from "vitest";
import { readWav } from "../src/audio/wav.ts";
import { createCore } from "../src/core/create-core.ts";
import { PRESETS } from "../src/features/presets.ts";
import { type RuntimeModule, runtimeModule } from "../src/inference/runtime-module.ts";
import { createBufferPool } from "../src/pools/create-buffer-pool.ts";
import type { Lease } from "../src/pools/lease.ts";
import { createTranscriber } from "../src/transcription/transcriber.ts";
import { SAMPLE } from "./reference/sample.ts";

/** As in bench/mel/allocation.mjs. */
const ALLOCATION_FLAGS = ["--expose-gc", "--no-concurrent-array-buffer-sweeping"];
/** Bytes of the core's binaries when this was written, and what may come on top before somebody has to look. */
const BINARY_BYTES = {
  "wavepool.wasm": 46378,
  "wavepool.relaxed.wasm": 45948,
  "wavepool.threads.wasm": 46493,
  "wavepool.threads.relaxed.wasm": 46063,
};
const GROWTH = 1.01;
/** The probe's own two readings of the heap, spread over its calls. */
const NOISE = 2;
/** A lease is a header of three words and three fields, of 8 bytes each; a window's has its start too. */
const WINDOW_BYTES = 56;
/** Its sessions, which its types have by the name of what makes them. */
type Sessions = { run(...values: unknown[]): Promise<unknown> };

it.each(Object.entries(BINARY_BYTES))("keeps %s at %i bytes and a hundredth", async (name, bytes) => {
  const { size } = await stat(fileURLToPath(new URL(`../dist/${name}`, import.meta.url)));
  expect(size).toBeLessThanOrEqual(Math.floor(bytes * GROWTH));
});

it("misses as often as a pool has to grow, and not once more, however leases come and go", async () => {
  const core = await createCore({ threads: false, memoryBytes: 2 ** 22 });
  const options = { name: "script", dtype: "f32", bytes: 4096, initial: 2, max: 8 } as const;
  const pool = createBufferPool(core, options);
  const held: Lease<"f32">[] = [];
  let state = 7;
  let peak = 0;
  for (let step = 0; step < 5000; step++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const take = held.length === 0 || (held.length < options.max && state >>> 31 === 1);
    if (take) held.push(pool.acquire());
    else held.splice((state >>> 8) % held.length, 1)[0]!.release();
    peak = Math.max(peak, held.length);
  }
  for (const lease of held) lease.release();
  expect(peak).toBe(options.max);
  const { misses, acquires, releases } = pool.stats();
  expect(misses).toBe(peak - options.initial);
  expect(releases).toBe(acquires);
});

/** Counts calls into onnxruntime from now on: by its sessions, or, on Wasm, by the module below them, which has started by then. */
const CALLS = {
  native: () => vi.spyOn((InferenceSession as unknown as { prototype: Sessions }).prototype, "run"),
  wasm: () => vi.spyOn(runtimeModule() as RuntimeModule, "_OrtRun"),
};

it.each(["native", "wasm"] as const)(
  "calls onnxruntime (%s) once for the encoder, and once for the prompt and each token after it",
  async (provider) => {
    const transcriber = await createTranscriber({
      model: "tiny",
      providers: [provider],
      threads: 1,
      offline: true,
      warm: false,
    });
    const run = CALLS[provider]();
    try {
      const sound = readWav(await readFile(SAMPLE));
      const options = { language: "en", timestamps: "none" } as const;
      const { segments } = await transcriber.transcribe(sound, options);
      const tokens = segments.reduce((sum, segment) => sum + segment.tokens.length, 0);
      const calls = run.mock.calls.length;
      expect(tokens).toBeGreaterThan(10);
      // The prompt's call gives the first token, and the last call the end of the text, which is no token of a segment.
      expect(calls).toBe(1 + tokens + 1);
    } finally {
      run.mockRestore();
      await transcriber.dispose();
    }
  },
);

it("computes every preset, padded and not, without allocating", () => {
  const probe = fileURLToPath(new URL("preset-allocation-probe.mjs", import.meta.url));
  const out = execFileSync(process.execPath, [...ALLOCATION_FLAGS, probe], { encoding: "utf8" });
  const [[, object] = [], ...rows] = Object.entries(JSON.parse(out) as Record<string, number>);
  expect(object).toBeGreaterThanOrEqual(16);
  expect(rows.length).toBeGreaterThan(2 * Object.keys(PRESETS).length);
  expect(rows.filter(([, bytes]) => bytes !== 0)).toEqual([]);
});

it("writes to a ring and reads into an array without allocating, and reads a window for its lease", () => {
  const probe = fileURLToPath(new URL("ring-allocation-probe.mjs", import.meta.url));
  const flags = ["--expose-gc", "--max-semi-space-size=64", "--min-semi-space-size=64"];
  const out = execFileSync(process.execPath, [...flags, probe], { encoding: "utf8" });
  const { write, read, inside, outside } = JSON.parse(out);
  for (const bytes of [write, inside, outside]) expect(bytes).toBeLessThanOrEqual(NOISE);
  expect(read).toBeLessThanOrEqual(WINDOW_BYTES + NOISE);
});
