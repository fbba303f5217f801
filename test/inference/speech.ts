import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { adapter } from "#adapter";
import { decodeAudio } from "../../src/audio/decode.ts";
import { monoReader } from "../../src/audio/resample.ts";
import type { Core } from "../../src/core/core.ts";
import { createCore } from "../../src/core/create-core.ts";
import { createFrontEnd } from "../../src/features/front-end.ts";
import type { Decoder } from "../../src/inference/decoder.ts";
import type { Encoder } from "../../src/inference/encoder.ts";
import type { Tensor } from "../../src/inference/tensor.ts";
import { findModel, type ModelFiles } from "../../src/models/model-files.ts";
import { readWhisperConfig, type WhisperConfig } from "../../src/models/whisper-config.ts";
import { loadTokenizer, type WhisperTokenizer } from "../../src/models/whisper-tokenizer.ts";
import { createBufferPool } from "../../src/pools/create-buffer-pool.ts";
import { realSpeechFolder } from "../reference/real-speech.ts";

const folder = realSpeechFolder();
/** A public recording of eleven seconds, where there is one. */
export const JFK = folder && [join(folder, "jfk.wav")].find((path) => existsSync(path));
if (!JFK) console.warn("SKIPPED: jfk.wav. Set WAVEPOOL_SPEECH to a folder that has it.");

/** A real model's files and what is read of them. */
export interface Model {
  core: Core;
  files: ModelFiles;
  config: WhisperConfig;
  tokenizer: WhisperTokenizer;
}

export async function openModel(name: string): Promise<Model> {
  const files = await findModel(name);
  const config = await readWhisperConfig(files);
  return {
    core: await createCore({ threads: false }),
    files,
    config,
    tokenizer: await loadTokenizer(files, config),
  };
}

/** The log-mel spectrogram of a sound file, padded to 30 s. */
export async function featuresOf({ core, config }: Model, path: string): Promise<Float32Array> {
  const frontEnd = createFrontEnd(core, { preset: config.preset });
  const reader = monoReader(core, await decodeAudio(await readFile(path)), 16000);
  const samples = new Float32Array(frontEnd.maxSamples);
  reader.read(samples, 0, Math.min(reader.length, samples.length));
  const shape = config.mels * frontEnd.frames(samples.length);
  const pool = createBufferPool(core, { name: "test_mel", dtype: "f32", shape, max: 1 });
  try {
    using mel = pool.acquire();
    frontEnd.compute(samples, mel.view, Math.min(reader.length, samples.length));
    return mel.view.slice();
  } finally {
    pool.shutdown();
  }
}

/** What {@link decodedTokens} gives of features, which are encoded first. */
export async function greedyTokens(
  model: Model,
  encoder: Encoder,
  decoder: Decoder,
  features: Float32Array,
): Promise<number[]> {
  const hiddenState = await encoder.encode(features);
  try {
    return await decodedTokens(model, decoder, hiddenState);
  } finally {
    hiddenState.release();
  }
}

/** The most likely tokens after English's prompt without timestamps, up to `most` or the end of the text. */
export async function decodedTokens(
  { tokenizer }: Model,
  decoder: Decoder,
  hiddenState: Tensor,
  most = 60,
): Promise<number[]> {
  const tokens: number[] = [];
  let { logits, cache } = await decoder.start(hiddenState, tokenizer.startTokens({ language: "en" }));
  try {
    while (tokens.length < most) {
      const row = logits.subarray(logits.length - decoder.vocabularySize);
      let best = 0;
      for (let id = 1; id < tokenizer.endOfText + 1; id++) if (row[id]! > row[best]!) best = id;
      tokens.push(best);
      if (best === tokenizer.endOfText) break;
      await adapter.nextTask();
      const next = await decoder.step(cache, best);
      cache.release();
      ({ logits, cache } = next);
    }
    return tokens;
  } finally {
    cache.release();
  }
}
