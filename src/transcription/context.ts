import type { WhisperConfig } from "../models/whisper-config.ts";
import type { Context, ContextRule } from "./options.ts";

/** Frames of 30 s, which every Whisper encoder takes. */
export const FULL_FRAMES = 3000;
const FRAMES_PER_SECOND = 100;
/** Frame counts are rounded up to multiples of this, so that few shapes are seen. */
const STEP = 50;

/**
 * The rule that did not worsen the word error rate of OpenAI's tiny, base and small (`npm run bench:context`): with less than
 * about 10 s, or without silence after the clip, decoders miss the end or loop more often.
 */
export const CONTEXT_RULE: ContextRule = { least: 10, margin: 2 };

/** Sizes of the models that the rule was tried with: [width, decoder layers] of tiny, base and small. */
const TRIED = new Set(["384/4", "512/6", "768/12"]);

/**
 * Frames to encode for a window of `seconds`: what the clip needs where the encoder takes that, else 3000. By default models
 * of sizes that the rule was not tried with are given all.
 */
export function contextFrames(
  seconds: number,
  context: Context,
  flexible: boolean,
  { width, decoderLayers }: Pick<WhisperConfig, "width" | "decoderLayers">,
): number {
  if (!flexible || context === "full") return FULL_FRAMES;
  if (context === "auto" && !TRIED.has(`${width}/${decoderLayers}`)) return FULL_FRAMES;
  const { least, margin } = context === "auto" ? CONTEXT_RULE : context;
  const frames = Math.max(least, seconds + margin) * FRAMES_PER_SECOND;
  return Math.min(FULL_FRAMES, Math.max(STEP, Math.ceil(frames / STEP) * STEP));
}
