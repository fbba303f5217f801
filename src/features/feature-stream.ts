import type { NonFinitePolicy } from "../audio/staging.ts";
import { assertOptions, describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { dispose } from "../pools/lease.ts";
import { statePool } from "../pools/shared-pool.ts";
import { emptyWindow, finishFrames, rearranges, resultWidth } from "./finish.ts";
import { framesOf, touchedFrames, vectorsOf } from "./frame-count.ts";
import { assertFits, type Plan, scratchOf } from "./plan.ts";
import {
  assertResultView,
  assertSampleView,
  type NonFiniteCount,
  nonFiniteError,
  placeSamples,
} from "./samples.ts";

const FLOAT_BYTES = 4;
const DEFAULT_FRAMES = 3000;
const MAX_FRAMES = 1 << 20;
/** Samples that one push can bring. */
const MAX_PUSH = 2 ** 28;

/** How a stream keeps its frames. */
export interface FeatureStreamOptions {
  /** Frames (or stacked vectors) that stay readable, the latest: by default 3000, 30 s at a hop of 10 ms. */
  frames?: number;
}

/** How the front end of a stream treats its samples. */
export interface StreamTreatment {
  pad: boolean;
  nonFinite: NonFinitePolicy;
}

/**
 * Features of sound that is still coming. State and history lie in a pooled buffer of the core, so that a stream that
 * is never closed shows as a leak. Interior frames are the same bits as `compute` gives for the whole clip, however
 * the samples are cut into blocks; what looks at several frames (Whisper's maximum, NeMo's mean) is applied by `read`
 * to the frames read.
 */
export interface FeatureStream {
  /**
   * Takes a block of samples of any length and computes every frame that it completes.
   *
   * @param sampleCount how many of `samples` to take; all by default.
   * @returns how many frames (or stacked vectors) have become readable by it.
   * @throws InvalidArgumentError after `flush`, or when the view does not fit.
   * @throws NonFiniteSamplesError when a sample is NaN or infinite, unless the front end's `nonFinite` says otherwise;
   * none of the block is taken then. Also when finite samples overflow; the block is taken then, and its frames NaN.
   * @throws LeaseError after `close`.
   */
  push(samples: Float32Array, sampleCount?: number): number;
  /**
   * Ends the sound: computes the frames that reach over its end, as `compute` does for the whole clip. With padding
   * the readable frames go on to the full length, silent.
   *
   * @returns how many frames (or stacked vectors) have become readable by it.
   */
  flush(): number;
  /** Samples taken so far. */
  readonly samples: number;
  /** Frames (or stacked vectors) so far, readable or past. */
  readonly frames: number;
  /** The first that is still readable. */
  readonly firstFrame: number;
  /** NaN and infinite samples that were zeroed or passed so far. */
  readonly nonFiniteSamples: number;
  /**
   * Writes a window of frames in the layout of the front end, normalised over just these.
   *
   * @param out float32 view of the core's memory, at least frames × features.
   * @param first first frame; by default the first readable one.
   * @param count how many; by default all from `first` on.
   * @returns how many were written.
   * @throws InvalidArgumentError when frames are asked for that are past or not yet there.
   */
  read(out: Float32Array, first?: number, count?: number): number;
  /** Begins anew, for another sound. */
  reset(): void;
  /** Gives the state back to its pool. Further calls do nothing. */
  close(): void;
  [Symbol.dispose](): void;
}

/** Begins a stream of a plan; see {@link FrontEnd.stream}. */
export function createFeatureStream(
  core: Core,
  plan: Plan,
  treatment: StreamTreatment,
  options: FeatureStreamOptions,
): FeatureStream {
  assertOptions(options, "stream");
  const { exports } = core;
  const { description, rows } = plan;
  const { name, frame, stacking, padTo, layout } = description;
  const who = `stream of ${name}`;
  if (!frame) {
    throw new InvalidArgumentError(`${name} has no frames to stream: it takes a clip's samples as a whole`);
  }
  const { frames: kept = DEFAULT_FRAMES } = options;
  if (!Number.isInteger(kept) || kept < 1 || kept > MAX_FRAMES) {
    throw new InvalidArgumentError(`frames is ${describe(kept)}; give an integer from 1 to ${MAX_FRAMES}`);
  }
  const step = stacking?.step ?? 1;
  const stacked = stacking?.frames ?? 1;
  const left = stacking?.left ?? 0;
  // The frames of `kept` vectors, those that come before the next one is whole, and one that may yet be dropped.
  const capacity = kept * step + stacked - 1 + (frame.dropLast ? 1 : 0);
  assertFits(core, capacity * rows * FLOAT_BYTES, who);
  const bytes = exports.streamBytes(plan.pointer, capacity);
  const lease = statePool(core, "streams", Math.ceil(bytes / FLOAT_BYTES)).acquire();
  const state = lease.view.byteOffset;
  const width = resultWidth(plan);
  const found: NonFiniteCount = { samples: 0 };
  const window = emptyWindow();
  const { pad, nonFinite } = treatment;
  let samplesSeen = 0;
  let computed = 0;
  /** Frames of the whole sound once it has ended; those not computed are silent. */
  let total = -1;
  let bad = 0;

  const reset = () => {
    lease.view; // throws after close
    exports.streamReset(state, plan.pointer, capacity);
    samplesSeen = 0;
    computed = 0;
    total = -1;
    bad = 0;
  };
  reset();

  const soundLength = () => (pad ? Math.max(padTo!, samplesSeen) : samplesSeen);
  // A frame can be complete before it is certain not to be the last, which some front ends leave out.
  const baseFrames = () => (total < 0 ? Math.min(computed, framesOf(frame, soundLength())) : total);
  const vectors = () => vectorsOf(stacking, baseFrames(), total >= 0);
  function firstVector(): number {
    const oldest = Math.max(0, computed - capacity);
    return oldest === 0 ? 0 : Math.min(vectors(), Math.ceil((oldest + left) / step));
  }

  function push(samples: Float32Array, sampleCount = samples?.length): number {
    lease.view;
    if (total >= 0) {
      throw new InvalidArgumentError(`${who}: pushed after flush, at ${samplesSeen} samples; reset it first`);
    }
    if (sampleCount === 0 && samples instanceof Float32Array) return 0;
    assertSampleView(samples, sampleCount, MAX_PUSH, who);
    const source = placeSamples(core, samples, sampleCount, nonFinite, found);
    if (nonFinite === "error" && exports.countNonFinite(source, sampleCount) !== 0) {
      throw nonFiniteError(core, source, sampleCount);
    }
    const before = vectors();
    computed += exports.streamPush(state, plan.work, source, sampleCount);
    samplesSeen += sampleCount;
    refuseOverflow(source, sampleCount);
    return vectors() - before;
  }

  /** Frames that are NaN though every sample was finite. */
  function refuseOverflow(source: number, sampleCount: number): void {
    const seen = exports.streamBad(state);
    const more = seen > bad;
    bad = seen;
    if (more && nonFinite === "error") throw nonFiniteError(core, source, sampleCount);
  }

  function flush(): number {
    lease.view;
    if (total >= 0) return 0;
    const before = vectors();
    const length = soundLength();
    const all = framesOf(frame!, length);
    const active = length > samplesSeen ? touchedFrames(description, samplesSeen, all) : all;
    const rest = Math.max(0, active - computed);
    exports.streamFlush(state, plan.work, rest, length - samplesSeen);
    computed += rest;
    total = all;
    refuseOverflow(state, 0);
    return vectors() - before;
  }

  function read(out: Float32Array, first = firstVector(), count = vectors() - first): number {
    lease.view;
    const known = Number.isInteger(first) && Number.isInteger(count) && first >= firstVector() && count >= 0;
    if (!known || first + count > vectors()) {
      throw new InvalidArgumentError(
        `${who}: frames ${first} to ${first + count} are asked for; there are ${firstVector()} to ${vectors()}`,
      );
    }
    if (layout === "mel-major") assertResultView(core, out, width, count, who);
    else assertResultView(core, out, count, width, who);
    if (count === 0) return 0;
    // The frames under these vectors, of which the last may be silence that was never computed.
    const begin = Math.max(0, first * step - left);
    const last = (first + count - 1) * step - left + stacked;
    // Frames at the end that are too few for a vector are in no vector, but in the normalisation.
    const end = total >= 0 && first + count === vectors() ? total : Math.min(baseFrames(), last);
    const frames = end - begin;
    const active = Math.max(0, Math.min(end, computed) - begin);
    const target = out.byteOffset;
    const base = rearranges(plan) ? scratchOf(core, "frames to rearrange", rows * frames).byteOffset : target;
    if (active > 0) exports.streamRead(state, computed - begin, active, base, frames * FLOAT_BYTES);
    if (description.range !== undefined) plan.found[0] = peakOf(base, frames, active);
    window.base = base;
    window.frames = frames;
    window.active = active;
    window.out = target;
    window.vectors = count;
    window.left = left + begin - first * step;
    finishFrames(core, plan, window);
    return count;
  }

  function peakOf(base: number, frames: number, active: number): number {
    const least = active < frames ? plan.silence : Number.NEGATIVE_INFINITY;
    if (layout === "frame-major") return Math.max(least, exports.greatest(base, rows * active));
    let peak = least;
    for (let row = 0; row < rows; row++) {
      peak = Math.max(peak, exports.greatest(base + row * frames * FLOAT_BYTES, active));
    }
    return peak;
  }

  let open = true;
  function close(): void {
    // A lease that was reclaimed has ended already.
    if (open && lease.alive) lease.release();
    open = false;
  }

  return {
    push,
    flush,
    get samples() {
      return samplesSeen;
    },
    get frames() {
      return vectors();
    },
    get firstFrame() {
      return firstVector();
    },
    get nonFiniteSamples() {
      return found.samples;
    },
    read,
    reset,
    close,
    [dispose]: close,
  };
}
