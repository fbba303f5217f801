import { orAborted } from "../audio/interruption.ts";
import { describe } from "../core/arguments.ts";
import { InvalidArgumentError, MicrophoneError, UnsupportedRuntimeError } from "../core/errors.ts";

/** A source that can be listened to. */
export type SoundInput = MediaStream | AudioNode | AudioBuffer;

/** Sound that is there already. */
export interface BufferInput {
  readonly buffer: AudioBuffer;
}

/** A source in its graph. */
export interface GraphInput {
  readonly context: BaseAudioContext;
  readonly node: AudioNode;
  /** Tells when the source ends by itself, as a microphone that is pulled out. */
  onEnded(listener: () => void): void;
  /** Stops and closes what was opened here, and nothing of the caller's. */
  close(): Promise<void>;
}

export type OpenInput = GraphInput | BufferInput;

/** Which microphone to open. */
export interface InputOptions {
  source?: SoundInput;
  deviceId?: string;
  constraints?: MediaTrackConstraints;
  /** Ends the asking for a microphone. */
  signal?: AbortSignal;
}

/** What browsers say a microphone fails for, by the names of their errors (Media Capture and Streams, 10.2). */
const REFUSED: Record<string, [code: string, message: string]> = {
  NotAllowedError: [
    "microphone-denied",
    "the microphone is blocked for this page; allow it in the browser's settings of this site, and reload",
  ],
  SecurityError: ["microphone-denied", "the microphone is blocked by the page's policy; serve it over HTTPS"],
  NotFoundError: ["microphone-missing", "there is no microphone; connect one, and try again"],
  OverconstrainedError: ["microphone-missing", "there is no such microphone; choose another device"],
  NotReadableError: [
    "microphone-busy",
    "the microphone cannot be read; close other programs that use it, and try again",
  ],
  AbortError: ["microphone-busy", "the microphone could not be started; try again"],
};

/**
 * Opens a microphone, or the graph of a source that is there already.
 *
 * @throws MicrophoneError when it is blocked, missing or in use.
 * @throws UnsupportedRuntimeError where there is no microphone or no audio worklet to be had.
 * @throws InvalidArgumentError for a source that is none, or whose context is closed.
 */
export async function openInput({ source, deviceId, constraints, signal }: InputOptions): Promise<OpenInput> {
  if (typeof AudioBuffer !== "undefined" && source instanceof AudioBuffer) return { buffer: source };
  if (typeof AudioWorkletNode === "undefined") {
    throw new UnsupportedRuntimeError(
      "this page has no audio worklets; serve it over HTTPS or from localhost, or use a newer browser",
    );
  }
  if (source === undefined) {
    const stream = await openMicrophone(deviceId, constraints, signal);
    return openStream(stream, () => stopTracks(stream));
  }
  if (typeof MediaStream !== "undefined" && source instanceof MediaStream) {
    if (source.getAudioTracks().length === 0) {
      throw new InvalidArgumentError("the stream has no audio track; give one that has");
    }
    return openStream(source, () => {});
  }
  if (!(source instanceof AudioNode)) {
    throw new InvalidArgumentError(
      `source is ${describe(source)}; give a MediaStream, an AudioNode or an AudioBuffer, or leave it out for a microphone`,
    );
  }
  const { context } = source;
  if (context.state === "closed") {
    throw new InvalidArgumentError("the node's AudioContext is closed; give a node of one that runs");
  }
  return { context, node: source, onEnded() {}, close: async () => {} };
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

async function openMicrophone(
  deviceId: string | undefined,
  constraints: MediaTrackConstraints | undefined,
  signal: AbortSignal | undefined,
): Promise<MediaStream> {
  const { mediaDevices } = navigator;
  if (mediaDevices?.getUserMedia === undefined) {
    throw new UnsupportedRuntimeError(
      "this page cannot open a microphone; serve it over HTTPS or from localhost",
    );
  }
  let asked: Promise<MediaStream> | undefined;
  try {
    asked = mediaDevices.getUserMedia({
      audio: {
        channelCount: 1,
        ...constraints,
        ...(deviceId !== undefined && { deviceId: { exact: deviceId } }),
      },
    });
    return await orAborted(asked, signal);
  } catch (cause) {
    // What is allowed after that is stopped at once.
    if (signal?.aborted) {
      asked?.then(stopTracks, () => undefined);
      throw signal.reason;
    }
    const [code, message] = REFUSED[(cause as Error).name] ?? [
      "microphone-failed",
      `the microphone cannot be opened: ${(cause as Error).message}; try again`,
    ];
    throw new MicrophoneError(code, message, { cause });
  }
}

async function openStream(stream: MediaStream, stop: () => void): Promise<GraphInput> {
  // At the rate of the device: Firefox connects no stream of another, and resampling is the core's.
  let context: AudioContext;
  try {
    context = new AudioContext({ latencyHint: "balanced" });
  } catch (error) {
    stop();
    throw error;
  }
  const tracks = stream.getAudioTracks();
  const listeners: (() => void)[] = [];
  const ended = () => {
    for (const listener of listeners) listener();
  };
  for (const track of tracks) track.addEventListener("ended", ended);
  try {
    const node = context.createMediaStreamSource(stream);
    // Begun by hand where the page was not clicked yet; it stays suspended then, and the state says so.
    void context.resume().catch(() => undefined);
    return {
      context,
      node,
      onEnded(listener) {
        listeners.push(listener);
        // It may have ended while a model was loaded.
        if (tracks.some(({ readyState }) => readyState === "ended")) listener();
      },
      async close() {
        for (const track of tracks) track.removeEventListener("ended", ended);
        stop();
        if (context.state !== "closed") await context.close();
      },
    };
  } catch (error) {
    stop();
    await context.close();
    throw error;
  }
}
