/** Runs in an audio worklet: see attach-core.ts for what that forbids. */
import { describe } from "../core/arguments.ts";
import { type Core, giveRegionBack, takeRegion } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { InvalidArgumentError } from "../core/errors.ts";

const FLOAT_BYTES = 4;

/** Reads windows into arrays of the caller's, which the core writes where they lie in its memory. */
export interface WindowTarget {
  /**
   * Where the core is to write for `target`; nothing is allocated where it is the one of the last call.
   *
   * @throws InvalidArgumentError when it is no Float32Array.
   * @throws CoreMemoryError when it lies elsewhere and the core has no room to stage windows for it.
   */
  aim(target: Float32Array): Pointer;
  /** Brings `length` samples to the target of the last call, where the core has not written there itself. */
  deliver(length: number): void;
  /** Gives back what staging has taken. */
  close(): void;
}

/** @param purpose what errors name */
export function createWindowTarget(core: Core, maxWindow: number, purpose: string): WindowTarget {
  const stagingBytes = maxWindow * FLOAT_BYTES;
  let aimed: Float32Array | undefined;
  let outside = false;
  let at: Pointer = 0;
  let staging: Float32Array | undefined;
  let staged: Float32Array | undefined;

  function close(): void {
    if (staging) giveRegionBack(core, staging.byteOffset, stagingBytes);
    staging = aimed = undefined;
  }
  return {
    aim(target) {
      if (target === aimed) return at;
      if (!(target instanceof Float32Array)) {
        throw new InvalidArgumentError(`${purpose}: target is ${describe(target)}; give a Float32Array`);
      }
      outside = target.buffer !== core.buffer;
      if (outside && staging === undefined) {
        const region = takeRegion(core, stagingBytes, `${purpose}: staging`);
        staging = staged = new Float32Array(core.buffer, region, maxWindow);
        core.onLeave(close);
      }
      at = outside ? staging!.byteOffset : target.byteOffset;
      aimed = target;
      return at;
    },
    deliver(length) {
      if (!outside) return;
      if (staged!.length !== length) staged = staging!.subarray(0, length);
      aimed!.set(staged!);
    },
    close,
  };
}
