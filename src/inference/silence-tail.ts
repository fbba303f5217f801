import type { Core } from "../core/core.ts";
import type { FrontEnd } from "../features/front-end.ts";
import type { WhisperConfig } from "../models/whisper-config.ts";
import { createBufferPool } from "../pools/create-buffer-pool.ts";
import type { Lease } from "../pools/lease.ts";
import { type Encoder, WINDOW_FRAMES } from "./encoder.ts";
import { callersTensor, type Tensor } from "./tensor.ts";

/** Rows of the tail: five seconds of silence. */
const ROWS = 250;
/** Seconds and level of the sound before the silence, the frequency at which it swells, and its seed. */
const SOUND_SECONDS = 3;
const LEVEL = 0.01;
const SWELL = 4;
const SEED = 1;

/**
 * The end of a 30 s window as the encoder writes it: what tells the decoder that only silence follows. Appended to the
 * output for a shorter window it keeps decoders from looping, above all those of tiny. Both are joined on the host: from a
 * device the short output, some megabytes at most, comes there and goes back.
 */
export interface SilenceTail {
  /**
   * A short window's output with the tail behind it.
   *
   * @param encoded [1, positions, width]; it goes with the result
   * @returns [1, up to 1500, width]
   */
  append(encoded: Tensor): Promise<Tensor>;
  release(): void;
}

/**
 * Encodes three seconds of swelling noise and 27 of silence, always the same, and keeps the last rows. It takes as long
 * as any 30 s, and warms the encoder up.
 *
 * @param from pooled views of 30 s and of its features, which are written to, and how many windows have a tail at once at most
 * @throws CoreMemoryError when the core has no room for the output of a window.
 * @throws InferenceError when the provider fails.
 */
export async function createSilenceTail(
  core: Core,
  encoder: Encoder,
  frontEnd: FrontEnd,
  { width }: Pick<WhisperConfig, "width">,
  { samples, mel, windows }: { samples: Float32Array; mel: Float32Array; windows: number },
): Promise<SilenceTail> {
  const positions = WINDOW_FRAMES / 2;
  const states = createBufferPool(core, {
    name: "encoder_states",
    dtype: "f32",
    shape: positions * width,
    max: windows,
  });
  // Constant as weights are, and so no lease that would look like a leak.
  const tail = new Float32Array(ROWS * width);
  try {
    const { sampleRate } = frontEnd.description;
    samples.fill(0);
    let random = SEED;
    for (let i = 0; i < SOUND_SECONDS * sampleRate; i++) {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      const swell = 1 + Math.sin((2 * Math.PI * SWELL * i) / sampleRate);
      samples[i] = 2 * LEVEL * (random / 2 ** 32 - 0.5) * swell;
    }
    frontEnd.compute(samples, mel, frontEnd.maxSamples);
    const encoded = await encoder.encode(mel);
    try {
      const rows = (await encoded.read()) as Float32Array;
      tail.set(rows.subarray((positions - ROWS) * width, positions * width));
    } finally {
      encoded.release();
    }
  } catch (error) {
    states.shutdown();
    throw error;
  }
  return {
    async append(encoded) {
      let lease: Lease<"f32"> | undefined;
      try {
        lease = states.acquire();
        const rows = encoded.dims[1]!;
        const all = Math.min(positions, rows + ROWS);
        lease.view.set((await encoded.read()) as Float32Array);
        lease.view.set(tail.subarray(0, (all - rows) * width), rows * width);
        const joined = callersTensor("float32", lease.view.subarray(0, all * width), [1, all, width]);
        let held: Lease<"f32"> | undefined = lease;
        const release = () => {
          held?.release();
          held = undefined;
        };
        return { ...joined, release };
      } catch (error) {
        lease?.release();
        throw error;
      } finally {
        encoded.release();
      }
    },
    release() {
      states.shutdown();
    },
  };
}
