import * as ort from "#onnxruntime";
import { ModelFormatError } from "../core/errors.ts";
import { createSession, runSession } from "./session.ts";

/** Whisper's encoder. */
export interface Encoder {
  /**
   * Encodes one 30 s window.
   *
   * @param features [mels × frames] float32, a pooled view of exactly that length
   * @returns the last hidden state [1, frames / 2, width]; attentions are never fetched.
   */
  encode(features: Float32Array): Promise<ort.Tensor>;
  dispose(): Promise<void>;
}

/**
 * Loads the encoder of a Whisper export.
 *
 * @param mels rows of the features
 *
 * @throws ModelFormatError when the file is broken or has other inputs or outputs.
 * @throws InferenceError from `encode` when onnxruntime-web fails.
 */
export async function loadEncoder(path: string, mels: number): Promise<Encoder> {
  const session = await createSession(path);
  const refuse = async (why: string): Promise<never> => {
    await session.release();
    throw new ModelFormatError(`${path} ${why}; check that all files are of one model`);
  };
  if (!session.inputNames.includes("input_features") || !session.outputNames.includes("last_hidden_state")) {
    await refuse("is no Whisper encoder");
  }
  const input = session.inputMetadata.find(({ name }) => name === "input_features");
  const expected = input?.isTensor ? input.shape[1] : undefined;
  if (typeof expected === "number" && expected !== mels) {
    await refuse(`takes ${expected} mels, but the model's preprocessor_config.json says ${mels}`);
  }
  return {
    async encode(features) {
      const input = new ort.Tensor("float32", features, [1, mels, features.length / mels]);
      const outputs = await runSession(session, "encoder", { input_features: input }, ["last_hidden_state"]);
      return outputs.last_hidden_state!;
    },
    dispose: () => session.release(),
  };
}
