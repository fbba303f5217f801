import { assertOptions, describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { Segment, Transcription } from "../transcription/transcription.ts";
import { feedBuffer } from "./buffer-feed.ts";
import { createBelongings } from "./give-back.ts";
import { listen } from "./listening.ts";
import type { GateOptions, Partial, PostedCallOptions } from "./messages.ts";
import { connectProcessor } from "./microphone-graph.ts";
import type { Transport } from "./quantum-link.ts";
import { type InputOptions, openInput } from "./sound-input.ts";
import type { Spectrogram } from "./spectrogram-view.ts";
import {
  createSpeechWorker,
  type SpeechWorker,
  type SpeechWorkerOptions,
  type SpeechWorkerStatistics,
} from "./speech-worker.ts";
import { assertPage } from "./worker-script.ts";

/**
 * What a microphone is at. "paused": by `pause()`, because the page is hidden, or because its AudioContext is suspended until the
 * page is clicked. "finishing": no more sound is taken, the rest is put into words.
 */
export type MicrophoneState = "starting" | "listening" | "paused" | "finishing" | "stopped" | "failed";

/** How to listen. */
export interface MicrophoneOptions
  extends InputOptions,
    Omit<PostedCallOptions, "raw" | "sampleRate" | "voiceActivity"> {
  /**
   * The worker that turns sound into text, or a function that gets it once the microphone is open, or how to start one, which ends
   * with the microphone then.
   */
  speech?: SpeechWorker | (() => Promise<SpeechWorker>) | SpeechWorkerOptions;
  /** What opens and closes the gate before the model: times in milliseconds, thresholds, a detector. */
  gate?: GateOptions;
  /** Whether speech that goes on is put into words too, about once a second. Default true. */
  partials?: boolean;
  /**
   * URL of the package's `microphone-processor.js`; by default its text in a blob, for which a Content-Security-Policy has to
   * allow `script-src blob:`.
   */
  processorUrl?: string | URL;
  /**
   * What happens while the page is hidden, in another tab or minimised: "pause" (default) leaves its sound out, "listen" goes on.
   */
  whenHidden?: "pause" | "listen";
  /** Ends the opening, and the listening: what was not final is lost. */
  signal?: AbortSignal;
}

/** Something heard: text that may still change, or a segment that will not. Times are seconds from the beginning. */
export type Heard =
  | ({ readonly type: "partial" } & Readonly<Partial>)
  | {
      readonly type: "final";
      readonly text: string;
      readonly start: number;
      readonly end: number;
      /** Geometric mean of the tokens' probabilities. */
      readonly confidence: number;
      readonly segment: Segment;
    };

/** Figures of a microphone, beside those of its worker. */
export interface MicrophoneStatistics extends SpeechWorkerStatistics {
  /** Quanta that the audio thread was given, and those of them that found no room. */
  quanta: number;
  dropped: number;
  /** Part of the ring that waits for the worker, 0 to 1, where memory is shared. */
  fill: number | undefined;
}

/** Events of a {@link Microphone}, by name. */
export interface MicrophoneEvents {
  partial: CustomEvent<Extract<Heard, { type: "partial" }>>;
  final: CustomEvent<Extract<Heard, { type: "final" }>>;
  statechange: Event;
}

/** A source of sound that is put into words. Create it with {@link createMicrophone}. */
export interface Microphone extends AsyncIterable<Heard> {
  readonly state: MicrophoneState;
  /** Why it failed. */
  readonly error: Error | undefined;
  /** "shared": through a ring in shared memory. "transferred": the page is not isolated, blocks are handed over by messages. */
  readonly transport: Transport;
  /** Samples a second of the source; the core resamples to 16 kHz. */
  readonly sampleRate: number;
  /** The latest log-mel frames, where they lie. */
  readonly spectrogram: Spectrogram;
  addEventListener<K extends keyof MicrophoneEvents>(
    type: K,
    listener: (event: MicrophoneEvents[K]) => void,
    options?: AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof MicrophoneEvents>(
    type: K,
    listener: (event: MicrophoneEvents[K]) => void,
  ): void;
  stats(): Promise<MicrophoneStatistics>;
  /** Leaves sound out until `resume()`; times go on behind it as if it had not been. */
  pause(): void;
  /** Goes on after "paused"; browsers want it called from a click where the AudioContext is suspended. */
  resume(): Promise<void>;
  /** Ends the listening (of an AudioBuffer, once all of it was heard), puts the rest into words and gives all of it. */
  stop(): Promise<Transcription>;
  /** Ends at once; what is not final is lost. Everything is back when it resolves. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a microphone, or listens to any MediaStream, AudioNode or AudioBuffer, and puts what is said into words. An audio worklet writes each
 * quantum into shared memory (or, on pages that are not cross-origin isolated, into transferred blocks: `transport` says which),
 * a worker resamples it, finds speech and runs the model.
 *
 * @throws MicrophoneError when the microphone is blocked, missing or in use, by its `code`.
 * @throws UnsupportedRuntimeError outside of pages, and where there are no audio worklets.
 * @throws what `createSpeechWorker` throws; the signal's reason. Nothing is held then.
 */
export async function createMicrophone(options: MicrophoneOptions = {}): Promise<Microphone> {
  assertOptions(options, "createMicrophone");
  assertPage("createMicrophone");
  const {
    speech: given = {},
    source,
    deviceId,
    constraints,
    gate = {},
    partials = true,
    processorUrl,
    whenHidden = "pause",
    signal,
    ...callOptions
  } = options;
  signal?.throwIfAborted();
  if (whenHidden !== "pause" && whenHidden !== "listen") {
    throw new InvalidArgumentError(`whenHidden is ${describe(whenHidden)}; give "pause" or "listen"`);
  }
  const { own, giveBack } = createBelongings();
  try {
    // The microphone first: the browser asks while the click that led here still counts.
    const input = await openInput({
      ...(source && { source }),
      ...(deviceId !== undefined && { deviceId }),
      ...(constraints && { constraints }),
      ...(signal && { signal }),
    });
    own(input, (opened) => "context" in opened && opened.close());
    signal?.throwIfAborted();
    const speech = await (async () => {
      if (typeof given === "function") return await given();
      if ("link" in given) return given;
      const started = await createSpeechWorker({ ...given, ...(signal && { signal }) });
      return own(started, (worker) => worker.dispose());
    })();
    const quanta = own(
      "buffer" in input
        ? feedBuffer(input.buffer, speech.core)
        : await connectProcessor(input, speech.core, processorUrl),
      (graph) => graph.end(),
    );
    signal?.throwIfAborted();
    return await listen(input, speech, quanta, { callOptions, gate, partials, whenHidden, signal, giveBack });
  } catch (error) {
    // The error that it is for comes first.
    await giveBack().catch(() => undefined);
    throw signal?.aborted ? signal.reason : error;
  }
}
