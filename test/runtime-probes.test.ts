import { expect, it } from "vitest";
import { fusedMultiplyAddWorks, relaxedSimdWorks } from "../src/core/runtime-probes.ts";
import { createBufferPool, createCore, createFft } from "../src/index.ts";
import { whiteNoise } from "./reference/signals.ts";

const SIZE = 400;
const SEED = 11;

async function spectrum(relaxed: boolean): Promise<Float32Array> {
  const core = await createCore({ relaxed, memoryBytes: 2 ** 20 });
  const pool = createBufferPool(core, { name: "frames", dtype: "f32", shape: SIZE + 2, max: 2 });
  const [input, output] = [pool.acquire(), pool.acquire()];
  input.view.set(whiteNoise(SIZE, SEED));
  createFft(core, { size: SIZE, kind: "real" }).forward(input.view.subarray(0, SIZE), output.view);
  const copy = output.view.slice();
  input.release();
  output.release();
  return copy;
}

it("takes the relaxed build by default where its multiply-add is one step, which the spectra show", async () => {
  const { relaxed } = await createCore({ memoryBytes: 2 ** 20 });
  expect(relaxed).toBe(fusedMultiplyAddWorks());
  if (!relaxedSimdWorks()) return expect(relaxed).toBe(false);
  const [fused, rounded] = [await spectrum(true), await spectrum(false)];
  expect(fused.some((x, i) => x !== rounded[i])).toBe(relaxed);
});
