import type { WhisperConfig } from "../models/whisper-config.ts";
import type { CheckedOptions } from "./options.ts";

/** Frames of 30 s, which every Whisper encoder takes. */
export const FULL_FRAMES = 3000;
const FRAMES_PER_SECOND = 100;

/** How much an encoder is given of a clip that is shorter than 30 s. */
export interface ContextRule {
  /** Seconds at least. */
  readonly least: number;
  /** Seconds of silence after the clip at least. */
  readonly margin: number;
  /** Frame counts are rounded up to multiples of this. */
  readonly step: number;
}

/**
 * The rule that did not worsen the word error rate of OpenAI's tiny, base and small (bench/context, README): with less
 * than about 10 s, or without silence after the clip, decoders miss the end or loop.
 */
export const CONTEXT_RULE: ContextRule = { least: 10, margin: 2, step: 50 };

/**
 * Frames to encode for a window of `seconds`: what the clip needs where the encoder takes that, else 3000.
 */
export function contextFrames(
  seconds: number,
  { context }: Pick<CheckedOptions, "context">,
  flexible: boolean,
  rule: ContextRule = CONTEXT_RULE,
): number {
  if (context === "full" || !flexible) return FULL_FRAMES;
  const wanted = Math.max(rule.least, seconds + rule.margin) * FRAMES_PER_SECOND;
  return Math.min(FULL_FRAMES, Math.ceil(wanted / rule.step) * rule.step);
}

/** Sizes of the models that the rule was tried with: [width, decoder layers] of tiny, base and small. */
const TRIED = new Set(["384/4", "512/6", "768/12"]);

/** Whether the rule was tried with a model of this size; others are given the full window. */
export function contextIsTried({
  width,
  decoderLayers,
}: Pick<WhisperConfig, "width" | "decoderLayers">): boolean {
  return TRIED.has(`${width}/${decoderLayers}`);
}
