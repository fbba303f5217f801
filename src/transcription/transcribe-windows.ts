import type { SoundRing } from "../audio/sound-ring.ts";
import { findWordTimes } from "../decoding/word-times.ts";
import { decodeFeatures, type HeardWindow } from "./decode-features.ts";
import type { CheckedOptions, Progress } from "./options.ts";
import { createPaceWatch, type PaceWatch } from "./pace.ts";
import type { Pipeline } from "./pipeline.ts";
import { type CutWindow, cutIntoSegments, type WindowPlace } from "./segments.ts";
import { setToSound } from "./set-to-sound.ts";
import type { StageClock } from "./stage-times.ts";
import type { Segment } from "./transcription.ts";
import { listenTo } from "./window-sound.ts";
import { leadingSilence, quietestCut, type WindowPlan, type WindowPlanner } from "./windows.ts";

/** What a window added to the transcription. */
export interface TranscribedWindow {
  readonly segments: readonly Segment[];
  /** Code of the language, once one is known. */
  readonly language: string | undefined;
  readonly languageProbability: number | undefined;
  /** Whether its text did not end by itself. */
  readonly truncated: boolean;
}

/** One call's way through its sound. */
export interface WindowWalk {
  pipeline: Pipeline;
  sound: SoundRing;
  planner: WindowPlanner;
  options: CheckedOptions;
  /** Code, or undefined to detect it. */
  language: string | undefined;
  /** Tokens of the prompt. */
  prompt: readonly number[];
  clock: StageClock;
  onProgress: (progress: Omit<Progress, "secondsLeft" | "duration">) => void;
}

/** Above this temperature a text is no good example for the next (openai/whisper `transcribe.py`). */
const PROMPT_TEMPERATURE = 0.5;

/**
 * Goes through a sound window by window, as `transcribe` of openai/whisper `transcribe.py` does: each window begins where the
 * last finished segment ended, or, where windows were cut at pauses, behind the one before. While a window is
 * decoded the next samples are read ahead. All leases are back at the end, also when the caller stops early; a read under
 * way then ends when the sound is closed.
 *
 * @throws whatever reading, features and inference throw; the signal's reason when it is aborted.
 */
export async function* transcribeWindows(walk: WindowWalk): AsyncGenerator<TranscribedWindow> {
  const { pipeline, sound, planner, options, clock, onProgress } = walk;
  const { signal } = options;
  const rate = pipeline.frontEnd.description.sampleRate;
  const keep = Math.floor(pipeline.config.maxTokens / 2) - 1;
  let { language } = walk;
  let previous: number[] = [...walk.prompt];
  let position = 0;
  let id = 0;
  const words = { lastSpeechEnd: 0 };
  const pace = createPaceWatch();
  while (true) {
    signal?.throwIfAborted();
    const plan = await clock.measure("audio", () => planner.next(position));
    if (!plan) return;
    onProgress({ stage: "audio", seconds: plan.start / rate, tokens: 0 });
    const result = await hear(walk, plan, { language, prompt: previous, words, pace }, () => {
      // Where a detector listens, the next window may end before more has come. Errors come again with the next fill.
      if (!plan.listened) {
        sound.fill(plan.start + plan.count + pipeline.frontEnd.maxSamples).catch(() => undefined);
      }
    });
    if (result.skipped !== undefined) {
      position = result.skipped;
      continue;
    }
    const { heard, end } = result;
    if (!heard) {
      position = end;
      yield { segments: [], language, languageProbability: undefined, truncated: false };
      continue;
    }
    const { decoding, cut } = heard;
    const languageProbability = decoding.languageProbabilities?.[decoding.language];
    language ??= decoding.silent ? undefined : decoding.language;
    const segments = cut.segments.map((segment) => ({ id: id++, ...segment }));
    position = plan.whole ? end : plan.start + Math.round(cut.advance * rate);
    if (options.conditionOnPreviousText && !decoding.failed && decoding.temperature <= PROMPT_TEMPERATURE) {
      previous = [...previous, ...segments.flatMap(({ tokens }) => tokens)].slice(-keep);
    } else previous = options.conditionOnPreviousText || id > 0 ? [] : previous;
    yield { segments, language, languageProbability, truncated: decoding.truncated && !decoding.silent };
  }
}

/** What came of a window: where it ends and what was heard, or where to begin instead. */
type Heard =
  | { skipped: number }
  | { skipped?: undefined; heard: { decoding: HeardWindow; cut: CutWindow } | undefined; end: number };

/** Decodes one window and cuts it into segments; undefined when there is nothing to hear. */
async function hear(
  walk: WindowWalk,
  plan: WindowPlan,
  before: {
    language: string | undefined;
    prompt: readonly number[];
    words: { lastSpeechEnd: number };
    pace: PaceWatch;
  },
  readAhead: () => void,
): Promise<Heard> {
  const { pipeline, sound, options, clock, onProgress } = walk;
  const { frontEnd, tokenizer } = pipeline;
  const rate = frontEnd.description.sampleRate;
  const { signal } = options;
  const wait = signal ? { signal } : {};
  using samples = await pipeline.audio.acquireAsync(wait);
  using mel = await pipeline.mel.acquireAsync(wait);
  sound.window(plan.start, plan.count, samples.view);
  const skip = plan.listened ? 0 : leadingSilence(samples.view.subarray(0, plan.count));
  if (skip > 0) return { skipped: plan.start + skip };
  const count = plan.cut ? quietestCut(samples.view) : plan.count;
  const end = plan.start + count;
  readAhead();
  const endTurn = await pipeline.turns.take(signal);
  try {
    const decoding = await decodeFeatures(pipeline, {
      samples: samples.view,
      count,
      mel: mel.view,
      language: before.language,
      prompt: before.prompt,
      options,
      clock,
      report: (stage, tokens = 0) => onProgress({ stage, seconds: plan.start / rate, tokens }),
    });
    if (!decoding) return { heard: undefined, end };
    try {
      const place = { start: plan.start / rate, seconds: count / rate };
      if (decoding.silent) return { heard: { decoding, cut: { segments: [], advance: place.seconds } }, end };
      const timed = cutIntoSegments(decoding, place, tokenizer.timestampBegin, (tokens) =>
        tokenizer.decode(tokens),
      );
      const windowSound = listenTo(samples.view.subarray(0, count));
      const set = setToSound(timed, place, windowSound);
      const cut = plan.whole ? set : before.pace.check(set, place, windowSound, tokenizer.endOfText);
      if (options.timestamps === "word") {
        await clock.measure("decoder", () => addWords(walk, decoding, cut, place, before.words));
      }
      return { heard: { decoding, cut }, end };
    } finally {
      decoding.hiddenState.release();
    }
  } finally {
    endTurn();
  }
}

/** Adds words to a window's segments, and moves the segments' ends to theirs. */
async function addWords(
  { pipeline, options }: WindowWalk,
  decoding: HeardWindow,
  cut: CutWindow,
  place: WindowPlace,
  state: { lastSpeechEnd: number },
): Promise<void> {
  const { decoder, config, tokenizer } = pipeline;
  const { language } = decoding;
  const found = await findWordTimes(decoder, config, tokenizer, decoding.hiddenState, cut.segments, {
    language,
    task: options.task,
    seconds: place.seconds,
    signal: options.signal,
    offset: place.start,
    lastSpeechEnd: state.lastSpeechEnd,
  });
  cut.segments = cut.segments.map((segment, i) => ({ ...segment, ...found.segments[i] }));
  state.lastSpeechEnd = found.lastSpeechEnd;
}
