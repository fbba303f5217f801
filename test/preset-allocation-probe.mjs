/** Run by guard.test.ts with --expose-gc: prints JavaScript bytes per call by preset and length, as the bench counts them. */
import { bytesPerCall } from "../bench/mel/allocation.mjs";
import { seededNoise } from "../bench/mel/signal.mjs";
import { createBufferPool, createCore, createFrontEnd, PRESETS } from "../dist/index.js";

const SECONDS = [1, 5];
/** Presets of which the bench has 30 s. */
const LONG = { "whisper-80": [30], "whisper-128": [30], "nemo-80": [30], "kaldi-80": [30] };
/** Short, so that part of the calls still run code that is not optimised. */
const WARM_UP_MS = 10;
const core = await createCore();
const noise = Float32Array.from({ length: 30 * 16000 }, seededNoise(5));

async function measure(preset, pad, seconds) {
  const front = createFrontEnd(core, { preset, ...(pad === undefined ? {} : { pad }) });
  const samples = Math.min(front.maxSamples, seconds * front.description.sampleRate);
  const [rows, columns] = front.shape(samples);
  const lengths = [samples, rows * columns];
  const pools = lengths.map((shape, i) =>
    createBufferPool(core, { name: `probe ${i}`, dtype: "f32", shape, max: 1 }),
  );
  const [audio, out] = pools.map((pool) => pool.acquire());
  const { view } = audio;
  for (let i = 0; i < samples; i++) view[i] = noise[i % noise.length];
  const target = out.view;
  const bytes = await bytesPerCall(() => front.compute(view, target), WARM_UP_MS);
  audio.release();
  out.release();
  for (const pool of pools) pool.shutdown();
  return bytes;
}

let kept;
const found = {
  "an object, which the counting has to see": await bytesPerCall(() => (kept = { kept: 1 }), WARM_UP_MS),
};
for (const [preset, { padTo }] of Object.entries(PRESETS)) {
  for (const pad of padTo === undefined ? [undefined] : [false, true]) {
    // Padded, all lengths are one.
    for (const seconds of pad ? [5] : [...SECONDS, ...(LONG[preset] ?? [])]) {
      const what = `${preset}${pad ? " padded" : ""}, ${seconds} s`;
      found[what] = await measure(preset, pad, seconds);
    }
  }
}
console.log(JSON.stringify(found));
