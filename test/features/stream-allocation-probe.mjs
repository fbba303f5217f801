/** Run by stream-life.test.ts with --expose-gc: prints JavaScript heap bytes per push, read and compute in the steady state. */
import { createBufferPool, createCore, createFrontEnd } from "../../dist/index.js";
import { bytesPerCall } from "../reference/heap-growth.mjs";

const core = await createCore();
const pool = createBufferPool(core, { name: "blocks", dtype: "f32", shape: 60000, initial: 2, max: 2 });
const blocks = pool.acquire();
const features = pool.acquire();
const { view: samples } = blocks;
const { view: out } = features;
const elsewhere = new Float32Array(128);

const result = {};
for (const preset of ["kaldi-80", "sensevoice", "nemo-80", "librosa-mfcc"]) {
  const frontEnd = createFrontEnd(core, { preset });
  const stream = frontEnd.stream({ frames: 50 });
  result[`${preset} push`] = bytesPerCall(() => stream.push(samples, 128), 3000);
  result[`${preset} push from elsewhere`] = bytesPerCall(() => stream.push(elsewhere), 3000);
  result[`${preset} read`] = bytesPerCall(() => stream.read(out), 3000);
  result[`${preset} compute`] = bytesPerCall(() => frontEnd.compute(samples, out, 4000), 1000);
  stream.close();
}
console.log(JSON.stringify(result));
features.release();
blocks.release();
