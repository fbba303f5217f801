import { createBufferPool, createCore, createFrontEnd, openSound } from "wavepool";
import type { SpectrogramView } from "./spectrogram.ts";

/** Samples that are read at once: a second. */
const STEP = 16000;
const BINS = 80;
/** Frames that the picture is given at once, and that a step can complete. */
const FRAMES = 128;
/** Bytes for the sound's decoder, a step of samples and its frames. */
const MEMORY = 16 * 2 ** 20;

/**
 * Draws the log-mel of a file as it is read: samples and features lie in pooled buffers of a core of its own, in which no step
 * leaves anything behind.
 */
export async function drawFile(file: Blob, picture: SpectrogramView, signal: AbortSignal): Promise<void> {
  const core = await createCore({ memoryBytes: MEMORY, threads: false });
  const pool = createBufferPool(core, { name: "picture", dtype: "f32", shape: STEP, max: 2 });
  const frontEnd = createFrontEnd(core, { preset: "whisper-80", pad: false, nonFinite: "zero" });
  const reader = await openSound(core, file, { targetRate: STEP, nonFinite: "zero", signal });
  try {
    using samples = pool.acquire();
    using features = pool.acquire();
    using stream = frontEnd.stream({ frames: FRAMES });
    const columns = new Float32Array(FRAMES * BINS);
    let drawn = 0;
    for (let count = STEP; count === STEP; ) {
      count = await reader.read(samples.view);
      // Another sound's picture may have begun.
      if (signal.aborted) return;
      stream.push(samples.view, count);
      const fresh = stream.frames - Math.max(drawn, stream.firstFrame);
      drawn = stream.frames;
      if (fresh <= 0) continue;
      stream.read(features.view, drawn - fresh, fresh);
      // Mel-major as the model takes them; the picture takes them frame by frame.
      for (let frame = 0; frame < fresh; frame++) {
        const column = ((drawn - fresh + frame) % FRAMES) * BINS;
        for (let bin = 0; bin < BINS; bin++) columns[column + bin] = features.view[bin * fresh + frame]!;
      }
      picture.draw(columns, FRAMES, drawn);
      // The page stays responsive between seconds of sound.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  } finally {
    await reader.close();
    pool.shutdown();
  }
}
