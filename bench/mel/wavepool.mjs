/** Our own log-mel as contenders: the one place that knows wavepool's API. */
import { createBufferPool, createCore, createFrontEnd } from "../../dist/index.js";

/** A core with fused multiply-add or without, and kernels on its pooled views: the longest clip begins like any other. */
export async function loadWavepool(relaxed, longestClip) {
  const core = await createCore({ relaxed });
  const audio = createBufferPool(core, { name: "audio", dtype: "f32", shape: 480000, max: 1 }).acquire().view;
  const out = createBufferPool(core, { name: "mel", dtype: "f32", shape: 128 * 3000, max: 1 }).acquire().view;
  audio.set(longestClip);
  return ({ mels, pad, clip }) => {
    const logMel = createFrontEnd(core, { preset: `whisper-${mels}`, pad });
    const run = () => logMel.compute(audio, out, clip.length);
    return { run, features: () => out.slice(0, mels * run()) };
  };
}
