import { assertPolicy, type NonFinitePolicy } from "../audio/staging.ts";
import { assertOptions, describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { Crew } from "./crew.ts";
import type { FrontEndDescription } from "./description.ts";
import { createFeatureStream, type FeatureStream, type FeatureStreamOptions } from "./feature-stream.ts";
import { emptyWindow, finishFrames, rearranges, resultWidth } from "./finish.ts";
import { framesOf, samplesBefore, touchedFrames, vectorsOf } from "./frame-count.ts";
import { type Plan, planOf, scratchOf } from "./plan.ts";
import { findPreset, type PresetName } from "./presets.ts";
import {
  assertResultView,
  assertSampleView,
  type NonFiniteCount,
  nonFiniteError,
  placeSamples,
} from "./samples.ts";

const FLOAT_BYTES = 4;
/** The greatest of no features; a variable as well. */
const NOTHING = Number.NEGATIVE_INFINITY;
/** Frames below which waking threads costs more than they save. */
const CREW_FRAMES = 256;
/** Samples of a clip at most: positions are 32-bit integers in the core, and more does not fit its memory anyway. */
const MAX_SAMPLES = 2 ** 28;

/** Which features to compute. */
export interface FrontEndOptions {
  /** A preset by its name, or a description of one's own. */
  preset: PresetName | FrontEndDescription;
  /**
   * Whether clips are taken as padded with silence to the preset's full length, as Whisper's encoder expects (30 s,
   * 3000 frames): by default where the preset has one. Without it the frames follow the clip.
   */
  pad?: boolean;
  /**
   * What is done about NaN and infinite samples: `"error"` (default) refuses them, `"zero"` takes them as 0, `"pass"`
   * makes the frames that hold one NaN and leaves the others right. The latter two count them.
   */
  nonFinite?: NonFinitePolicy;
  /** Threads that compute along, see {@link createCrew}; of the same core. Streams are computed by the caller alone. */
  crew?: Crew;
  /** Told of filters that hold no bin of the transform; by default a warning on the console, once a core. */
  onWarning?: (message: string) => void;
}

/** A front end bound to a core. Create it with {@link createFrontEnd}. */
export interface FrontEnd {
  /** What it expects and makes. */
  readonly description: FrontEndDescription;
  /** Whether clips are padded to the full length. */
  readonly pad: boolean;
  /** Samples of a clip at most. */
  readonly maxSamples: number;
  /** Values of one frame, or of one stacked vector; 1 where samples come out one by one. */
  readonly features: number;
  /** Frames, or stacked vectors, that a clip of `sampleCount` samples makes. */
  frames(sampleCount: number): number;
  /** The shape that `compute` writes: [features, frames] or [frames, features] by the layout. */
  shape(sampleCount: number): [number, number];
  /**
   * Computes the features of a clip straight into a pooled view.
   *
   * @param samples mono float32 at the preset's rate, nominally -1 to 1. A view of this core's memory is read in
   * place; any other array is copied once into a region of the core.
   * @param out float32 view of this core's memory; receives `shape(sampleCount)` from its start.
   * @param sampleCount how many of `samples` to use; all by default. Given separately so that a view of fixed size
   * can be passed again and again without making a subarray.
   * @returns the number of frames (or stacked vectors) written. What lies in `out` past them is left as it was.
   * @throws InvalidArgumentError when a view does not fit, naming its length and the one needed.
   * @throws NonFiniteSamplesError when a sample is NaN, infinite or overflows, unless `nonFinite` says otherwise;
   * `out` holds no features then.
   * @throws CoreMemoryError when the core has no room to copy the samples.
   */
  compute(samples: Float32Array, out: Float32Array, sampleCount?: number): number;
  /** NaN and infinite samples that were zeroed or passed so far. */
  readonly nonFiniteSamples: number;
  /** Begins a stream: blocks of samples in, frames as soon as they are complete. */
  stream(options?: FeatureStreamOptions): FeatureStream;
}

const warned = new WeakMap<Core, Set<string>>();

/**
 * Prepares a front end: makes its tables in the core and takes a workspace, once a core for equal descriptions.
 *
 * @throws InvalidArgumentError for an unknown preset or a description that cannot be.
 * @throws CoreMemoryError when the core has no room for the tables.
 */
export function createFrontEnd(core: Core, options: FrontEndOptions): FrontEnd {
  assertOptions(options, "createFrontEnd");
  const { preset, nonFinite = "error" } = options;
  const description = typeof preset === "object" && preset !== null ? preset : findPreset(preset);
  assertPolicy(nonFinite);
  const plan = planOf(core, description);
  // A variable, for code that is not optimised yet allocates for a fraction in a field.
  const { silence } = plan;
  const { name, frame, stacking, padTo, layout } = description;
  const pad = options.pad ?? padTo !== undefined;
  if (typeof pad !== "boolean") throw new InvalidArgumentError(`pad is ${describe(pad)}; give true or false`);
  if (pad && padTo === undefined) {
    throw new InvalidArgumentError(`pad is true, but ${name} has no length to pad to; leave it out`);
  }
  const { crew } = options;
  if (crew && crew.core !== core) {
    throw new InvalidArgumentError("crew belongs to another core; create it with this one");
  }
  warnOfEmptyMels(core, plan, options.onWarning);
  const who = `front end ${name}`;
  if (pad && frame && vectorsOf(stacking, framesOf(frame, padTo!)) < 1) {
    throw new InvalidArgumentError(
      `${who}: padTo is ${padTo}, which makes no frame; give more, or pad: false`,
    );
  }
  const maxSamples = pad ? padTo! : MAX_SAMPLES;
  const features = frame ? resultWidth(plan) : 1;
  const apart = rearranges(plan);
  const found: NonFiniteCount = { samples: 0 };
  // Filled anew for each clip: a fresh object would be garbage.
  const window = emptyWindow();
  window.left = stacking?.left ?? 0;

  const lengthOf = (count: number) => (pad ? padTo! : count);
  function frames(count: number): number {
    return frame ? vectorsOf(stacking, framesOf(frame, lengthOf(count))) : count;
  }
  function shape(count: number): [number, number] {
    return layout === "mel-major" ? [features, frames(count)] : [frames(count), features];
  }

  function compute(samples: Float32Array, out: Float32Array, sampleCount = samples?.length): number {
    assertSampleView(samples, sampleCount, maxSamples, who);
    const vectors = frames(sampleCount);
    if (vectors < 1) {
      throw new InvalidArgumentError(
        `${who}: ${sampleCount} samples make no frame; give at least ${leastSamples()}`,
      );
    }
    if (layout === "mel-major") assertResultView(core, out, features, vectors, who);
    else assertResultView(core, out, vectors, features, who);
    const source = placeSamples(core, samples, sampleCount, nonFinite, found);
    const target = out.byteOffset;
    const end = target + features * vectors * FLOAT_BYTES;
    if (source < end && target < source + sampleCount * FLOAT_BYTES) {
      throw new InvalidArgumentError(
        `${who}: samples and out overlap at byte ${Math.max(source, target)}; lease two buffers`,
      );
    }
    if (frame) computeFeatures(source, target, sampleCount, vectors);
    else copySamples(source, target, out, sampleCount);
    return vectors;
  }

  function leastSamples(): number {
    let count = 1;
    while (frames(count) < 1) count++;
    return count;
  }

  function computeFeatures(source: number, target: number, count: number, vectors: number): void {
    const { exports } = core;
    const total = lengthOf(count);
    const all = framesOf(frame!, total);
    const active = total > count ? touchedFrames(description, count, all) : all;
    const base = apart ? scratchOf(core, "frames to rearrange", plan.rows * all).byteOffset : target;
    plan.found[0] = active < all ? silence : NOTHING;
    plan.bad[1] = 0;
    const found = plan.found.byteOffset;
    const rowBytes = all * FLOAT_BYTES;
    const { pointer, work } = plan;
    const job = crew?.job(); // throws when the crew has ended, however short the clip
    if (crew && job !== undefined && active >= CREW_FRAMES) {
      const { threads } = crew;
      const bytes = exports.planWorkspaceBytes(pointer);
      const spaces = scratchOf(core, "workspaces of the crew", (threads * bytes) / FLOAT_BYTES).byteOffset;
      exports.crewBegin(
        job,
        threads,
        pointer,
        spaces,
        bytes,
        source,
        count,
        total,
        active,
        base,
        rowBytes,
        found,
      );
      crew.finish(found);
    } else {
      exports.computeFrames(pointer, work, source, count, total, 0, active, base, rowBytes, found);
    }
    if (nonFinite === "error") refuseNonFinite(source, count, all);
    window.base = base;
    window.frames = all;
    window.active = active;
    window.out = target;
    window.vectors = vectors;
    finishFrames(core, plan, window);
  }

  function refuseNonFinite(source: number, count: number, all: number): void {
    const { hop, length } = frame!;
    // Without padding the last samples may lie under no frame, or under no filter; they count all the same.
    const blind = hop > length || plan.emptyMels.length === description.mel?.count;
    const covered = blind ? 0 : Math.max(0, (all - 1) * hop + length - samplesBefore(frame!));
    const tail = count - covered;
    if (
      plan.bad[1] === 0 &&
      (tail <= 0 || core.exports.countNonFinite(source + covered * FLOAT_BYTES, tail) === 0)
    ) {
      return;
    }
    throw nonFiniteError(core, source, count);
  }

  function copySamples(source: number, target: number, out: Float32Array, count: number): void {
    const { exports } = core;
    if (nonFinite === "error" && exports.countNonFinite(source, count) !== 0) {
      throw nonFiniteError(core, source, count);
    }
    exports.stackFrames(source, 1, count, 1, 1, 0, 0, 1, target);
    const { scale = 1, normalize } = description;
    if (scale !== 1) for (let i = 0; i < count; i++) out[i]! *= scale;
    if (!normalize) return;
    const deviation = normalize.kind === "mean-and-deviation" ? 1 : 0;
    exports.standardize(target, 1, 0, count, FLOAT_BYTES, deviation, plan.normalizing);
  }

  return {
    description,
    pad,
    maxSamples,
    features,
    frames,
    shape,
    compute,
    get nonFiniteSamples() {
      return found.samples;
    },
    stream: (streamOptions = {}) => createFeatureStream(core, plan, { pad, nonFinite }, streamOptions),
  };
}

function warnOfEmptyMels(
  core: Core,
  plan: Plan,
  onWarning = (message: string) => console.warn(message),
): void {
  const { emptyMels, description } = plan;
  if (emptyMels.length === 0) return;
  const seen = warned.get(core) ?? new Set();
  warned.set(core, seen);
  const list = emptyMels.join(", ");
  const message = `wavepool: ${description.name}: ${emptyMels.length} of ${description.mel!.count} mel filters hold no bin of ${description.frame!.fft} points and are always silent (${list}); ask for fewer mels or a larger transform`;
  if (seen.has(message)) return;
  seen.add(message);
  onWarning(message);
}
