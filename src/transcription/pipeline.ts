import type { Core } from "../core/core.ts";
import { createFrontEnd, type FrontEnd } from "../features/front-end.ts";
import { type Decoder, loadDecoder } from "../inference/decoder.ts";
import { type Encoder, loadEncoder, WINDOW_FRAMES } from "../inference/encoder.ts";
import {
  type PassedOver,
  type ProviderOptions,
  type ProviderReport,
  providerReport,
} from "../inference/providers.ts";
import { createSilenceTail, type SilenceTail } from "../inference/silence-tail.ts";
import { startEncoderThread } from "../inference/threaded-encoder.ts";
import { warmUp } from "../inference/warm-up.ts";
import type { ModelFiles } from "../models/model-files.ts";
import { readWhisperConfig, type WhisperConfig } from "../models/whisper-config.ts";
import { loadTokenizer, type WhisperTokenizer } from "../models/whisper-tokenizer.ts";
import type { BufferPool } from "../pools/buffer-pool.ts";
import { createBufferPool } from "../pools/create-buffer-pool.ts";
import { takesTail } from "./context.ts";
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
  /** The decoder, and the encoder where it runs beside it: one window at a time, calls that overlap take turns. */
  readonly turns: { readonly encoder: Turns; readonly decoder: Turns };
  /** What is put behind the encoder's output for short windows. */
  readonly tail: SilenceTail | undefined;
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
    /** Whether the sessions run once before the first call. */
    warm: boolean;
    /** Whether the decoder's embedding is unpacked at load. */
    fast: boolean;
    /** Whether the encoder gets a thread of its own. */
    encoderThread: boolean;
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
  const passedOver: PassedOver[] = [];
  const graphOptions = {
    ...(options.providers !== undefined && { providers: options.providers }),
    ...(options.threads !== undefined && { threads: options.threads }),
    onPassedOver: (passed: PassedOver) => void passedOver.push(passed),
  };
  const encoderOptions = { ...graphOptions, externalData: model.externalData.encoder };
  let encoder: Encoder | undefined;
  let decoder: Decoder | undefined;
  try {
    options.onLoading?.();
    encoder = options.encoderThread
      ? await startEncoderThread(core, model.encoder, config, { ...encoderOptions, windows: CALLS })
      : await loadEncoder(model.encoder, config, encoderOptions);
    decoder = await loadDecoder(core, model.decoder, config, {
      ...graphOptions,
      externalData: model.externalData.decoder,
      fast: options.fast,
    });
    const parts = { core, config, frontEnd, audio, mel, encoder, decoder };
    const tail = options.warm ? await warm(parts) : undefined;
    return {
      ...parts,
      model,
      tokenizer,
      tail,
      turns: { encoder: createTurns(), decoder: createTurns() },
      providers: () => providerReport(parts.encoder.session, parts.decoder.session, passedOver),
    };
  } catch (error) {
    await Promise.all([encoder?.release(), decoder?.release()]);
    audio.shutdown();
    mel.shutdown();
    throw error;
  }
}

/** Frames of a window that warms the sessions up. */
const WARM_FRAMES = 200;

/** Runs the sessions once, and makes the silence tail where it is of use. */
async function warm(
  parts: Pick<Pipeline, "core" | "config" | "frontEnd" | "audio" | "mel" | "encoder" | "decoder">,
): Promise<SilenceTail | undefined> {
  const { core, config, frontEnd, encoder, decoder } = parts;
  await warmUp(encoder, decoder, config, encoder.flexible ? WARM_FRAMES : WINDOW_FRAMES);
  if (!encoder.flexible || !takesTail(config)) return undefined;
  using samples = parts.audio.acquire();
  using mel = parts.mel.acquire();
  return createSilenceTail(core, encoder, frontEnd, config, {
    samples: samples.view,
    mel: mel.view,
    windows: CALLS,
  });
}

/** Gives the model back. */
export async function releasePipeline({ encoder, decoder, tail, audio, mel }: Pipeline): Promise<void> {
  tail?.release();
  await Promise.all([encoder.release(), decoder.release()]);
  audio.shutdown();
  mel.shutdown();
}
