import { InvalidArgumentError } from "../core/errors.ts";
import type { Decoder } from "../inference/decoder.ts";
import { giveWay } from "../inference/give-way.ts";
import type { Tensor } from "../inference/tensor.ts";
import type { WhisperConfig } from "../models/whisper-config.ts";
import { TIMESTAMP_STEP, type WhisperTokenizer } from "../models/whisper-tokenizer.ts";
import { searchBeams } from "./beam-search.ts";
import { compressionRatio } from "./compression-ratio.ts";
import { type DetectedLanguage, detectLanguage } from "./detect-language.ts";
import { decodeGreedily } from "./greedy.ts";
import { createLogitRules } from "./logit-rules.ts";
import { createLoopGuard, cutRepetition, type Stop } from "./loop-guard.ts";
import { probabilityOf } from "./probabilities.ts";
import { seededRandom } from "./random.ts";
import { sampleBest } from "./sampling.ts";
import type { Hypothesis, Search } from "./search.ts";
import {
  lastInitialTimestamp,
  planWindow,
  suppressedTokens,
  tokensOf,
  type WindowOptions,
  type WindowPlan,
} from "./window-options.ts";

/** Why the text of one temperature failed. */
export interface Fallback {
  readonly temperature: number;
  /**
   * Which threshold it failed: its compression ratio, its mean log probability, or a stop in a loop or
   * at more tokens than can be spoken.
   */
  readonly reason: "compression ratio" | "log probability" | "repetition" | "rate";
}

/** The text of a window, as openai/whisper's `DecodingResult`. */
export interface WindowDecoding {
  /** Timestamps among them, without start and end of text. */
  readonly tokens: number[];
  /** Without timestamps, trimmed. */
  readonly text: string;
  /** Code that the decoder was told. */
  readonly language: string;
  /** Probability of each language; when the language was detected. */
  readonly languageProbabilities?: Readonly<Record<string, number>>;
  /** Mean log probability of the tokens and the end of text; of a loop, before it was cut, as is the compression ratio. */
  readonly avgLogprob: number;
  /** Probability that the window holds no speech, 0 to 1; 0 where the vocabulary has no token for it. */
  readonly noSpeechProb: number;
  readonly compressionRatio: number;
  readonly temperature: number;
  /**
   * Whether the window counts as silence: no speech is likelier than the threshold, and the text is not trusted
   * (openai/whisper `transcribe.py`, `should_skip`). `tokens` are what the decoder wrote all the same.
   */
  readonly silent: boolean;
  readonly stop: Stop;
  /** Whether the text did not end by itself. Of a loop, the first copy is left. */
  readonly truncated: boolean;
  /** Whether no temperature gave a text that passes the thresholds; such a text is no good prompt for the next window. */
  readonly failed: boolean;
  /** Why texts failed, in order of temperature. */
  readonly fallbacks: readonly Fallback[];
}

/**
 * Decodes the text of an encoded window as openai/whisper does: `DecodingTask.run` of `decoding.py`, at rising temperatures as
 * `decode_with_fallback` of `transcribe.py` (Radford et al. 2022, arXiv:2212.04356, section 4.5).
 *
 * The prompt is run once for all temperatures, beams and samples. A text that runs into a loop, or gets longer than
 * can be spoken in `seconds`, is stopped there and counts as failed; the reference lets it run on until its
 * compression ratio fails it. When no temperature gives a text that passes, the reference takes the last, which is
 * often gibberish; here it is the likeliest of those that do not repeat themselves, as in SYSTRAN/faster-whisper.
 *
 * @param hiddenState the encoder's output; it stays the caller's
 * @throws UnknownLanguageError, UnsupportedTaskError when the model cannot do what is asked.
 * @throws InvalidArgumentError for options out of range, and prompt and prefix too long together.
 * @throws InferenceError, ModelFormatError when the decoder fails; the signal's reason when it is aborted.
 */
export async function decodeWindow(
  decoder: Decoder,
  config: WhisperConfig,
  tokenizer: WhisperTokenizer,
  hiddenState: Tensor,
  options: WindowOptions = {},
): Promise<WindowDecoding> {
  const plan = planWindow(options, config);
  const { timestamps = true, signal } = options;
  const rules = createLogitRules(tokenizer, {
    timestamps,
    suppress: suppressedTokens(options.suppressTokens, config, tokenizer),
    suppressBlank: options.suppressBlank ?? true,
    maxInitialTimestamp: lastInitialTimestamp(options.maxInitialTimestamp, TIMESTAMP_STEP),
  });
  // A wrong language, task or prompt is told before anything runs.
  initialTokens(options.language ?? tokenizer.languages[0]!, plan, config, tokenizer, options);
  const detected: DetectedLanguage | undefined =
    options.language === undefined
      ? await detectLanguage(decoder, tokenizer, hiddenState, signal)
      : undefined;
  const language = detected?.language ?? tokenizer.languageCode(options.language!);
  const initial = initialTokens(language, plan, config, tokenizer, options);

  await giveWay(signal);
  const { logits, cache } = await decoder.start(hiddenState, initial);
  try {
    const { vocabularySize } = decoder;
    const row = (index: number) => logits.slice(index * vocabularySize, (index + 1) * vocabularySize);
    const noSpeechProb =
      tokenizer.noSpeech === undefined
        ? 0
        : probabilityOf(row(initial.indexOf(tokenizer.startOfText)), tokenizer.noSpeech);
    const search: Search = {
      decoder,
      tokenizer,
      cache,
      firstLogits: row(initial.length - 1),
      rules,
      guard: createLoopGuard(tokenizer, options.seconds, options.tokensPerSecond),
      // The last token need not be run, and so may lie past the end of the context.
      limit: Math.min(plan.maxTokens, config.maxTokens + 1 - initial.length),
      signal,
      onToken: options.onToken,
    };
    const attempts: Attempt[] = [];
    for (const [i, temperature] of plan.temperatures.entries()) {
      const found = await runSearch(search, plan, temperature, i);
      attempts.push({ ...found, temperature, ...(await judge(found, noSpeechProb, plan, tokenizer)) });
      if (!attempts.at(-1)!.reason) break;
    }
    const { stop, reason, avgLogprob, ratio, silent, temperature, ...taken } = bestAttempt(attempts);
    const tokens = stop === "repetition" ? cutRepetition(taken.tokens, tokenizer) : taken.tokens;
    return {
      tokens,
      text: tokenizer.decode(tokens).trim(),
      language,
      ...(detected && { languageProbabilities: detected.probabilities }),
      avgLogprob,
      noSpeechProb,
      compressionRatio: ratio,
      temperature,
      silent,
      stop,
      truncated: stop !== "end",
      failed: reason !== undefined,
      fallbacks: attempts.flatMap(({ temperature, reason }) => (reason ? [{ temperature, reason }] : [])),
    };
  } finally {
    cache.release();
  }
}

/** The last attempt if it passed, else the likeliest of those that do not repeat themselves, else of all. */
function bestAttempt(attempts: readonly Attempt[]): Attempt {
  const last = attempts.at(-1)!;
  if (!last.reason) return last;
  const varied = attempts.filter(({ reason }) => reason === "log probability");
  const candidates = varied.length > 0 ? varied : attempts;
  return candidates.reduce((best, other) => (other.avgLogprob > best.avgLogprob ? other : best));
}

/** openai/whisper `decoding.py`, `_get_initial_tokens`. */
function initialTokens(
  language: string,
  plan: WindowPlan,
  config: WhisperConfig,
  tokenizer: WhisperTokenizer,
  options: WindowOptions,
): number[] {
  const { task, timestamps = true } = options;
  const half = Math.floor(config.maxTokens / 2);
  const prompt = tokensOf("prompt", options.prompt, config, tokenizer).slice(-(half - 1));
  const wholePrefix = tokensOf("prefix", options.prefix, config, tokenizer);
  // With the default length nothing is left for a prefix, and the reference's slice from -0 takes it whole.
  const prefix = wholePrefix.slice(-(half - plan.maxTokens));
  const tokens = [
    ...(prompt.length > 0 ? [tokenizer.startOfPrevious, ...prompt] : []),
    ...tokenizer.startTokens({ language, task, timestamps }),
    ...prefix,
  ];
  if (tokens.length > config.maxTokens) {
    throw new InvalidArgumentError(
      `prompt and prefix make ${tokens.length} tokens; give less than ${config.maxTokens}, the decoder's context`,
    );
  }
  return tokens;
}

function runSearch(
  search: Search,
  plan: WindowPlan,
  temperature: number,
  attempt: number,
): Promise<Hypothesis> {
  const { beamSize, patience, lengthPenalty, bestOf, seed } = plan;
  if (temperature > 0) {
    const random = seededRandom(seed + attempt);
    return sampleBest(search, { temperature, count: bestOf, random, lengthPenalty });
  }
  return beamSize > 1 ? searchBeams(search, { beamSize, patience, lengthPenalty }) : decodeGreedily(search);
}

interface Judgement {
  avgLogprob: number;
  ratio: number;
  silent: boolean;
  reason: Fallback["reason"] | undefined;
}

interface Attempt extends Hypothesis, Judgement {
  temperature: number;
}

async function judge(
  { tokens, sumLogprob, stop }: Hypothesis,
  noSpeechProb: number,
  plan: WindowPlan,
  tokenizer: WhisperTokenizer,
): Promise<Judgement> {
  const { compressionRatioThreshold, logprobThreshold, noSpeechThreshold } = plan;
  const avgLogprob = sumLogprob / (tokens.length + 1);
  const ratio = await compressionRatio(tokenizer.decode(tokens).trim());
  const unlikely = logprobThreshold !== null && avgLogprob < logprobThreshold;
  const noSpeech = noSpeechThreshold !== null && noSpeechProb > noSpeechThreshold;
  let reason: Fallback["reason"] | undefined;
  // Silence: no temperature will find a better text.
  if (noSpeech && unlikely) reason = undefined;
  else if (stop === "repetition" || stop === "rate") reason = stop;
  else if (compressionRatioThreshold !== null && ratio > compressionRatioThreshold)
    reason = "compression ratio";
  else if (unlikely) reason = "log probability";
  const trusted = logprobThreshold !== null && avgLogprob > logprobThreshold;
  return { avgLogprob, ratio, silent: noSpeech && !trusted, reason };
}
