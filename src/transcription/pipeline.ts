import type { Core } from "../core/core.ts";
import { createFrontEnd, type FrontEnd } from "../features/front-end.ts";
import { type Decoder, loadDecoder } from "../inference/decoder.ts";
import { type Encoder, loadEncoder } from "../inference/encoder.ts";
import {
  type PassedOver,
  type ProviderOptions,
  type ProviderReport,
  providerReport,
} from "../inference/providers.ts";
import type { ModelFiles } from "../models/model-files.ts";
import { readWhisperConfig, type WhisperConfig } from "../models/whisper-config.ts";
import { loadTokenizer, type WhisperTokenizer } from "../models/whisper-tokenizer.ts";
import type { BufferPool } from "../pools/buffer-pool.ts";
import { createBufferPool } from "../pools/create-buffer-pool.ts";
import type { VoiceDetector } from "../voice/silero.ts";
import { createTurns, type Turns } from "./turns.ts";

/** Calls that have buffers at once; further ones wait for theirs. */
export const CALLS = 4;

/** A loaded model with everything that its calls share. */
export interface Pipeline {
  readonly core: Core;
  readonly model: ModelFiles;
  readonly config: WhisperConfig;
  readonly tokenizer: WhisperTokenizer;
  readonly frontEnd: FrontEnd;
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  /** Samples of a window. */
  readonly audio: BufferPool<"f32">;
  /** Its log-mel [mels × 3000]. */
  readonly mel: BufferPool<"f32">;
  /** The sessions, one window at a time: calls that overlap take turns. */
  readonly turns: Turns;
  /** Voice detectors that no call uses by now. */
  readonly voices: VoiceDetector[];
  /** What runs encoder and decoder now, and why nothing better. */
  readonly providers: () => ProviderReport;
}

/**
 * Reads a model's configuration, then its weights.
 *
 * @param check called with the tokenizer before the weights load, so that a wrong language is told early
 */
export async function loadPipeline(
  core: Core,
  model: ModelFiles,
  options: {
    check: (tokenizer: WhisperTokenizer) => void;
    onLoading?: (() => void) | undefined;
    /** Providers to try, in order, and threads. */
    providers?: ProviderOptions["providers"] | undefined;
    threads?: number | undefined;
  },
): Promise<Pipeline> {
  const config = await readWhisperConfig(model);
  const tokenizer = await loadTokenizer(model, config);
  options.check(tokenizer);
  const frontEnd = createFrontEnd(core, { preset: config.preset });
  const { maxSamples } = frontEnd;
  const audio = createBufferPool(core, { name: "audio", dtype: "f32", shape: maxSamples, max: CALLS });
  const mel = createBufferPool(core, {
    name: "mel",
    dtype: "f32",
    shape: config.mels * frontEnd.frames(maxSamples),
    max: CALLS,
  });
  options.onLoading?.();
  const passedOver: PassedOver[] = [];
  const graphOptions = {
    ...(options.providers !== undefined && { providers: options.providers }),
    ...(options.threads !== undefined && { threads: options.threads }),
    onPassedOver: (passed: PassedOver) => void passedOver.push(passed),
  };
  const encoder = await loadEncoder(model.encoder, config, graphOptions);
  try {
    const decoder = await loadDecoder(core, model.decoder, config, graphOptions);
    return {
      core,
      model,
      config,
      tokenizer,
      frontEnd,
      audio,
      mel,
      encoder,
      decoder,
      turns: createTurns(),
      voices: [],
      providers: () => providerReport(encoder.session, decoder.session, passedOver),
    };
  } catch (error) {
    await encoder.release();
    throw error;
  }
}

/** Gives the model back. */
export async function releasePipeline({ encoder, decoder, voices }: Pipeline): Promise<void> {
  await Promise.all([encoder.release(), decoder.release(), ...voices.map((voice) => voice.release())]);
}
