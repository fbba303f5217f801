/** Run by allocation.test.ts with --expose-gc: prints JavaScript heap bytes per call in the steady state. */
import { createBufferPool, createCore, createFft, createFrontEnd, createResampler } from "../dist/index.js";
import { bytesPerCall } from "./reference/heap-growth.mjs";

const core = await createCore();
const audio = createBufferPool(core, { name: "audio", dtype: "f32", shape: 480000, max: 1 });
const mel = createBufferPool(core, { name: "mel", dtype: "f32", shape: 240000, max: 1 });
const logMel = createFrontEnd(core, { preset: "whisper-80" });

const samples = audio.acquire();
const features = mel.acquire();
const { view: input } = samples;
const { view: output } = features;

const compute = bytesPerCall(() => logMel.compute(input, output, 16000), 500);
const resampler = createResampler(core, { from: 48000, to: 16000 });
const block = input.subarray(0, 960);
const blocks = bytesPerCall(() => resampler.process(block, output), 2000);
const long = input.subarray(0, 48000);
const seconds = bytesPerCall(() => resampler.process(long, output), 100);
resampler.close();
const real = createFft(core, { size: 512, kind: "real" });
const bins = output.subarray(0, 514);
const transform = bytesPerCall(() => {
  real.forward(input, output, 1);
  real.inverse(bins, input);
}, 5000);
samples.release();
features.release();

const cycle = bytesPerCall(() => {
  const a = audio.acquire();
  const b = mel.acquire();
  logMel.compute(a.view, b.view, 1600);
  b.release();
  a.release();
}, 2000);

console.log(JSON.stringify({ compute, blocks, seconds, transform, cycle }));
