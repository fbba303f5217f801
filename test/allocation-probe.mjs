/** Run by allocation.test.ts with --expose-gc: prints JavaScript heap bytes per call in the steady state. */
import { createCore, createLogMel, createSlotPool } from "../dist/index.js";

const ROUNDS = 9;
const core = await createCore();
const audio = createSlotPool(core, { name: "audio", dtype: "f32", length: 480000, slots: 1 });
const mel = createSlotPool(core, { name: "mel", dtype: "f32", length: 240000, slots: 1 });
const logMel = createLogMel(core, { preset: "whisper-80" });

const samples = audio.acquire();
const features = mel.acquire();
const { view: input } = samples;
const { view: output } = features;

/** Least growth of the heap over some rounds: whatever else the engine allocates at times only adds to it. */
function bytesPerCall(call, calls) {
  for (let i = 0; i < calls; i++) call();
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < calls; i++) call();
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return least / calls;
}

const compute = bytesPerCall(() => logMel.compute(input, output, 16000), 500);
samples.release();
features.release();

const cycle = bytesPerCall(() => {
  const a = audio.acquire();
  const b = mel.acquire();
  logMel.compute(a.view, b.view, 1600);
  b.release();
  a.release();
}, 2000);

console.log(JSON.stringify({ compute, cycle }));
