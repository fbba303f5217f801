import type { Core } from "../core/core.ts";
import { createFrontEnd } from "../features/front-end.ts";
import type { Lease } from "../pools/lease.ts";
import { statePool } from "../pools/shared-pool.ts";
import type { SpectrogramPlace } from "./messages.ts";

/** Mel bins of the picture, and frames that its ring holds: 10 s. */
const BINS = 80;
const FRAMES = 1024;
/** Frames that are computed at once, at most. */
const BATCH = 64;

/** The latest log-mel frames of a source, frame after frame in a pooled ring. */
export interface SpectrogramRing {
  readonly place: SpectrogramPlace;
  /** Takes samples at 16 kHz and writes the frames that they complete. Returns how many. */
  push(samples: Float32Array): number;
  /** A copy of the last `count` frames, for where memory is not shared. */
  latest(count: number): Float32Array;
  readonly written: number;
  close(): void;
}

/**
 * Makes the ring in a core. Frames are Whisper's log-mel; the count of those written lies behind them, for whoever draws.
 *
 * @throws CoreMemoryError when the core has no room.
 */
export function createSpectrogramRing(core: Core): SpectrogramRing {
  const ring: Lease<"f32"> = statePool(core, "spectrogram", FRAMES * BINS + BATCH * BINS + 1).acquire();
  const { view } = ring;
  const frames = view.subarray(0, FRAMES * BINS);
  const batch = view.subarray(FRAMES * BINS, (FRAMES + BATCH) * BINS);
  const count = new Uint32Array(view.buffer, view.byteOffset + 4 * (FRAMES + BATCH) * BINS, 1);
  frames.fill(-1);
  count[0] = 0;
  const stream = createFrontEnd(core, { preset: "whisper-80", pad: false, nonFinite: "zero" }).stream({
    frames: BATCH,
  });
  let read = 0;

  /** Frames come mel-major and lie frame-major, so that a column of the picture is one piece. */
  function store(): number {
    const first = Math.max(read, stream.firstFrame);
    const fresh = stream.frames - first;
    read = stream.frames;
    if (fresh <= 0) return 0;
    stream.read(batch, first, fresh);
    const written = count[0]!;
    for (let frame = 0; frame < fresh; frame++) {
      const at = ((written + frame) % FRAMES) * BINS;
      for (let bin = 0; bin < BINS; bin++) frames[at + bin] = batch[bin * fresh + frame]!;
    }
    count[0] = written + fresh;
    return fresh;
  }

  return {
    place: {
      bins: BINS,
      frames: FRAMES,
      ...(core.threads && { address: frames.byteOffset, writtenAddress: count.byteOffset }),
    },
    push(samples) {
      let made = 0;
      const step = BATCH * 100; // fewer frames than the stream keeps
      for (let at = 0; at < samples.length; at += step) {
        stream.push(samples.subarray(at, at + step));
        made += store();
      }
      return made;
    },
    latest(wanted) {
      const written = count[0]!;
      const taken = Math.min(wanted, written, FRAMES);
      const copy = new Float32Array(taken * BINS);
      for (let i = 0; i < taken; i++) {
        const at = ((written - taken + i) % FRAMES) * BINS;
        copy.set(frames.subarray(at, at + BINS), i * BINS);
      }
      return copy;
    },
    get written() {
      return count[0]!;
    },
    close() {
      stream.close();
      ring.release();
    },
  };
}
