import { parse } from "yaml";
import { describe } from "../core/arguments.ts";
import { InvalidArgumentError, messageOf } from "../core/errors.ts";
import type { BufferPoolOptions } from "./create-buffer-pool.ts";
import type { Dtype } from "./dtype.ts";

/** Settings of one named pool; the element type is `"f32"` unless given. */
export type PoolSettings = Omit<BufferPoolOptions<Dtype>, "name" | "dtype"> & { dtype?: Dtype };

/** Settings by name of the pool. */
export type PoolsConfig = Record<string, PoolSettings>;

/** Sizes of a deployment: 2 to 4, 10 to 15, and 50 or more requests at once. */
export type PresetSize = "small" | "medium" | "large";

/** `[initial, max]` of each pool. */
const COUNTS: Record<PresetSize, Record<"mel" | "audio" | "encoder_output" | "fft", [number, number]>> = {
  small: { mel: [3, 5], audio: [2, 5], encoder_output: [2, 5], fft: [1, 2] },
  medium: { mel: [10, 20], audio: [5, 15], encoder_output: [5, 15], fft: [5, 10] },
  large: { mel: [25, 60], audio: [15, 50], encoder_output: [15, 50], fft: [10, 20] },
};

/**
 * Pools of a Whisper service: `mel` of [mels × 3000] (960 kB with 80), `audio` of 480,000 samples (1.92 MB),
 * `encoder_output` of [1500 × width] (3.07 MB for base) and `fft` of [3000 × 201] complex bins (4.82 MB).
 *
 * @param size for how many requests at once.
 * @param model `width` of the encoder's states, 512 (base) by default, and `mels`, 80 by default.
 * @throws InvalidArgumentError for an unknown size.
 */
export function poolPreset(size: PresetSize, model: { width?: number; mels?: number } = {}): PoolsConfig {
  if (!Object.hasOwn(COUNTS, size)) {
    throw new InvalidArgumentError(`preset is ${describe(size)}; give "small", "medium" or "large"`);
  }
  const { width = 512, mels = 80 } = model;
  const pool = (name: keyof (typeof COUNTS)["small"], dtype: Dtype, shape: number[]): PoolSettings => {
    const [initial, max] = COUNTS[size][name];
    return { dtype, shape, initial, max };
  };
  return {
    mel: pool("mel", "f32", [mels, 3000]),
    audio: pool("audio", "f32", [480_000]),
    encoder_output: pool("encoder_output", "f32", [1500, width]),
    fft: pool("fft", "complex64", [3000, 201]),
  };
}

const KNOWN = new Set([
  "dtype",
  "shape",
  "bytes",
  "initial",
  "max",
  "zeroOnRelease",
  "statistics",
  "adaptive",
  "queueLimit",
  "leakDetection",
  "onLeak",
]);

/**
 * Reads a configuration: an object, or text in YAML, of which JSON is a part.
 *
 * @throws InvalidArgumentError when the text is neither, or a pool has a setting that there is not.
 */
export function readPoolsConfig(config: PoolsConfig | string): PoolsConfig {
  const pools = typeof config === "string" ? parseText(config) : config;
  if (typeof pools !== "object" || pools === null || Array.isArray(pools)) {
    throw new InvalidArgumentError(
      `the configuration is ${describe(pools)}; give pools by name, such as { mel: { shape: [80, 3000] } }`,
    );
  }
  for (const [name, settings] of Object.entries(pools)) {
    if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
      throw new InvalidArgumentError(`pool "${name}": settings are ${describe(settings)}; give an object`);
    }
    const empty = Object.entries(settings).find(([, value]) => value === null);
    if (empty !== undefined) {
      throw new InvalidArgumentError(`pool "${name}": ${empty[0]} is empty; give a value or leave it out`);
    }
    const unknown = Object.keys(settings).find((key) => !KNOWN.has(key));
    if (unknown !== undefined) {
      throw new InvalidArgumentError(
        `pool "${name}": there is no setting ${describe(unknown)}; there are ${[...KNOWN].join(", ")}`,
      );
    }
  }
  return pools as PoolsConfig;
}

function parseText(text: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    const [line] = messageOf(cause).split("\n");
    throw new InvalidArgumentError(`the configuration is neither YAML nor JSON: ${line}`, { cause });
  }
}
