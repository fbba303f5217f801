import type { CrossAttention, Decoder } from "../inference/decoder.ts";
import { giveWay } from "../inference/give-way.ts";
import type { Tensor } from "../inference/tensor.ts";
import type { WhisperConfig } from "../models/whisper-config.ts";
import { TIMESTAMP_STEP, type WhisperTask, type WhisperTokenizer } from "../models/whisper-tokenizer.ts";
import { warp } from "./dynamic-time-warping.ts";
import { medianFilter } from "./median-filter.ts";
import { logSumExp } from "./probabilities.ts";

/** A word, its tokens, and when it was said, in seconds from the start of the window. */
export interface WordTiming {
  word: string;
  tokens: number[];
  start: number;
  end: number;
  /** Mean probability of its tokens, 0 to 1. */
  probability: number;
}

/** What a text was decoded as, and how much sound there is. */
export interface AlignmentOptions {
  readonly language: string;
  readonly task?: WhisperTask | undefined;
  /** Seconds of sound in the window; attention beyond is not looked at. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** Width of the median filter over time, in encoder positions (openai/whisper `timing.py`, `medfilt_width`). */
const MEDIAN_WIDTH = 7;

/**
 * When the words of a text were said: dynamic time warping over the cross-attention of the heads that follow the
 * sound (openai/whisper `timing.py`, `find_alignment`). The reference takes the softmax of the scores within the
 * sound; exports give attention after a softmax over all positions, and dividing it by its sum within the
 * sound is the same.
 *
 * @param hiddenState the encoder's output, of as many positions of 20 ms as it has; it stays the caller's
 * @param textTokens without timestamps and special tokens
 * @throws ModelFormatError when the export has no cross-attentions.
 * @throws InferenceError when the decoder fails; the signal's reason when it is aborted.
 */
export async function alignWords(
  decoder: Pick<Decoder, "attend" | "vocabularySize">,
  config: Pick<WhisperConfig, "alignmentHeads">,
  tokenizer: WhisperTokenizer,
  hiddenState: Tensor,
  textTokens: readonly number[],
  options: AlignmentOptions,
): Promise<WordTiming[]> {
  if (textTokens.length === 0) return [];
  const { language, task, seconds, signal } = options;
  const start = tokenizer.startTokens({ language, task, timestamps: true });
  const tokens = [...start, tokenizer.noTimestamps, ...textTokens, tokenizer.endOfText];
  const layers = [...new Set(config.alignmentHeads.map(([layer]) => layer))];
  await giveWay(signal);
  const { attentions, logits } = await decoder.attend(hiddenState, tokens, layers);

  const probabilities = textTokens.map((token, i) => {
    const row = (start.length + i) * decoder.vocabularySize;
    const total = logSumExp(logits, row, row + tokenizer.endOfText);
    return Math.exp(logits[row + token]! - total);
  });
  // Rows from "<|notimestamps|>", which the first word follows, to the last token of the text.
  const rows = textTokens.length + 1;
  const { matrix, columns } = alignmentMatrix(attentions, config.alignmentHeads, seconds, start.length, rows);
  const starts = rowStarts(matrix, rows, columns);
  const timings: WordTiming[] = [];
  let at = 0;
  for (const { word, tokens } of tokenizer.splitToWords(textTokens, language)) {
    const end = at + tokens.length;
    const probability = probabilities.slice(at, end).reduce((sum, p) => sum + p, 0) / tokens.length;
    timings.push({ word, tokens, start: starts[at]!, end: starts[end]!, probability });
    at = end;
  }
  return timings;
}

/** Time at which the cheapest way enters each row, in seconds. */
function rowStarts(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const path = warp(
    matrix.map((x) => -x),
    rows,
    columns,
  );
  const starts = new Float64Array(rows);
  for (let i = path.rows.length - 1; i >= 0; i--) starts[path.rows[i]!] = path.columns[i]! * TIMESTAMP_STEP;
  return starts;
}

/**
 * Mean over heads of the attention, scaled within the sound, standardised over the tokens and smoothed
 * over time.
 *
 * @returns [rows × columns] of the tokens from `from` on, columns being positions within the sound.
 */
export function alignmentMatrix(
  attentions: readonly CrossAttention[],
  heads: readonly (readonly [number, number])[],
  seconds: number,
  from: number,
  rows: number,
): { matrix: Float64Array; columns: number } {
  const { positions, tokens } = attentions[0]!;
  const columns = Math.max(1, Math.min(positions, Math.floor(seconds / TIMESTAMP_STEP + 1e-6)));
  const matrix = new Float64Array(rows * columns);
  const weights = new Float64Array(tokens * columns);
  for (const [layer, head] of heads) {
    const attention = attentions.find((attention) => attention.layer === layer)!;
    for (let token = 0; token < tokens; token++) {
      const source = (head * tokens + token) * positions;
      let sum = 0;
      for (let i = 0; i < columns; i++) sum += attention.weights[source + i]!;
      // Attention may lie wholly beyond a short sound.
      const scale = sum > 0 ? 1 / sum : 0;
      for (let i = 0; i < columns; i++) weights[token * columns + i] = attention.weights[source + i]! * scale;
    }
    standardize(weights, tokens, columns);
    for (let row = 0; row < rows; row++) {
      const smooth = weights.subarray((from + row) * columns, (from + row + 1) * columns);
      medianFilter(smooth, MEDIAN_WIDTH);
      for (let i = 0; i < columns; i++) matrix[row * columns + i]! += smooth[i]! / heads.length;
    }
  }
  return { matrix, columns };
}

/** Gives each column mean 0 and deviation 1; a constant one becomes 0. */
function standardize(weights: Float64Array, rows: number, columns: number): void {
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += weights[row * columns + column]!;
    const mean = sum / rows;
    let squares = 0;
    for (let row = 0; row < rows; row++) squares += (weights[row * columns + column]! - mean) ** 2;
    const scale = squares > 0 ? 1 / Math.sqrt(squares / rows) : 0;
    for (let row = 0; row < rows; row++) {
      const at = row * columns + column;
      weights[at] = (weights[at]! - mean) * scale;
    }
  }
}
