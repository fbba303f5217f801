import type { StageTimes } from "../transcription/stage-times.ts";
import type { Segment, Task, Transcription } from "../transcription/transcription.ts";

/** Frames of 10 ms in a second, by which segments count. */
const FRAMES = 100;

/** An utterance's result, its times those of the whole sound. */
export function shifted(result: Transcription, seconds: number, firstId: number): Transcription {
  const segments = result.segments.map((segment, i): Segment => {
    const { words, start, end, seek } = segment;
    return {
      ...segment,
      id: firstId + i,
      seek: seek + Math.round(seconds * FRAMES),
      start: start + seconds,
      end: end + seconds,
      ...(words && {
        words: words.map((word) => ({ ...word, start: word.start + seconds, end: word.end + seconds })),
      }),
    };
  });
  return { ...result, segments };
}

/** How sure the model was: the geometric mean of its tokens' probabilities, 0 to 1; 0 of nothing. */
export function confidenceOf(segments: readonly Segment[]): number {
  if (segments.length === 0) return 0;
  const mean = segments.reduce((sum, { avgLogprob }) => sum + avgLogprob, 0) / segments.length;
  return Math.exp(Math.min(0, mean));
}

/** What is known of a model whose every utterance was silent. */
interface Origin {
  readonly model: { readonly name: string };
}

/** All utterances as one result. */
export function joinTranscriptions(
  parts: readonly Transcription[],
  { model }: Origin,
  duration: number,
  task: Task,
): Transcription {
  const total = (stage: keyof StageTimes) => parts.reduce((sum, { times }) => sum + times[stage], 0);
  const last = parts.at(-1);
  const spoken = parts.find(({ text }) => text !== "");
  return {
    text: parts
      .map(({ text }) => text)
      .filter((text) => text !== "")
      .join(" "),
    task,
    language: spoken?.language ?? last?.language ?? "en",
    ...(spoken?.languageProbability !== undefined && { languageProbability: spoken.languageProbability }),
    segments: parts.flatMap(({ segments }) => segments),
    duration,
    model: model.name,
    providers: last?.providers ?? { encoder: "wasm", decoder: "wasm", passedOver: [] },
    windows: parts.reduce((sum, { windows }) => sum + windows, 0),
    truncated: parts.some(({ truncated }) => truncated),
    times: {
      audio: total("audio"),
      mel: total("mel"),
      encoder: total("encoder"),
      decoder: total("decoder"),
      total: total("total"),
    },
  };
}
