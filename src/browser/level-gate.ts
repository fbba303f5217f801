/** Decibels over the noise from which on a chunk counts as speech, and the level below which nothing does. */
const OVER_NOISE = 10;
const LOWEST_SPEECH = -55;
/** Decibels a second by which the noise is taken to rise while it is louder than thought. */
const RISE = 3;
/** Level of digital silence, for the logarithm. */
const SILENCE = -100;

/** Tells speech from noise by loudness, a chunk at a time. */
export interface LevelGate {
  /** 1 when the chunk is well above the noise around it, else 0. */
  probability(chunk: Float32Array): number;
  /** Level of the last chunk in dB of full scale. */
  readonly level: number;
}

/**
 * Makes a gate that follows the noise: its level falls at once to that of a quieter chunk and rises by 3 dB a second otherwise
 * (minimum statistics, after Martin, "Noise power spectral density estimation", 2001, in its simplest form).
 *
 * @param seconds that a chunk lasts
 */
export function createLevelGate(seconds: number): LevelGate {
  let noise: number | undefined;
  let level = SILENCE;
  return {
    probability(chunk) {
      let sum = 0;
      for (let i = 0; i < chunk.length; i++) sum += chunk[i]! * chunk[i]!;
      level = Math.max(SILENCE, 10 * Math.log10(sum / chunk.length + 1e-10));
      noise = Math.min(level, (noise ?? level) + RISE * seconds);
      return level > Math.max(LOWEST_SPEECH, noise + OVER_NOISE) ? 1 : 0;
    },
    get level() {
      return level;
    },
  };
}
