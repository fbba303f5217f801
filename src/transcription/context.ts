import type { WindowDecoding } from "../decoding/decode-window.ts";
import { WINDOW_FRAMES } from "../inference/encoder.ts";
import type { WhisperConfig } from "../models/whisper-config.ts";
import type { Context, ContextRule } from "./options.ts";

const FRAMES_PER_SECOND = 100;
/** Frame counts are rounded up to multiples of this, so that few shapes are seen. */
const STEP = 50;
/** From this part of 30 s on a shortened window saves less than it may cost to redo it. */
const WORTH = 0.8;

/**
 * What models of each size are given of a clip by default, by [width, decoder layers], as `npm run bench:context` measured it
 * (README): with the silence tail 8 s or two more than the clip; without it base and small need 10 s lest they miss the end of
 * short clips or loop, and tiny does at any length. Models of other sizes were not tried and are given all.
 */
const RULES: Readonly<Record<string, { tail: ContextRule; plain?: ContextRule }>> = {
  "384/4": { tail: { least: 8, margin: 2 } },
  "512/6": { tail: { least: 8, margin: 2 }, plain: { least: 10, margin: 2 } },
  "768/12": { tail: { least: 8, margin: 2 }, plain: { least: 10, margin: 2 } },
};

/** Whether a model is given a silence tail. */
export function takesTail({ width, decoderLayers }: Pick<WhisperConfig, "width" | "decoderLayers">): boolean {
  return `${width}/${decoderLayers}` in RULES;
}

/**
 * Frames to encode for a window of `seconds`: what the clip needs where the encoder takes that, else 3000.
 *
 * @param tail whether the decoder will see the silence tail behind them
 * @param lengths frames that the encoder takes, rising, where it takes no others: the next longer one is given
 */
export function contextFrames(
  seconds: number,
  context: Context,
  flexible: boolean,
  tail: boolean,
  { width, decoderLayers }: Pick<WhisperConfig, "width" | "decoderLayers">,
  lengths?: readonly number[],
): number {
  if (!flexible || context === "full") return WINDOW_FRAMES;
  const known = RULES[`${width}/${decoderLayers}`];
  const rule = context === "auto" ? (tail ? known?.tail : known?.plain) : context;
  if (!rule) return WINDOW_FRAMES;
  const wanted = Math.max(rule.least, seconds + rule.margin) * FRAMES_PER_SECOND;
  const frames = Math.max(STEP, Math.ceil(wanted / STEP) * STEP);
  if (frames > WORTH * WINDOW_FRAMES) return WINDOW_FRAMES;
  return lengths ? (lengths.find((length) => length >= frames) ?? WINDOW_FRAMES) : frames;
}

/**
 * Characters a second below which a text may have ended early. Measured over 162 clips in six languages: where one did 0.4,
 * elsewhere 1.6 and more. Chinese, the densest script, has five (Pellegrino et al. 2011).
 */
const SPARSE = 2;

/**
 * Whether what was heard in a shortened window is not to be trusted, and the full one is: a text that does not pass the
 * thresholds or does not end, or that is short for the sound; a window without speech, whose words would be lost. A detected
 * language is not looked at: it is right as often as from the full window, also where it is unsure.
 *
 * @param seconds of the sound in the window
 */
export function isDoubtful(
  { text, failed, truncated, silent }: Pick<WindowDecoding, "text" | "failed" | "truncated" | "silent">,
  seconds: number,
): boolean {
  return failed || truncated || silent || text.length < SPARSE * seconds;
}
