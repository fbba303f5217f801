import type { Core } from "../core/core.ts";
import type { SpectrogramPlace } from "./messages.ts";

/** The latest frames of a source: a ring of `capacity` frames of `bins` values, frame after frame. */
export interface Spectrogram {
  readonly bins: number;
  readonly capacity: number;
  /** Whisper's log-mel; a view of the pooled ring where memory is shared, else a copy that is kept up to date. */
  readonly frames: Float32Array;
  /** Frames written so far; frame i lies at i % capacity × bins. */
  readonly written: number;
}

/** A view of the ring, or a copy that `update` brings up to date. */
export function createSpectrogramView(
  core: Core | undefined,
  { bins, frames: capacity, address, writtenAddress }: SpectrogramPlace,
): Spectrogram & { update(written: number, latest: Float32Array): void } {
  if (core && address !== undefined && writtenAddress !== undefined) {
    const count = new Uint32Array(core.buffer, writtenAddress, 1);
    return {
      bins,
      capacity,
      frames: new Float32Array(core.buffer, address, bins * capacity),
      get written() {
        return count[0]!;
      },
      update() {},
    };
  }
  const frames = new Float32Array(bins * capacity).fill(-1);
  let written = 0;
  return {
    bins,
    capacity,
    frames,
    get written() {
      return written;
    },
    update(now, latest) {
      const count = latest.length / bins;
      for (let i = 0; i < count; i++) {
        const at = ((now - count + i) % capacity) * bins;
        frames.set(latest.subarray(i * bins, (i + 1) * bins), at);
      }
      written = now;
    },
  };
}
