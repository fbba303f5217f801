import { InvalidArgumentError, NonFiniteSamplesError } from "../core/errors.ts";
import { MAX_LEVEL } from "./pcm.ts";
import type { NonFinitePolicy } from "./staging.ts";

/** Looks at the float samples of a sound on their way in. */
export interface SampleGuard {
  /** NaN and infinite samples met so far. */
  readonly found: number;
  /** Whether there is nothing to see to: all samples are finite and of a sane level. */
  clean(samples: Float32Array): boolean;
  /**
   * Deals with samples that are not clean, by the policy: zeros are written in place.
   *
   * @param frame frame of the sound that the first sample belongs to
   * @param channels samples a frame
   * @param channel number of the first sample's channel, from 1
   * @throws NonFiniteSamplesError when the policy is "error" and one is NaN or infinite.
   * @throws InvalidArgumentError when a finite one is far outside -1 … 1.
   */
  treat(samples: Float32Array, frame: number, channels: number, channel: number): void;
}

/** Makes the guard of one sound of `sampleRate`, which errors tell times by. */
export function createSampleGuard(policy: NonFinitePolicy, sampleRate: number): SampleGuard {
  let found = 0;

  function clean(samples: Float32Array): boolean {
    for (let i = 0; i < samples.length; i++) if (!(Math.abs(samples[i]!) <= MAX_LEVEL)) return false;
    return true;
  }

  function treat(samples: Float32Array, frame: number, channels: number, channel: number): void {
    const frameOf = (i: number) => frame + Math.floor(i / channels);
    const place = (i: number) =>
      `at ${(frameOf(i) / sampleRate).toFixed(3)} s of channel ${channel + (i % channels)}`;
    let first = -1;
    let count = 0;
    for (let i = 0; i < samples.length; i++) {
      const sample = samples[i]!;
      if (!Number.isFinite(sample)) {
        if (count++ === 0) first = i;
      } else if (Math.abs(sample) > MAX_LEVEL) {
        throw new InvalidArgumentError(
          `a sample of ${sample} ${place(i)}; scale the samples to -1 … 1 (divide 16-bit ones by 32768)`,
        );
      }
    }
    found += count;
    if (count === 0 || policy === "pass") return;
    if (policy === "error") {
      throw new NonFiniteSamplesError(
        `${count} of ${samples.length} samples are NaN or infinite, the first ${place(first)}; clean the sound, or choose nonFinite: "zero"`,
        count,
        frameOf(first),
      );
    }
    for (let i = first; i < samples.length; i++) if (!Number.isFinite(samples[i]!)) samples[i] = 0;
  }

  return {
    get found() {
      return found;
    },
    clean,
    treat,
  };
}
