import { adapter } from "#adapter";
import { ModelFormatError } from "../core/errors.ts";
import type { PresetName } from "../features/presets.ts";
import type { ModelFiles } from "./model-files.ts";

/** What the pipeline needs to know of a Whisper model, from its JSON files. */
export interface WhisperConfig {
  /** Front end that the model was trained with. */
  preset: PresetName;
  mels: number;
  /** Width of the encoder's output. */
  width: number;
  decoderLayers: number;
  decoderHeads: number;
  vocabularySize: number;
  /** Longest token sequence of the decoder, prompt included. */
  maxTokens: number;
  /** Tokens never produced, and those not produced first. */
  suppress: readonly number[];
  suppressFirst: readonly number[];
}

/** Parses a JSON file of a model. */
export async function readJson(path: string): Promise<Record<string, unknown>> {
  const text = new TextDecoder().decode(await adapter.readFile(path));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ModelFormatError(`${path} is no JSON (${(cause as Error).message}); fetch the model again`, {
      cause,
    });
  }
}

/**
 * Reads config.json, generation_config.json and preprocessor_config.json of a Whisper export.
 *
 * @throws ModelFormatError when a file is broken or the model is no Whisper model.
 */
export async function readWhisperConfig(files: ModelFiles): Promise<WhisperConfig> {
  const config = await readJson(files.config);
  const preprocessor = await readJson(files.preprocessorConfig);
  // Older exports keep the generation settings in config.json.
  const generation = files.generationConfig ? await readJson(files.generationConfig) : {};
  if (config.model_type !== "whisper") {
    throw new ModelFormatError(
      `${files.config}: model_type is ${JSON.stringify(config.model_type)}; wavepool runs "whisper"`,
    );
  }
  const number = (source: Record<string, unknown>, path: string, key: string): number => {
    const value = source[key];
    if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
    throw new ModelFormatError(
      `${path}: ${key} is ${JSON.stringify(value)}, not a positive integer; fetch the model again`,
    );
  };
  const tokens = (key: string): readonly number[] => {
    const value = generation[key] ?? config[key] ?? [];
    if (Array.isArray(value) && value.every((id) => Number.isInteger(id))) return value;
    throw new ModelFormatError(
      `${files.generationConfig ?? files.config}: ${key} is no list of token ids; fetch the model again`,
    );
  };
  const mels = number(preprocessor, files.preprocessorConfig, "feature_size");
  if (mels !== 80 && mels !== 128) {
    throw new ModelFormatError(
      `${files.preprocessorConfig}: feature_size is ${mels}; wavepool computes 80 or 128 mels`,
    );
  }
  return {
    preset: `whisper-${mels}`,
    mels,
    width: number(config, files.config, "d_model"),
    decoderLayers: number(config, files.config, "decoder_layers"),
    decoderHeads: number(config, files.config, "decoder_attention_heads"),
    vocabularySize: number(config, files.config, "vocab_size"),
    maxTokens: number(config, files.config, "max_target_positions"),
    suppress: tokens("suppress_tokens"),
    suppressFirst: tokens("begin_suppress_tokens"),
  };
}
