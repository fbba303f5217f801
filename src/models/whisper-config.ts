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
  /** Ids of the tokens that begin and end a text. */
  startToken: number;
  endToken: number;
  /** Tokens never produced, and those not produced first. */
  suppress: readonly number[];
  suppressFirst: readonly number[];
  /** Whether the model was trained on languages and tasks other than transcribing English. */
  multilingual: boolean;
  /** [layer, head] of the decoder's cross-attentions that follow the sound, for word times. */
  alignmentHeads: readonly (readonly [number, number])[];
}

/**
 * Parses a JSON file of a model.
 *
 * @throws ModelFormatError when it is no JSON object.
 */
export async function readJson(path: string): Promise<Record<string, unknown>> {
  const text = new TextDecoder().decode(await adapter.readFile(path));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ModelFormatError(`${path} is no JSON (${(cause as Error).message}); fetch the model again`, {
      cause,
    });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new ModelFormatError(`${path} holds no JSON object; fetch the model again`);
}

/** What Whisper's front end always is; a model that was trained otherwise would hear noise. */
const FRONT_END = { sampling_rate: 16000, n_fft: 400, hop_length: 160 };
/** Far above every published model; beyond it a file is broken. */
const MAX_VOCABULARY = 1_000_000;
const MAX_WIDTH = 65_536;
const MIN_TOKENS = 32;
const MAX_TOKENS = 65_536;
/** From this size on a vocabulary is multilingual, unless the export says so itself (openai/whisper `model.py`, `is_multilingual`). */
const MULTILINGUAL_VOCABULARY = 51_865;

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
  const number = (key: string, least: number, most: number, path = files.config, source = config): number => {
    const value = source[key];
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new ModelFormatError(
      `${path}: ${key} is ${JSON.stringify(value)}, not an integer from ${least} to ${most}; fetch the model again`,
    );
  };
  const tokens = (key: string): readonly number[] => {
    const value = generation[key] ?? config[key] ?? [];
    if (Array.isArray(value) && value.every((id) => Number.isInteger(id))) return value;
    throw new ModelFormatError(
      `${files.generationConfig ?? files.config}: ${key} is no list of token ids; fetch the model again`,
    );
  };
  for (const [key, expected] of Object.entries(FRONT_END)) {
    if (preprocessor[key] !== undefined && preprocessor[key] !== expected) {
      throw new ModelFormatError(
        `${files.preprocessorConfig}: ${key} is ${JSON.stringify(preprocessor[key])}; wavepool computes ${expected}`,
      );
    }
  }
  const mels = number("feature_size", 1, 1000, files.preprocessorConfig, preprocessor);
  if (mels !== 80 && mels !== 128) {
    throw new ModelFormatError(
      `${files.preprocessorConfig}: feature_size is ${mels}; wavepool computes 80 or 128 mels`,
    );
  }
  if (config.num_mel_bins !== undefined && config.num_mel_bins !== mels) {
    throw new ModelFormatError(
      `${files.preprocessorConfig} says ${mels} mels, ${files.config} ${JSON.stringify(config.num_mel_bins)}; check that all files are of one model`,
    );
  }
  const width = number("d_model", 1, MAX_WIDTH);
  const decoderHeads = number("decoder_attention_heads", 1, width);
  if (width % decoderHeads !== 0) {
    throw new ModelFormatError(
      `${files.config}: d_model ${width} does not divide into ${decoderHeads} decoder_attention_heads; fetch the model again`,
    );
  }
  const decoderLayers = number("decoder_layers", 1, 1000);
  const vocabularySize = number("vocab_size", 1, MAX_VOCABULARY);
  const alignmentHeads = readAlignmentHeads(generation.alignment_heads, decoderLayers, decoderHeads);
  if (!alignmentHeads) {
    throw new ModelFormatError(
      `${files.generationConfig}: alignment_heads is no list of [layer, head] within ${decoderLayers} layers of ${decoderHeads}; fetch the model again`,
    );
  }
  return {
    preset: `whisper-${mels}`,
    mels,
    width,
    decoderLayers,
    decoderHeads,
    vocabularySize,
    maxTokens: number("max_target_positions", MIN_TOKENS, MAX_TOKENS),
    startToken: number("decoder_start_token_id", 0, MAX_VOCABULARY),
    endToken: number("eos_token_id", 0, MAX_VOCABULARY),
    suppress: tokens("suppress_tokens"),
    suppressFirst: tokens("begin_suppress_tokens"),
    multilingual:
      typeof generation.is_multilingual === "boolean"
        ? generation.is_multilingual
        : vocabularySize >= MULTILINGUAL_VOCABULARY,
    alignmentHeads,
  };
}

/** Without a list, all heads of the upper half of the layers (openai/whisper `model.py`); undefined for a broken one. */
function readAlignmentHeads(value: unknown, layers: number, heads: number): [number, number][] | undefined {
  if (value === undefined || value === null) {
    const upper = Array.from(
      { length: layers - Math.floor(layers / 2) },
      (_, i) => Math.floor(layers / 2) + i,
    );
    return upper.flatMap((layer) =>
      Array.from({ length: heads }, (_, head): [number, number] => [layer, head]),
    );
  }
  const below = (index: unknown, end: number) =>
    Number.isInteger(index) && Number(index) >= 0 && Number(index) < end;
  const isHead = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 && below(pair[0], layers) && below(pair[1], heads);
  return Array.isArray(value) && value.length > 0 && value.every(isHead) ? value : undefined;
}
