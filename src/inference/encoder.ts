import { InferenceError, ModelFormatError, messageOf } from "../core/errors.ts";
import type { WhisperConfig } from "../models/whisper-config.ts";
import { flexibleEncoder } from "./graph/flexible-encoder.ts";
import { type GraphFiles, readGraphFiles } from "./graph-files.ts";
import { loadInOrder } from "./load-in-order.ts";
import { type CreateSessionOptions, createSession } from "./providers.ts";
import type { Session } from "./session.ts";
import type { Tensor } from "./tensor.ts";

/** How to load one of a model's graphs. */
export interface GraphOptions extends Partial<Omit<CreateSessionOptions, "graph" | "path">>, GraphFiles {}

/** Frames of Whisper's window of 30 s. */
export const WINDOW_FRAMES = 3000;

/** Frames of the windows that are taken where sizes are fixed before a run: 10, 20 and 30 s. */
const FIXED_FRAMES = [1000, 2000, WINDOW_FRAMES] as const;

/** Whisper's encoder. */
export interface Encoder {
  /** What runs windows of 30 s, now. */
  readonly session: Pick<Session, "provider">;
  /** Whether a run leaves the calling thread free, to decode meanwhile. */
  readonly beside: boolean;
  /** Whether windows may be shorter than 30 s. */
  readonly flexible: boolean;
  /** Frames of the windows that it takes, rising, where it takes no others, as on WebNN; undefined elsewhere. */
  readonly lengths: readonly number[] | undefined;
  /**
   * Encodes a window.
   *
   * @param features [mels × frames] float32, a pooled view of exactly that length; 3000 frames unless it is flexible, and
   * one of `lengths` where there are such
   * @returns the last hidden state [1, frames / 2, width], the caller's to release.
   * @throws InferenceError when the provider fails.
   */
  encode(features: Float32Array): Promise<Tensor>;
  release(): Promise<void>;
}

/**
 * Loads the encoder of a Whisper export. Its attentions are never fetched. On WebNN, which takes fixed sizes only, there is a
 * session for each of a few lengths of windows, made when the first such window comes; elsewhere one takes all. When its
 * provider fails in a run, it moves to the next one, once, and the run is repeated there.
 *
 * @throws ModelFormatError when the file is broken or has other inputs or outputs.
 */
export function loadEncoder(path: string, config: WhisperConfig, given: GraphOptions = {}): Promise<Encoder> {
  return loadInOrder("encoder", given, {
    fixed: (options) => loadFixed(path, config, options),
    free: (options) => loadFree(path, config, options),
    rest: (options) => loadEncoder(path, config, options),
    movable: movableEncoder,
  });
}

/** An encoder that moves to another provider, once, when its own fails. */
export function movableEncoder(first: Encoder, move: (cause: InferenceError) => Promise<Encoder>): Encoder {
  let current = first;
  let moving: Promise<Encoder> | undefined;
  return {
    get session() {
      return current.session;
    },
    get beside() {
      return current.beside;
    },
    get flexible() {
      return current.flexible;
    },
    get lengths() {
      return current.lengths;
    },
    async encode(features) {
      if (moving) return (await moving).encode(features);
      try {
        return await first.encode(features);
      } catch (cause) {
        if (!(cause instanceof InferenceError)) throw cause;
        moving ??= move(cause);
        try {
          current = await moving;
        } catch {
          // No other provider takes it either, which is reported: the failure itself tells most.
          moving = undefined;
          throw cause;
        }
        return current.encode(features);
      }
    },
    async release() {
      const moved = await moving?.catch(() => undefined);
      await moved?.release();
      try {
        await first.release();
      } catch (error) {
        // What moved away from its provider may have lost all that there was to release.
        if (!moved) throw error;
      }
    },
  };
}

/** One session for windows of any length. */
async function loadFree(path: string, config: WhisperConfig, options: GraphOptions): Promise<Encoder> {
  const { session, flexible } = await openSession(path, config, WINDOW_FRAMES, options);
  return {
    session,
    get beside() {
      // Runs of onnxruntime-web block the thread or, on devices, stand in one queue with the decoder's.
      return session.provider === "native";
    },
    flexible,
    lengths: undefined,
    encode: (features) => encode(session, config, features),
    release: () => session.release(),
  };
}

/** A session for each length, that of 30 s at once. */
async function loadFixed(path: string, config: WhisperConfig, options: GraphOptions): Promise<Encoder> {
  const { session, flexible } = await openSession(path, config, WINDOW_FRAMES, options);
  const sessions = new Map([[WINDOW_FRAMES, Promise.resolve(session)]]);
  return {
    session,
    beside: false,
    flexible,
    lengths: flexible ? FIXED_FRAMES : [WINDOW_FRAMES],
    async encode(features) {
      const frames = features.length / config.mels;
      const made =
        sessions.get(frames) ??
        openSession(path, config, frames, options).then(
          (opened) => opened.session,
          (cause) => {
            sessions.delete(frames);
            throw new InferenceError(`the encoder for ${frames} frames does not load (${messageOf(cause)})`, {
              cause,
            });
          },
        );
      sessions.set(frames, made);
      return encode(await made, config, features);
    },
    async release() {
      for (const opened of await Promise.allSettled(sessions.values())) {
        if (opened.status === "fulfilled") await opened.value.release();
      }
    },
  };
}

async function openSession(
  path: string,
  { mels }: WhisperConfig,
  frames: number,
  options: GraphOptions,
): Promise<{ session: Session; flexible: boolean }> {
  const { bytes, externalData, ...rest } = options;
  let flexible = false;
  const edited = async () => {
    const files = await readGraphFiles(path, { bytes, externalData });
    const result = flexibleEncoder(files.bytes, path);
    flexible = result.flexible;
    return { ...files, bytes: result.bytes };
  };
  const session = await createSession(edited, {
    shapes: { input_features: [1, mels, frames] },
    ...rest,
    graph: "encoder",
    path,
  });
  const refuse = async (why: string): Promise<never> => {
    await session.release();
    throw new ModelFormatError(`${path} ${why}; check that all files are of one model`);
  };
  const input = session.inputs.find(({ name }) => name === "input_features");
  if (!input || !session.outputs.some(({ name }) => name === "last_hidden_state")) {
    return refuse("is no Whisper encoder");
  }
  const expected = input.dims[1];
  if (typeof expected === "number" && expected !== mels) {
    return refuse(`takes ${expected} mels, but the model's preprocessor_config.json says ${mels}`);
  }
  return { session, flexible };
}

async function encode(session: Session, { mels }: WhisperConfig, features: Float32Array): Promise<Tensor> {
  const input = session.tensor("float32", features, [1, mels, features.length / mels]);
  const { last_hidden_state } = await session.run({ input_features: input }, ["last_hidden_state"]);
  return last_hidden_state!;
}
