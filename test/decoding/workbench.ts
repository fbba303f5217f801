import { decodeAudio } from "../../src/audio/decode.ts";
import type { PcmAudio } from "../../src/audio/pcm.ts";
import { monoReader } from "../../src/audio/resample.ts";
import { createCore } from "../../src/core/create-core.ts";
import { createFrontEnd } from "../../src/features/front-end.ts";
import { type Decoder, loadDecoder } from "../../src/inference/decoder.ts";
import { loadEncoder } from "../../src/inference/encoder.ts";
import type { KvCache } from "../../src/inference/kv-cache.ts";
import type { Tensor } from "../../src/inference/tensor.ts";
import { findModel } from "../../src/models/model-files.ts";
import { readWhisperConfig, type WhisperConfig } from "../../src/models/whisper-config.ts";
import { loadTokenizer, type WhisperTokenizer } from "../../src/models/whisper-tokenizer.ts";
import { createBufferPool } from "../../src/pools/create-buffer-pool.ts";

/** Real weights, and what decoding takes. */
export interface Workbench {
  config: WhisperConfig;
  tokenizer: WhisperTokenizer;
  decoder: Decoder;
  /** Encodes the first 30 s of a sound; the caller releases it. */
  encode(sound: Uint8Array | PcmAudio): Promise<Tensor & { seconds: number }>;
  release(): Promise<void>;
}

export async function createWorkbench(name: string): Promise<Workbench> {
  const files = await findModel(name);
  const config = await readWhisperConfig(files);
  const tokenizer = await loadTokenizer(files, config);
  const core = await createCore({ threads: false });
  const frontEnd = createFrontEnd(core, { preset: config.preset });
  const { maxSamples } = frontEnd;
  const audio = createBufferPool(core, { name: "audio", dtype: "f32", shape: maxSamples, max: 1 });
  const shape = config.mels * frontEnd.frames(maxSamples);
  const mel = createBufferPool(core, { name: "mel", dtype: "f32", shape, max: 1 });
  // Two files are tested at a time, on two cores: more threads would wait for each other.
  const encoder = await loadEncoder(files.encoder, config, { threads: 1 });
  const decoder = await loadDecoder(core, files.decoder, config, { threads: 1 });
  return {
    config,
    tokenizer,
    decoder,
    async encode(sound) {
      const pcm = sound instanceof Uint8Array ? await decodeAudio(sound) : sound;
      const reader = monoReader(core, pcm, frontEnd.description.sampleRate);
      const count = Math.min(reader.length, maxSamples);
      using samples = audio.acquire();
      using features = mel.acquire();
      reader.read(samples.view, 0, count);
      frontEnd.compute(samples.view, features.view, count);
      const hidden = await encoder.encode(features.view);
      return Object.assign(hidden, { seconds: count / 16000 });
    },
    async release() {
      await encoder.release();
      await decoder.release();
    },
  };
}

/** A decoder that counts the references to its caches that are not given back. */
export function countingCaches(decoder: Decoder): Decoder & { held: () => number; made: () => number } {
  let held = 0;
  let made = 0;
  const count = (cache: KvCache): KvCache => {
    const { retain, release } = cache;
    let own = 1;
    held++;
    made++;
    cache.retain = () => {
      held++;
      own++;
      return retain();
    };
    cache.release = () => {
      if (own-- < 1) throw new Error("a cache was released too often");
      held--;
      release();
    };
    return cache;
  };
  return {
    ...decoder,
    held: () => held,
    made: () => made,
    async start(hiddenState, tokens) {
      const step = await decoder.start(hiddenState, tokens);
      return { ...step, cache: count(step.cache) };
    },
    async step(cache, token) {
      const step = await decoder.step(cache, token);
      return { ...step, cache: count(step.cache) };
    },
  };
}
