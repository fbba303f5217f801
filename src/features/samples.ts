import type { NonFinitePolicy } from "../audio/staging.ts";
import { describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { InvalidArgumentError, NonFiniteSamplesError } from "../core/errors.ts";
import { scratchOf } from "./plan.ts";

/**
 * Checks samples and how many of them to use.
 *
 * @throws InvalidArgumentError naming the view or the count, and what is possible.
 */
export function assertSampleView(samples: unknown, count: number, most: number, who: string): void {
  if (!(samples instanceof Float32Array)) {
    throw new InvalidArgumentError(`${who}: samples are ${describe(samples)}; give a Float32Array`);
  }
  if (Number.isInteger(count) && count >= 1 && count <= most && count <= samples.length) return;
  throw new InvalidArgumentError(
    `${who}: ${count} samples of ${samples.length}; give 1 to ${most}, no more than the view holds`,
  );
}

/**
 * Checks where results of `rows` × `columns` values are to go.
 *
 * @throws InvalidArgumentError when it is no view of the core, or too short.
 */
export function assertResultView(core: Core, out: unknown, rows: number, columns: number, who: string): void {
  if (!(out instanceof Float32Array) || out.buffer !== core.buffer) {
    throw new InvalidArgumentError(
      `${who}: out is ${out instanceof Float32Array ? "a view of another memory" : describe(out)}; give a Float32Array view of this core's memory, such as a lease's view`,
    );
  }
  const needed = rows * columns;
  if (out.length >= needed) return;
  throw new InvalidArgumentError(
    `${who}: out holds ${out.length} values; ${rows} × ${columns} need ${needed}`,
  );
}

/** Counts what was found, for the object that computes. */
export interface NonFiniteCount {
  samples: number;
}

/**
 * Address of samples in the core: where they lie, or where they were copied, because they lie elsewhere or have to be
 * cleaned first.
 */
export function placeSamples(
  core: Core,
  samples: Float32Array,
  count: number,
  policy: NonFinitePolicy,
  found: NonFiniteCount,
): Pointer {
  const { exports } = core;
  const inCore = samples.buffer === core.buffer;
  if (policy === "error" && inCore) return samples.byteOffset;
  let at = inCore ? samples.byteOffset : copied(core, samples, count);
  if (policy === "error") return at;
  const bad = exports.countNonFinite(at, count) >>> 0;
  found.samples += bad;
  if (policy === "pass" || bad === 0) return at;
  if (inCore) at = copied(core, samples, count);
  exports.zeroNonFinite(at, count);
  return at;
}

/**
 * Takes the region that samples from elsewhere are copied to, so that clips of up to `count` samples need no other.
 *
 * @throws CoreMemoryError when the core has no room.
 */
export function reserveStaging(core: Core, count: number): Float32Array {
  return scratchOf(core, "staging of samples", count);
}

function copied(core: Core, samples: Float32Array, count: number): Pointer {
  const staging = reserveStaging(core, count);
  staging.set(count === samples.length ? samples : samples.subarray(0, count));
  return staging.byteOffset;
}

/** The error for samples in the core that a kernel refused. */
export function nonFiniteError(core: Core, samples: Pointer, count: number): NonFiniteSamplesError {
  const found = core.exports.countNonFinite(samples, count) >>> 0;
  const first = core.exports.firstNonFinite(samples, count);
  if (found === 0) {
    return new NonFiniteSamplesError(
      "samples are too large: their power overflows; scale them to -1 … 1",
      0,
      -1,
    );
  }
  return new NonFiniteSamplesError(
    `${found} of ${count} samples are NaN or infinite, the first at index ${first}; clean or re-record the clip`,
    found,
    first,
  );
}
