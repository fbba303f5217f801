import { startThread } from "#threads";
import type { Core } from "../core/core.ts";
import { InferenceError, InvalidArgumentError, ModelFormatError } from "../core/errors.ts";
import { settleable } from "../core/settleable.ts";
import type { WhisperConfig } from "../models/whisper-config.ts";
import { createBufferPool } from "../pools/create-buffer-pool.ts";
import type { Lease } from "../pools/lease.ts";
import { type Encoder, type GraphOptions, WINDOW_FRAMES } from "./encoder.ts";
import type { PassedOver } from "./providers.ts";
import type { ProviderName } from "./session.ts";
import { callersTensor } from "./tensor.ts";

/** What the thread is started with. */
export interface EncoderThreadData {
  readonly path: string;
  readonly config: WhisperConfig;
  readonly options: Pick<GraphOptions, "providers" | "threads" | "externalData">;
}

/** What the thread is told. */
export type EncoderThreadRequest =
  | {
      readonly type: "encode";
      readonly id: number;
      /** [mels × frames], and room for the output, both in memory that the threads share. */
      readonly features: Float32Array;
      readonly states: Float32Array;
    }
  | { readonly type: "close" };

/** What the thread tells. */
export type EncoderThreadReply =
  | { type: "ready"; provider: ProviderName; flexible: boolean; lengths: readonly number[] | undefined }
  | { type: "refused"; message: string }
  | { type: "passed over"; passed: PassedOver }
  | { type: "encoded"; id: number; positions: number; provider: ProviderName }
  | { type: "failed"; id: number; message: string }
  | { type: "closed" };

type Ready = Extract<EncoderThreadReply, { type: "ready" }>;

/** How to start an encoder in a thread. */
export interface ThreadedEncoderOptions extends GraphOptions {
  /** Windows that are on their way at once, at most. */
  readonly windows: number;
  /** What starts the thread; default the runtime's adapter. */
  readonly start?: typeof startThread;
}

/** The thread died under a window. */
class EncoderLostError extends InferenceError {}
/** Threads that a window may have. */
const ATTEMPTS = 2;

/** A thread with an encoder loaded. */
interface EncoderThread {
  readonly ready: Ready;
  /** Provider that ran last. */
  provider(): ProviderName;
  /** Encodes into `states`; resolves with the positions. */
  run(features: Float32Array, states: Float32Array): Promise<number>;
  end(): Promise<void>;
}

/**
 * Loads an encoder into a thread of its own, so that it encodes one window while this thread decodes another. Features are read
 * from where they lie in the core's memory; the output comes into a buffer of the pool "encoder_output" there. When a
 * thread dies, another one encodes the windows that it had, once: what dies again fails.
 *
 * @param core one whose memory threads share
 * @throws InvalidArgumentError when its memory is not shared.
 * @throws ModelFormatError when the thread cannot load the encoder, with its reason.
 * @throws UnsupportedRuntimeError where the runtime starts no such thread.
 */
export async function startEncoderThread(
  core: Core,
  path: string,
  config: WhisperConfig,
  options: ThreadedEncoderOptions,
): Promise<Encoder> {
  const { buffer } = core;
  if (!(typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer)) {
    throw new InvalidArgumentError(
      "the encoder's thread needs a core whose memory is shared; create it with threads: true",
    );
  }
  const pool = createBufferPool(core, {
    name: "encoder_output",
    dtype: "f32",
    shape: (WINDOW_FRAMES / 2) * config.width,
    max: options.windows,
  });
  let current: Promise<EncoderThread> | undefined;
  function open(): Promise<EncoderThread> {
    const forget = () => {
      if (current === made) current = undefined;
    };
    const made = openThread(path, config, options, forget);
    made.catch(forget);
    return made;
  }
  let opened: EncoderThread;
  try {
    current = open();
    opened = await current;
  } catch (error) {
    pool.shutdown();
    throw error;
  }
  const { ready } = opened;
  let latest = opened.provider;

  async function run(features: Float32Array, states: Float32Array): Promise<number> {
    for (let attempt = 0; ; attempt++) {
      current ??= open();
      const thread = await current;
      latest = thread.provider;
      try {
        return await thread.run(features, states);
      } catch (error) {
        if (!(error instanceof EncoderLostError) || attempt === ATTEMPTS - 1) throw error;
      }
    }
  }

  return {
    session: {
      get provider() {
        return latest();
      },
    },
    beside: true,
    flexible: ready.flexible,
    lengths: ready.lengths,
    async encode(features) {
      const states = pool.acquire();
      try {
        const positions = await run(features, states.view);
        const view = states.view.subarray(0, positions * config.width);
        let held: Lease<"f32"> | undefined = states;
        return {
          ...callersTensor("float32", view, [1, positions, config.width]),
          release() {
            held?.release();
            held = undefined;
          },
        };
      } catch (error) {
        states.release();
        throw error;
      }
    },
    async release() {
      const thread = await current?.catch(() => undefined);
      await thread?.end();
      pool.shutdown();
    },
  };
}

/** Starts a thread and waits until its encoder is loaded. */
async function openThread(
  path: string,
  config: WhisperConfig,
  options: ThreadedEncoderOptions,
  onLost: () => void,
): Promise<EncoderThread> {
  const { start = startThread, providers, threads, externalData, onPassedOver } = options;
  const waiting = new Map<number, { resolve(positions: number): void; reject(error: Error): void }>();
  let nextId = 0;
  let lost: Error | undefined;
  let provider: ProviderName = "wasm";
  const loaded = settleable<Ready>();
  const closed = settleable<void>();

  function hear(reply: EncoderThreadReply): void {
    if (reply.type === "ready") loaded.resolve(reply);
    else if (reply.type === "refused") loaded.reject(new ModelFormatError(reply.message));
    else if (reply.type === "passed over") onPassedOver?.(reply.passed);
    else if (reply.type === "closed") closed.resolve();
    else {
      const asker = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (reply.type === "failed") asker?.reject(new InferenceError(reply.message));
      else {
        provider = reply.provider;
        asker?.resolve(reply.positions);
      }
    }
  }

  function lose(reason: string): void {
    lost = new EncoderLostError(`the encoder's thread ended (${reason}); transcribe again`);
    loaded.reject(lost);
    for (const { reject } of waiting.values()) reject(lost);
    waiting.clear();
    closed.resolve();
    onLost();
  }

  const data: EncoderThreadData = {
    path,
    config,
    options: {
      ...(providers !== undefined && { providers }),
      ...(threads !== undefined && { threads }),
      ...(externalData !== undefined && { externalData }),
    },
  };
  const thread = start("encoder-thread", data, {
    message: (message) => hear(message as EncoderThreadReply),
    lost: lose,
  });
  try {
    const ready = await loaded.promise;
    provider = ready.provider;
    return {
      ready,
      provider: () => provider,
      run(features, states) {
        if (lost) return Promise.reject(lost);
        return new Promise((resolve, reject) => {
          const id = nextId++;
          waiting.set(id, { resolve, reject });
          thread.post({ type: "encode", id, features, states } satisfies EncoderThreadRequest);
        });
      },
      async end() {
        if (lost) return;
        thread.post({ type: "close" } satisfies EncoderThreadRequest);
        await closed.promise;
        await thread.terminate(true);
      },
    };
  } catch (error) {
    await thread.terminate();
    throw error;
  }
}
