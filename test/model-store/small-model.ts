import type { Repository } from "./hub-server.ts";

/** A generator of numbers from 0 to 1 (mulberry32), so that a failing run can be had again by its seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function noise(length: number, seed: number): Buffer {
  const next = random(seed);
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = 256 * next();
  return bytes;
}

/** The files of an export, with noise for weights: what downloading does not look into. */
export function smallModel(seed: number, suffix = "_quantized"): Repository {
  return new Map([
    ["README.md", Buffer.from("not needed")],
    ["config.json", Buffer.from('{"model_type":"whisper"}')],
    ["generation_config.json", Buffer.from("{}")],
    ["preprocessor_config.json", Buffer.from('{"feature_size":80}')],
    ["tokenizer.json", Buffer.from(JSON.stringify({ words: "x".repeat(200_000) }))],
    ["tokenizer_config.json", Buffer.from("{}")],
    [`onnx/encoder_model${suffix}.onnx`, noise(700_000, seed)],
    [`onnx/decoder_model_merged${suffix}.onnx`, noise(900_000, seed + 1)],
  ]);
}
