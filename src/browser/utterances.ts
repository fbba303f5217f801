import { createSpeechSegmenter, type SpeechOptions } from "../voice/speech-segmenter.ts";

/** A stretch of speech to be put into words, in samples from the start; final or still going on. */
export interface Utterance {
  readonly start: number;
  readonly end: number;
}

/** Cuts speech into utterances as it comes. */
export interface Utterances {
  /** Takes the probability of the next chunk and its level in dB. */
  add(probability: number, level: number): void;
  /** Ends the sound. */
  end(): void;
  /** The next utterance that is final, once. */
  next(): Utterance | undefined;
  /** Whether there is one. */
  readonly ready: boolean;
  /** Where the first of those that are final, or what is being said, begins. */
  readonly oldest: number | undefined;
  /** Speech that goes on. */
  readonly open: Utterance | undefined;
}

/** Seconds that an utterance may have: the model's window, less what the gate adds. */
const LONGEST = 28;
/** Seconds at its end in which a longer one is cut, at the quietest chunk. */
const CUT_WITHIN = 8;
/** Pauses that end an utterance, in milliseconds: longer than those within a sentence. */
const PAUSE = 600;
/** What is kept around speech, in milliseconds: quiet first and last sounds. */
const PAD = 200;
/** Seconds below which the rest of a cut utterance is none. */
const SHORTEST = 0.1;

/**
 * Makes utterances of the gate's probabilities: pauses of 600 ms end them unless `options.minSilence` says otherwise, and 28 s do.
 *
 * @param chunk samples that a probability is for
 * @param rate samples a second
 * @throws InvalidArgumentError when an option is out of range.
 */
export function createUtterances(chunk: number, rate: number, options: SpeechOptions = {}): Utterances {
  const segmenter = createSpeechSegmenter(chunk, rate, { minSilence: PAUSE, pad: PAD, ...options });
  const ready: Utterance[] = [];
  /** Levels of the latest chunks; the last one is that of the chunk before `heard`. */
  const levels: number[] = [];
  const kept = Math.ceil((CUT_WITHIN * rate) / chunk);
  let heard = 0;
  /** Up to where speech is in an utterance already. */
  let taken = 0;

  function take(start: number, end: number): void {
    if (end - start >= SHORTEST * rate) ready.push({ start, end });
    taken = end;
  }

  function collect(): void {
    for (const { start, end } of segmenter.regions) {
      if (end > taken) take(Math.max(start, taken), end);
    }
    segmenter.forget(taken);
    const { open } = segmenter;
    if (!open) return;
    const start = Math.max(open.start, taken);
    if (open.end - start < LONGEST * rate) return;
    let quietest = 0;
    for (let i = 1; i < levels.length; i++) if (levels[i]! <= levels[quietest]!) quietest = i;
    take(start, Math.min(open.end, heard - (levels.length - 1 - quietest) * chunk));
  }

  const open = (): Utterance | undefined => {
    const { open } = segmenter;
    if (!open || open.end <= taken) return undefined;
    return { start: Math.max(open.start, taken), end: Math.max(open.end, taken) };
  };

  return {
    add(probability, level) {
      segmenter.add(probability);
      heard += chunk;
      levels.push(level);
      if (levels.length > kept) levels.shift();
      collect();
    },
    end() {
      segmenter.end();
      collect();
    },
    next: () => ready.shift(),
    get ready() {
      return ready.length > 0;
    },
    get oldest() {
      return (ready[0] ?? open())?.start;
    },
    get open() {
      return open();
    },
  };
}
