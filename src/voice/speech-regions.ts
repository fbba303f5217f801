import { describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { giveWay } from "../inference/give-way.ts";
import { MAX_CHUNKS, VOICE_CHUNK, VOICE_RATE, type VoiceDetector } from "./silero.ts";
import { createSpeechSegmenter, type SpeechOptions, type SpeechRegion } from "./speech-segmenter.ts";

/** Chunks that probabilities are kept of before their array grows: 33 s. */
const FIRST_PROBABILITIES = 1024;

/** What is known of the speech in a sound, as far as it was heard. */
export interface SpeechSoFar {
  /** Regions that are final, in order, of samples at 16 kHz. */
  readonly regions: readonly SpeechRegion[];
  /** Speech that goes on; `end` is how far it is known to reach by now. */
  readonly open: SpeechRegion | undefined;
  /** Sample before which all is final: what lies there in no region, not even the open one, is no speech. */
  readonly decided: number;
  /** Whether the sound has ended; `decided` is its length then. */
  readonly ended: boolean;
  /**
   * The sample from `from` to before `to` where speech is least likely: the middle of the chunk, the last of equals.
   * When no chunk's middle lies there, or all were dropped, `to`.
   */
  leastLikely(from: number, to: number): number;
}

/** How to take sound in. */
export interface PushOptions {
  /** Stops the work between chunks; `push` then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Finds the speech in one stream of sound. */
export interface SpeechRegions extends SpeechSoFar {
  /** Samples taken so far, those included that wait for their chunk to fill up. */
  readonly samples: number;
  /**
   * Takes the next samples, however many, and looks at each chunk of 512 that they complete.
   *
   * @param samples mono at 16 kHz, -1 to 1; they must stay as they are until the call is done
   * @throws InvalidArgumentError for something else than samples, after `flush`, and while the call before is at work.
   * @throws NonFiniteSamplesError, InferenceError when the detector throws; the signal's reason when it is aborted.
   * Samples that were taken before stay taken: `samples` tells from where to go on.
   */
  push(samples: Float32Array, options?: PushOptions): Promise<void>;
  /** Ends the sound: a last chunk is filled up with zeros, and all regions are final. */
  flush(): Promise<void>;
  /** Drops regions that end at `before` or earlier, and probabilities of chunks before it, so that memory stays small. */
  forget(before: number): void;
  /**
   * Begins anew, for another sound; resets the detector too.
   *
   * @throws InvalidArgumentError while a call is at work.
   */
  reset(): void;
}

/**
 * Speech regions of sound that is still coming. The same sound gives the same regions, however it is cut into blocks
 * (a probability within 1e-5 of a threshold, which the detector's grouping can push over it, aside).
 *
 * @param detector reset by this call, and not to be used by anyone else meanwhile; it stays the caller's to release
 * @throws InvalidArgumentError when an option is out of range.
 */
export function createSpeechRegions(detector: VoiceDetector, options: SpeechOptions = {}): SpeechRegions {
  const segmenterOfSound = () => createSpeechSegmenter(VOICE_CHUNK, VOICE_RATE, options);
  let segmenter = segmenterOfSound();
  const partial = new Float32Array(VOICE_CHUNK);
  let waiting = 0;
  let chunks = 0;
  /** Probabilities of the chunks from `firstChunk` on. */
  let probabilities = new Float32Array(FIRST_PROBABILITIES);
  let firstChunk = 0;
  let length = 0;
  let ended = false;
  let busy = false;
  detector.reset();

  function remember(probability: number): void {
    const at = chunks - firstChunk;
    if (at === probabilities.length) {
      const longer = new Float32Array(2 * at);
      longer.set(probabilities);
      probabilities = longer;
    }
    probabilities[at] = probability;
    chunks++;
  }

  /** Looks at whole chunks, the last of which holds `samples` of the sound. */
  async function take(chunks: Float32Array, samples = VOICE_CHUNK): Promise<void> {
    const found = await detector.probabilities(chunks);
    for (const [i, probability] of found.entries()) {
      segmenter.add(probability, i === found.length - 1 ? samples : VOICE_CHUNK);
      remember(probability);
    }
  }

  function assertIdle(): void {
    if (busy) throw new InvalidArgumentError("the speech regions are at work; await the call before");
  }

  async function alone(work: () => Promise<void>): Promise<void> {
    assertIdle();
    busy = true;
    try {
      await work();
    } finally {
      busy = false;
    }
  }

  async function pushAll(samples: Float32Array, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    for (let at = 0; at < samples.length; ) {
      const left = samples.length - at;
      const whole = waiting === 0 ? Math.min(MAX_CHUNKS, Math.floor(left / VOICE_CHUNK)) : 0;
      const count = whole > 0 ? whole * VOICE_CHUNK : Math.min(VOICE_CHUNK - waiting, left);
      const block = samples.subarray(at, at + count);
      if (whole > 0) await take(block);
      else {
        partial.set(block, waiting);
        const isFull = waiting + count === VOICE_CHUNK;
        if (isFull) await take(partial);
        waiting = isFull ? 0 : waiting + count;
      }
      length += count;
      at += count;
      // The session blocks the thread while it runs.
      if (whole === MAX_CHUNKS) await giveWay(signal);
    }
  }

  return {
    get regions() {
      return segmenter.regions;
    },
    get open() {
      return segmenter.open;
    },
    get decided() {
      return segmenter.decided;
    },
    get ended() {
      return ended;
    },
    get samples() {
      return length;
    },
    leastLikely(from, to) {
      const middle = VOICE_CHUNK / 2;
      const first = Math.max(firstChunk, Math.ceil((from - middle) / VOICE_CHUNK));
      const last = Math.min(chunks, Math.ceil((to - middle) / VOICE_CHUNK)) - 1;
      if (last < first) return to;
      let best = first;
      for (let chunk = first; chunk <= last; chunk++) {
        if (probabilities[chunk - firstChunk]! <= probabilities[best - firstChunk]!) best = chunk;
      }
      return best * VOICE_CHUNK + middle;
    },
    async push(samples, { signal } = {}) {
      if (ended)
        throw new InvalidArgumentError("the sound has ended; reset the speech regions for another one");
      if (!(samples instanceof Float32Array)) {
        throw new InvalidArgumentError(`samples are ${describe(samples)}; give a Float32Array`);
      }
      await alone(() => pushAll(samples, signal));
    },
    async flush() {
      if (ended) return;
      await alone(async () => {
        if (waiting > 0) await take(partial.fill(0, waiting), waiting);
        waiting = 0;
        segmenter.end();
        ended = true;
      });
    },
    forget(before) {
      segmenter.forget(before);
      const past = Math.min(chunks, Math.floor(before / VOICE_CHUNK)) - firstChunk;
      if (past <= 0) return;
      probabilities.copyWithin(0, past, chunks - firstChunk);
      firstChunk += past;
    },
    reset() {
      assertIdle();
      detector.reset();
      segmenter = segmenterOfSound();
      waiting = 0;
      chunks = 0;
      firstChunk = 0;
      length = 0;
      ended = false;
    },
  };
}
