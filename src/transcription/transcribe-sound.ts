import { createSoundRing, type SoundRing } from "../audio/sound-ring.ts";
import { openSound, type SoundSource } from "../audio/sound-source.ts";
import { loadVoiceDetector, type VoiceDetector } from "../voice/silero.ts";
import { createSpeechRegions } from "../voice/speech-regions.ts";
import { type CheckedOptions, checkOptions, type TranscribeOptions } from "./options.ts";
import type { Pipeline } from "./pipeline.ts";
import { createProgressMeter } from "./progress-meter.ts";
import { createStageClock } from "./stage-times.ts";
import { transcribeWindows } from "./transcribe-windows.ts";
import type { Segment, Transcription } from "./transcription.ts";
import { voiceWindows } from "./voice-windows.ts";
import { quietlyCutWindows, seekingWindows, type WindowPlanner } from "./windows.ts";

/** Value of `language` that has it detected. */
export const AUTO = "auto";
/** Language that English-only models know, and that is reported where nothing was heard. */
const ENGLISH = "en";

/**
 * One call from sound to text: opens the sound, walks through it and gives each segment once its window is done. All that
 * it took is back at its end, however it ends.
 *
 * @throws whatever openSound, loadVoiceDetector and transcribeWindows throw.
 */
export async function* transcribeSound(
  pipeline: Pipeline,
  audio: SoundSource,
  given: TranscribeOptions & { language: string },
): AsyncGenerator<Segment, Transcription, void> {
  const options = checkOptions(given);
  const { core, tokenizer, frontEnd, model } = pipeline;
  const wanted = given.language === AUTO ? undefined : tokenizer.languageCode(given.language);
  // Told before the sound is read.
  tokenizer.startTokens({ language: wanted ?? tokenizer.languages[0]!, task: options.task });
  options.signal?.throwIfAborted();
  const { sampleRate } = frontEnd.description;
  const clock = createStageClock();
  const sound = await clock.measure("audio", () => openRing(pipeline, audio, options, sampleRate));
  let voice: VoiceDetector | undefined;
  try {
    voice = options.voiceActivity ? await loadVoiceDetector(core) : undefined;
    const segments: Segment[] = [];
    let language = wanted ?? (tokenizer.multilingual ? undefined : ENGLISH);
    let languageProbability: number | undefined;
    let windows = 0;
    let truncated = false;
    const walk = transcribeWindows({
      pipeline,
      sound,
      planner: planner(pipeline, sound, options, voice),
      options,
      language,
      prompt: options.prompt?.trim() ? tokenizer.encode(` ${options.prompt.trim()}`) : [],
      clock,
      onProgress: createProgressMeter(sound.duration, options.onProgress),
    });
    for await (const window of walk) {
      windows++;
      truncated ||= window.truncated;
      language ??= window.language;
      languageProbability ??= window.languageProbability;
      for (const segment of window.segments) {
        segments.push(segment);
        options.onSegment?.(segment);
        yield segment;
      }
    }
    return {
      text: segments
        .map(({ text }) => text)
        .join("")
        .trim(),
      task: options.task,
      language: language ?? ENGLISH,
      ...(languageProbability !== undefined && { languageProbability }),
      segments,
      duration: sound.head / sampleRate,
      model: model.name,
      providers: pipeline.providers(),
      windows,
      truncated,
      times: clock.times,
    };
  } finally {
    await Promise.all([voice?.release(), sound.close()]);
  }
}

async function openRing(
  { core }: Pipeline,
  audio: SoundSource,
  { raw, sampleRate, signal }: CheckedOptions,
  targetRate: number,
): Promise<SoundRing> {
  const reader = await openSound(core, audio, {
    targetRate,
    ...(raw && { raw }),
    ...(sampleRate !== undefined && { sampleRate }),
    ...(signal && { signal }),
  });
  try {
    return createSoundRing(core, reader);
  } catch (error) {
    await reader.close();
    throw error;
  }
}

function planner(
  pipeline: Pipeline,
  sound: SoundRing,
  { timestamps, signal }: CheckedOptions,
  voice: VoiceDetector | undefined,
): WindowPlanner {
  const { maxSamples } = pipeline.frontEnd;
  if (voice) return voiceWindows(sound, createSpeechRegions(voice), maxSamples, pipeline.audio, signal);
  return timestamps === "none" ? quietlyCutWindows(sound, maxSamples) : seekingWindows(sound, maxSamples);
}
