import { adapter } from "#adapter";
import { ModelFormatError } from "../core/errors.ts";
import type { WhisperConfig } from "../models/whisper-config.ts";
import { flexibleEncoder } from "./graph/flexible-encoder.ts";
import { type CreateSessionOptions, createSession } from "./providers.ts";
import type { Session } from "./session.ts";
import type { Tensor } from "./tensor.ts";

/** How to load one of a model's graphs. */
export interface GraphOptions extends Partial<Omit<CreateSessionOptions, "graph" | "path">> {
  /**
   * The graph, where it was read or edited before, or what reads it, which a move to another provider calls
   * again; by default the file under `path`.
   */
  readonly bytes?: Uint8Array | (() => Promise<Uint8Array>);
}

/** Frames of Whisper's window of 30 s. */
export const WINDOW_FRAMES = 3000;

/** Whisper's encoder. */
export interface Encoder {
  readonly session: Session;
  /** Whether windows may be shorter than 30 s: the graph takes them, and so does the provider. */
  readonly flexible: boolean;
  /** Frames of every window where the provider takes no others, as WebNN does; undefined elsewhere. */
  readonly frames: number | undefined;
  /**
   * Encodes a window.
   *
   * @param features [mels × frames] float32, a pooled view of exactly that length; 3000 frames unless it is flexible
   * @returns the last hidden state [1, frames / 2, width], the caller's to release.
   * @throws InferenceError when the provider fails.
   */
  encode(features: Float32Array): Promise<Tensor>;
  release(): Promise<void>;
}

/**
 * Loads the encoder of a Whisper export. Its attentions are never fetched.
 *
 * @throws ModelFormatError when the file is broken or has other inputs or outputs.
 */
export async function loadEncoder(
  path: string,
  config: WhisperConfig,
  options: GraphOptions = {},
): Promise<Encoder> {
  const { mels } = config;
  const { bytes: given = () => adapter.readFile(path), ...rest } = options;
  let flexible = false;
  const edited = async () => {
    const result = flexibleEncoder(typeof given === "function" ? await given() : given, path);
    flexible = result.flexible;
    return result.bytes;
  };
  const session = await createSession(edited, {
    shapes: { input_features: [1, mels, WINDOW_FRAMES] },
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
  const fixedFrames = () => {
    const frames = session.inputs.find(({ name }) => name === "input_features")?.dims[2];
    return typeof frames === "number" ? frames : undefined;
  };
  return {
    session,
    get flexible() {
      return flexible && fixedFrames() === undefined;
    },
    get frames() {
      return fixedFrames();
    },
    async encode(features) {
      const input = session.tensor("float32", features, [1, mels, features.length / mels]);
      const { last_hidden_state } = await session.run({ input_features: input }, ["last_hidden_state"]);
      return last_hidden_state!;
    },
    release: () => session.release(),
  };
}
