import { describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";

/** What a model expects of its input features. */
export interface FeaturePreset {
  /** Name, as `createLogMel` takes it. */
  readonly name: string;
  /** Samples a second. */
  readonly sampleRate: number;
  /** Rows of the features. */
  readonly mels: number;
  /** Samples between the centres of two frames. */
  readonly hop: number;
  /** Longest clip, in samples. */
  readonly maxSamples: number;
  /** Frames of the longest clip. */
  readonly maxFrames: number;
}

const WHISPER = { sampleRate: 16000, hop: 160, maxSamples: 480000, maxFrames: 3000 } as const;

/**
 * Log-mel spectrograms that the core computes.
 *
 * Whisper: `log_mel_spectrogram` and `pad_or_trim` of openai/whisper `whisper/audio.py`; 80 mels up to
 * large-v2, 128 from large-v3 on.
 */
export const PRESETS = {
  "whisper-80": { name: "whisper-80", mels: 80, ...WHISPER },
  "whisper-128": { name: "whisper-128", mels: 128, ...WHISPER },
} as const satisfies Record<string, FeaturePreset>;

/** Name of a preset. */
export type PresetName = keyof typeof PRESETS;

/**
 * Looks a preset up.
 *
 * @throws InvalidArgumentError for an unknown name.
 */
export function findPreset(name: string): FeaturePreset {
  if (typeof name === "string" && Object.hasOwn(PRESETS, name)) return PRESETS[name as PresetName];
  throw new InvalidArgumentError(
    `unknown preset ${describe(name)}; give ${Object.keys(PRESETS).join(" or ")}`,
  );
}
