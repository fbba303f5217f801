import type { WhisperConfig } from "../models/whisper-config.ts";
import type { Decoder } from "./decoder.ts";
import type { Encoder } from "./encoder.ts";

/**
 * Runs both graphs once on nothing, so that the first request does not wait for what runtimes do at the first run:
 * engines compile their hot loops, GPUs their shaders, and memory is taken.
 *
 * @param frames length of the window, in frames of the spectrogram; even. The graph must take it, as for
 * `encode`; a short one warms the code up as well as 3000. Where lengths are fixed it is the longest of them
 * @throws InferenceError when the provider fails.
 */
export async function warmUp(
  encoder: Encoder,
  decoder: Decoder,
  config: WhisperConfig,
  frames: number,
): Promise<void> {
  const hiddenState = await encoder.encode(
    new Float32Array(config.mels * (encoder.lengths?.at(-1) ?? frames)),
  );
  try {
    const { cache } = await decoder.start(hiddenState, [config.startToken]);
    try {
      (await decoder.step(cache, config.endToken)).cache.release();
    } finally {
      cache.release();
    }
  } finally {
    hiddenState.release();
  }
}
