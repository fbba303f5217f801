import * as ort from "onnxruntime-web";
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
  encode(features: Float32Array, mels: number): Promise<ort.Tensor>;
  dispose(): Promise<void>;
}

/**
 * Loads the encoder of a Whisper export.
 *
 * @throws ModelFormatError when the file is broken or has other inputs or outputs.
 */
export async function loadEncoder(path: string): Promise<Encoder> {
  const session = await createSession(path);
  if (!session.inputNames.includes("input_features") || !session.outputNames.includes("last_hidden_state")) {
    await session.release();
    throw new ModelFormatError(
      `${path} is no Whisper encoder: inputs ${session.inputNames.join(", ")}; check the model`,
    );
  }
  return {
    async encode(features, mels) {
      const input = new ort.Tensor("float32", features, [1, mels, features.length / mels]);
      const outputs = await runSession(session, "encoder", { input_features: input }, ["last_hidden_state"]);
      return outputs.last_hidden_state!;
    },
    dispose: () => session.release(),
  };
}
