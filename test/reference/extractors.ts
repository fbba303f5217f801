import { expect } from "vitest";
import {
  type PooledFeatureExtractorOptions,
  type PooledFeatures,
  pooledFeatureExtractor,
} from "../../src/transformers.ts";
import type { PeerExtractor, PeerTensor } from "./peer.ts";

/** Settings of published models. */
export const WHISPER = {
  feature_extractor_type: "WhisperFeatureExtractor",
  chunk_length: 30,
  feature_size: 80,
  hop_length: 160,
  n_fft: 400,
  n_samples: 480000,
  nb_max_frames: 3000,
  sampling_rate: 16000,
};
export const PARAKEET = {
  feature_extractor_type: "ParakeetFeatureExtractor",
  feature_size: 80,
  hop_length: 160,
  n_fft: 512,
  preemphasis: 0.97,
  sampling_rate: 16000,
  win_length: 400,
};
export const SEAMLESS = { num_mel_bins: 80, padding_value: 1, sampling_rate: 16000, stride: 2 };
export const WESPEAKER = {
  num_mel_bins: 80,
  sampling_rate: 16000,
  min_num_frames: 9,
  fbank_centering_span: null,
};
export const AST = {
  do_normalize: true,
  max_length: 1024,
  mean: -4.2677393,
  num_mel_bins: 128,
  sampling_rate: 16000,
  std: 4.5689974,
};
export const RAW = { do_normalize: true, sampling_rate: 16000 };

export type Results = Record<string, PeerTensor>;
export type Pooled = PeerExtractor & PooledFeatures;

const made: Pooled[] = [];

/** Pools an extractor, to be closed by {@link closeAll}. */
export async function pooledOf(
  extractor: PeerExtractor,
  options?: PooledFeatureExtractorOptions,
): Promise<Pooled> {
  const pooled = (await pooledFeatureExtractor(extractor, options)) as Pooled;
  made.push(pooled);
  return pooled;
}

export function closeAll(): void {
  for (const extractor of made) {
    extractor.releaseAll();
    extractor.close();
  }
}

/** Names, types, shapes and masks have to be the same; returns the largest difference of the features. */
export function difference(theirs: Results, ours: Results, what: string): number {
  expect(Object.keys(ours), what).toEqual(Object.keys(theirs));
  let worst = 0;
  for (const [name, { type, dims, data }] of Object.entries(theirs)) {
    const own = ours[name]!;
    expect([own.type, own.dims, own.data.length], `${what}: ${name}`).toEqual([type, dims, data.length]);
    for (let i = 0; i < data.length; i++) {
      const apart = Math.abs(Number(own.data[i]) - Number(data[i]));
      if (Number.isNaN(apart)) return apart;
      worst = Math.max(worst, apart);
    }
    if (type === "int64") expect(worst, `${what}: ${name}`).toBeLessThan(1);
  }
  return worst;
}

export function disposeAll(results: Results): void {
  for (const tensor of Object.values(results)) tensor.dispose();
}
