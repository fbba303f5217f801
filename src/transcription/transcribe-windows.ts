import { findWordTimes } from "../decoding/word-times.ts";
import { decodeFeatures, type HeardWindow } from "./decode-features.ts";
import { type CheckedWindow, createSpeechWatch, type SpeechWatch } from "./missed-speech.ts";
import type { Progress } from "./options.ts";
import { createLookAhead, type PreparedWindow, prepareWindow, type WindowSource } from "./prepared-window.ts";
import { type CutWindow, cutIntoSegments, type WindowPlace } from "./segments.ts";
import { setToSound, wordsToSound } from "./set-to-sound.ts";
import type { StageClock } from "./stage-times.ts";
import type { Segment } from "./transcription.ts";
import { listenTo } from "./window-sound.ts";
import { windowAfter } from "./windows.ts";

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
export interface WindowWalk extends WindowSource {
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
 * decoded the next samples are read, and where that gains time the next window is encoded. All leases are back at the end, also when the caller stops early; a read under
 * way then ends when the sound is closed.
 *
 * @throws whatever reading, features and inference throw; the signal's reason when it is aborted.
 */
export async function* transcribeWindows(walk: WindowWalk): AsyncGenerator<TranscribedWindow> {
  const { pipeline, sound, planner, options, clock, onProgress } = walk;
  const { signal } = options;
  const { maxSamples } = pipeline.frontEnd;
  const rate = pipeline.frontEnd.description.sampleRate;
  const keep = Math.floor(pipeline.config.maxTokens / 2) - 1;
  let { language } = walk;
  let previous: number[] = [...walk.prompt];
  let position = 0;
  let id = 0;
  const words = { lastSpeechEnd: 0 };
  const watch = createSpeechWatch();
  /** Sample at which the next window has to end. */
  let until: number | undefined;
  const lookAhead = createLookAhead(walk);
  try {
    while (true) {
      signal?.throwIfAborted();
      const ahead = await clock.measure("audio", () => lookAhead.take(position));
      const plan = ahead?.plan ?? (await clock.measure("audio", () => planner.next(position, until)));
      if (!plan) return;
      onProgress({ stage: "audio", seconds: plan.start / rate, tokens: 0 });
      const window = ahead ?? (await prepareWindow(walk, plan));
      let heard: Heard | undefined;
      try {
        if (window.skipTo !== undefined) {
          position = window.skipTo;
          continue;
        }
        // Where a detector listens, the next window may end before more has come. Errors come again with the next fill.
        if (!plan.listened) sound.fill(plan.start + plan.count + maxSamples).catch(() => undefined);
        heard = await hear(walk, window, { language, prompt: previous, words, watch }, () => {
          lookAhead.begin(window.end);
        });
      } finally {
        await window.release();
      }
      until = undefined;
      if (!heard) {
        position = window.end;
        yield { segments: [], language, languageProbability: undefined, truncated: false };
        continue;
      }
      const { decoding, cut } = heard;
      const languageProbability = decoding.languageProbabilities?.[decoding.language];
      language ??= decoding.silent ? undefined : decoding.language;
      const segments = cut.segments.map((segment) => ({ id: id++, ...segment }));
      ({ position, until } = windowAfter(plan, window.end, cut, rate));
      if (options.conditionOnPreviousText && !decoding.failed && decoding.temperature <= PROMPT_TEMPERATURE) {
        previous = [...previous, ...segments.flatMap(({ tokens }) => tokens)].slice(-keep);
      } else previous = options.conditionOnPreviousText || id > 0 ? [] : previous;
      yield { segments, language, languageProbability, truncated: decoding.truncated && !decoding.silent };
    }
  } finally {
    await lookAhead.end();
  }
}

/** What was heard in a window, and its segments. */
interface Heard {
  decoding: HeardWindow;
  cut: CheckedWindow;
}

/** Decodes one window and cuts it into segments; undefined when there is nothing to hear. */
async function hear(
  walk: WindowWalk,
  window: PreparedWindow,
  before: {
    language: string | undefined;
    prompt: readonly number[];
    words: { lastSpeechEnd: number };
    watch: SpeechWatch;
  },
  whileDecoding: () => void,
): Promise<Heard | undefined> {
  const { pipeline, options, clock, onProgress } = walk;
  const { frontEnd, tokenizer } = pipeline;
  const { plan, samples, count, mel } = window;
  const rate = frontEnd.description.sampleRate;
  const report = (stage: "mel" | "encoder" | "decoder", tokens = 0) => {
    if (stage === "decoder" && tokens === 0) whileDecoding();
    onProgress({ stage, seconds: plan.start / rate, tokens });
  };
  await window.encode(clock, report);
  const endTurn = await pipeline.turns.decoder.take(options.signal);
  try {
    const decoding = await decodeFeatures(pipeline, {
      samples,
      count,
      mel,
      ahead: window.takeEncoded(),
      language: before.language,
      prompt: before.prompt,
      options,
      clock,
      report,
    });
    if (!decoding) return undefined;
    try {
      const place = { start: plan.start / rate, seconds: count / rate };
      if (decoding.silent) return { decoding, cut: { segments: [], advance: place.seconds } };
      const timed = cutIntoSegments(decoding, place, tokenizer.timestampBegin, (tokens) =>
        tokenizer.decode(tokens),
      );
      const windowSound = listenTo(samples.subarray(0, count));
      const set = setToSound(timed, place, windowSound);
      const cut: CheckedWindow = plan.whole
        ? set
        : before.watch.check(set, place, windowSound, tokenizer.endOfText);
      if (options.timestamps === "word") {
        await clock.measure("decoder", () => addWords(walk, decoding, cut, place, before.words));
        cut.segments = cut.segments.map((segment) => wordsToSound(segment, place, windowSound));
      }
      return { decoding, cut };
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
