import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readWav } from "../../src/audio/wav.ts";
import { createCore } from "../../src/core/create-core.ts";
import { ModelFormatError } from "../../src/core/errors.ts";
import type { Tensor } from "../../src/inference/tensor.ts";
import { createWebSession } from "../../src/inference/web-session.ts";
import { sequenceGraph } from "../../src/voice/sequence-graph.ts";
import { findVoiceDetector, loadVoiceDetector } from "../../src/voice/silero.ts";
import { SAMPLE } from "../reference/sample.ts";
import { seededNoise, whiteNoise } from "../reference/signals.ts";

const CHUNK = 512;
const CONTEXT = 64;

/** Probabilities of the published graph, a chunk a run, fed as OnnxWrapper of silero-vad's utils_vad.py does. */
async function published(path: string, samples: Float32Array): Promise<number[]> {
  // One thread: there is nothing to share in a run of one chunk.
  const options = { graph: "voice detector", path, threads: 1 } as const;
  const session = await createWebSession(await readFile(path), options);
  const sr = session.tensor("int64", BigInt64Array.of(16000n), []);
  const input = new Float32Array(CONTEXT + CHUNK);
  let state: Tensor = session.tensor("float32", new Float32Array(256), [2, 1, 128]);
  const found: number[] = [];
  for (let at = 0; at + CHUNK <= samples.length; at += CHUNK) {
    input.copyWithin(0, CHUNK);
    input.set(samples.subarray(at, at + CHUNK), CONTEXT);
    const rows = session.tensor("float32", input, [1, CONTEXT + CHUNK]);
    const { output, stateN } = await session.run({ input: rows, state, sr }, ["output", "stateN"]);
    found.push(((await output!.read()) as Float32Array)[0]!);
    state.release();
    output!.release();
    state = stateN!;
  }
  await session.release();
  return found;
}

describe("sequenceGraph", () => {
  it.each(["v6", "v5"])(
    "gives the probabilities of the published graph, %s, however chunks are grouped",
    async (version) => {
      const path = (await findVoiceDetector()).replace("v6", version);
      const hello = readWav(await readFile(SAMPLE)).channels[0]!;
      const noise = whiteNoise(30 * CHUNK, 50);
      const samples = new Float32Array(hello.length + noise.length);
      samples.set(hello);
      samples.set(noise, hello.length);
      const expected = await published(path, samples);
      const core = await createCore({ threads: false });
      const detector = await loadVoiceDetector(core, { path });
      const next = seededNoise(51);
      for (const size of [() => 1, () => 24, () => Math.floor(12 * next() + 13)]) {
        detector.reset();
        const found: number[] = [];
        while (found.length < expected.length) {
          const chunks = Math.min(size(), expected.length - found.length);
          const at = found.length * CHUNK;
          found.push(...(await detector.probabilities(samples.subarray(at, at + chunks * CHUNK))));
        }
        expect(found).toHaveLength(expected.length);
        const worst = Math.max(...found.map((p, i) => Math.abs(p - expected[i]!)));
        expect(worst).toBeLessThan(5e-5);
      }
      await detector.release();
    },
  );

  it("refuses bytes that are cut off or something else", async () => {
    const bytes = await readFile(await findVoiceDetector());
    const next = seededNoise(52);
    for (let i = 0; i < 50; i++) {
      const cut = bytes.subarray(0, Math.floor(((next() + 1) / 2) * bytes.length));
      expect(() => sequenceGraph(cut, "cut.onnx"), `${cut.length} bytes`).toThrow(ModelFormatError);
    }
    expect(() => sequenceGraph(new Uint8Array(0), "none.onnx")).toThrow(/none.onnx is no Silero/);
  });
});
