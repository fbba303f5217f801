import { adapter } from "#adapter";
import { createResampler } from "../audio/resampler.ts";
import type { Core } from "../core/core.ts";
import { statePool } from "../pools/shared-pool.ts";
import type { TranscribeOptions } from "../transcription/options.ts";
import type { Transcriber } from "../transcription/transcriber.ts";
import type { Segment, Transcription } from "../transcription/transcription.ts";
import { VOICE_CHUNK as CHUNK, loadVoiceDetector, VOICE_RATE as RATE } from "../voice/silero.ts";
import { createBelongings } from "./give-back.ts";
import { confidenceOf, joinTranscriptions, shifted } from "./joined-transcription.ts";
import { createLevelGate } from "./level-gate.ts";
import type { GateOptions, Partial, PostedCallOptions, SpectrogramPlace } from "./messages.ts";
import type { MicrophoneInput } from "./microphone-input.ts";
import { createSpectrogramRing } from "./spectrogram-ring.ts";
import { createUtterances, type Utterance } from "./utterances.ts";

/** Seconds of sound that are kept for utterances that wait for the model. */
const HISTORY = 120;
/** Seconds that the model's longest window has. */
const WINDOW = 30;
/** Milliseconds that the input is waited for at most, and between two pictures where memory is not shared. */
const LOOK = 100;
const PICTURE = 100;
/** Seconds of sound that are taken in one turn, and that sound which can wait is taken ahead of the texts. */
const TURN = 5;
const AHEAD = 60;
/** Milliseconds to wait for blocks that may not come: the audio thread may be gone. */
const LATE = 1000;
/** Seconds of new speech that a partial result is made for. */
const PARTIAL_STEP = 1;

/** Why a partial result was left. */
const OVERTAKEN = new Error("the utterance is final");

/** What a listener tells as it goes. */
export interface ListenerEvents {
  segment(segment: Segment): void;
  partial(partial: Partial): void;
  /** The frames since the last time, where the page cannot look itself. */
  frames?: (written: number, values: Float32Array) => void;
}

/** How to listen. */
export interface ListenerOptions {
  sampleRate: number;
  options: PostedCallOptions;
  gate: GateOptions;
  partials: boolean;
  /** Whether sound waits while the model is behind, as an AudioBuffer can; else the oldest is overwritten after two minutes. */
  patient: boolean;
  signal: AbortSignal;
}

/** A source that is listened to. */
export interface Listener {
  readonly spectrogram: SpectrogramPlace;
  /** Seconds of speech that were overwritten before the model came to them. */
  readonly lostSeconds: number;
  /** No more sound comes: what is there is put into words. */
  finish(): void;
  /** Resolves with everything that was heard once `finish` was called; rejects with what went wrong or the signal's reason. */
  readonly done: Promise<Transcription>;
}

/**
 * Listens to a source: its sound goes through the resampler of the core into a pooled history, a gate finds speech in it, and
 * the transcriber puts each utterance into words. All buffers are leases that end with `done`.
 *
 * @throws what `Transcriber.transcribe` throws for its options, and loading the detector; nothing is held then.
 */
export async function startListener(
  core: Core,
  transcriber: Transcriber,
  input: MicrophoneInput,
  given: ListenerOptions,
  events: ListenerEvents,
): Promise<Listener> {
  const { sampleRate, partials, gate } = given;
  const stop = new AbortController();
  const { signal } = stop;
  /** Has the writing of texts look for work. */
  let wake = () => {};
  const abort = () => {
    stop.abort(given.signal.reason);
    wake();
  };
  const belongings = createBelongings();
  const { own } = belongings;
  own(input, (opened) => opened.close());
  const lend = (purpose: string, floats: number) =>
    own(statePool(core, purpose, floats).acquire(), (lease) => lease.release());
  const giveBack = async () => {
    given.signal.removeEventListener("abort", abort);
    await belongings.giveBack();
  };

  async function open() {
    const { detector } = gate;
    // Silence goes through no model, but its options are checked: not first when somebody has spoken.
    await transcriber.transcribe(
      { sampleRate: RATE, channels: [new Float32Array(CHUNK)] },
      { ...given.options, signal: given.signal },
    );
    return {
      utterances: createUtterances(CHUNK, RATE, gate),
      voice:
        typeof detector === "object"
          ? own(await loadVoiceDetector(core, { path: detector.silero }), (made) => made.release())
          : undefined,
      resampler:
        sampleRate === RATE
          ? undefined
          : own(createResampler(core, { from: sampleRate, to: RATE, nonFinite: "zero" }), (made) =>
              made.close(),
            ),
      history: lend("microphone history", HISTORY * RATE),
      utterance: lend("utterance", WINDOW * RATE),
      staging: lend("microphone staging", RATE),
      chunk: lend("microphone chunk", CHUNK),
      picture: own(createSpectrogramRing(core), (made) => made.close()),
    };
  }
  const opened = await open().catch(async (error) => {
    await giveBack();
    throw error;
  });
  const { utterances, voice, resampler, history, utterance, staging, chunk, picture } = opened;
  const level = createLevelGate(CHUNK / RATE);
  const capacity = history.view.length;

  /** Samples at 16 kHz so far, and those that the gate has looked at. */
  let heard = 0;
  let looked = 0;
  let lost = 0;
  let finishing = false;
  let finishedAt: number | undefined;
  let ended = false;
  let language: string | undefined;
  let told = 0;
  /** The partial result at work, which ends when a final one is due. */
  let passing: AbortController | undefined;
  const results: Transcription[] = [];

  function keep(samples: Float32Array): void {
    const at = heard % capacity;
    const first = Math.min(samples.length, capacity - at);
    history.view.set(first === samples.length ? samples : samples.subarray(0, first), at);
    if (first < samples.length) history.view.set(samples.subarray(first), 0);
    heard += samples.length;
    picture.push(samples);
  }

  /**
   * Takes what has come, as much as one turn may: to 16 kHz, into history and picture. Returns whether there is no more for now.
   */
  function drain(last: boolean): boolean {
    const until = heard + TURN * RATE;
    while (heard < until) {
      const block = input.read(last);
      if (block === undefined) return true;
      for (let at = 0; at < block.length; at += CHUNK) {
        const piece = block.subarray(at, at + CHUNK);
        if (resampler) keep(staging.view.subarray(0, resampler.process(piece, staging.view)));
        else keep(piece);
      }
    }
    return false;
  }

  /** Whether sound that can wait is to: speech that the model has not come to would be overwritten before long. */
  const isAhead = () => given.patient && heard - (utterances.oldest ?? heard) > AHEAD * RATE;

  /** What history has of a range; older parts are overwritten. */
  function copy({ start, end }: Utterance, into: Float32Array): Float32Array {
    const from = Math.max(start, heard - capacity);
    lost += (from - start) / RATE;
    const count = Math.max(0, Math.min(end - from, into.length));
    for (let done = 0; done < count; ) {
      const at = (from + done) % capacity;
      const part = Math.min(count - done, capacity - at);
      into.set(history.view.subarray(at, at + part), done);
      done += part;
    }
    return into.subarray(0, count);
  }

  /** Has the gate look at what is whole. */
  async function look(): Promise<void> {
    while (heard - looked >= CHUNK && !signal.aborted) {
      const samples = copy({ start: looked, end: looked + CHUNK }, chunk.view);
      const loud = level.probability(samples);
      utterances.add(voice ? await voice.probability(samples) : loud, level.level);
      looked += CHUNK;
    }
  }

  async function hear(): Promise<void> {
    while (!ended && !signal.aborted) {
      // Blocks go another way than the request to finish, which may be faster.
      finishedAt ??= finishing ? performance.now() : undefined;
      const last = finishedAt !== undefined && (input.complete || performance.now() - finishedAt > LATE);
      const ahead = isAhead();
      const empty = !ahead && drain(last);
      if (last && empty) {
        if (resampler) keep(staging.view.subarray(0, resampler.flush(staging.view)));
        keep(new Float32Array((CHUNK - (heard % CHUNK)) % CHUNK)); // once, at the end
        await look();
        utterances.end();
        ended = true;
      } else await look();
      if (utterances.ready) passing?.abort(OVERTAKEN);
      wake();
      if (ahead || (empty && !ended)) await input.changed(LOOK);
      // Others have their turn: the texts, and requests of the page.
      await adapter.nextTask();
    }
  }

  function transcribe(samples: Float32Array, options: TranscribeOptions): Promise<Transcription> {
    return transcriber.transcribe(
      { sampleRate: RATE, channels: [samples] },
      { ...given.options, ...(language !== undefined && { language }), signal, ...options },
    );
  }

  async function finalize(heardOf: Utterance): Promise<void> {
    const samples = copy(heardOf, utterance.view);
    if (samples.length === 0) return;
    const result = await transcribe(samples, {});
    const moved = shifted(
      result,
      heardOf.start / RATE,
      results.reduce((sum, { segments }) => sum + segments.length, 0),
    );
    results.push(moved);
    // A language found out holds on: later utterances may be too short to tell.
    if (moved.text !== "") language ??= moved.language;
    for (const segment of moved.segments) events.segment(segment);
  }

  async function tellPartial(open: Utterance): Promise<void> {
    const samples = copy(open, utterance.view);
    told = open.end;
    if (samples.length < RATE / 2) return;
    const own = new AbortController();
    passing = own;
    const stopOwn = () => own.abort(OVERTAKEN);
    signal.addEventListener("abort", stopOwn, { once: true });
    let result: Transcription;
    try {
      // The first guess: what follows may change it anyway.
      result = await transcribe(samples, { timestamps: "none", temperature: 0, signal: own.signal });
    } catch (error) {
      if (error === OVERTAKEN) return;
      throw error;
    } finally {
      passing = undefined;
      signal.removeEventListener("abort", stopOwn);
    }
    const { text, segments } = result;
    const confidence = confidenceOf(segments);
    // Not behind the final text of the same speech.
    if (text !== "" && utterances.open?.start === open.start) {
      events.partial({ text, start: open.start / RATE, end: open.end / RATE, confidence });
    }
  }

  async function write(): Promise<void> {
    while (!signal.aborted) {
      const next = utterances.next();
      const { open } = utterances;
      if (next) await finalize(next);
      else if (ended) return;
      else if (partials && open && open.end - Math.max(told, open.start) >= PARTIAL_STEP * RATE) {
        await tellPartial(open);
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }

  let pictured = 0;
  function tellFrames(): void {
    const { written } = picture;
    events.frames?.(written, picture.latest(written - pictured));
    pictured = written;
  }
  const timer = events.frames ? setInterval(tellFrames, PICTURE) : undefined;

  async function run(): Promise<Transcription> {
    if (given.signal.aborted) abort();
    else given.signal.addEventListener("abort", abort, { once: true });
    const parts = [hear(), write()];
    try {
      await Promise.all(parts);
      signal.throwIfAborted();
      return joinTranscriptions(results, transcriber, heard / RATE, given.options.task ?? "transcribe");
    } catch (error) {
      stop.abort(error);
      throw error;
    } finally {
      wake();
      await Promise.allSettled(parts);
      clearInterval(timer);
      await giveBack();
    }
  }

  return {
    spectrogram: picture.place,
    get lostSeconds() {
      return lost;
    },
    finish() {
      finishing = true;
      wake();
    },
    done: run(),
  };
}
