import { describe } from "../core/arguments.ts";
import { type Core, giveRegionBack, takeRegion } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { InvalidArgumentError, NonFiniteSamplesError } from "../core/errors.ts";

const FLOAT_BYTES = 4;
/** Samples that are staged at once. */
export const STAGED = 16384;

/** What to do with NaN and infinite samples: refuse them, take them for zeros, or let them through. */
export type NonFinitePolicy = "error" | "zero" | "pass";

const POLICIES: readonly NonFinitePolicy[] = ["error", "zero", "pass"];

/** Memory by which samples from outside the core go in and out, shared by all that runs to its end at once. */
export interface Staging {
  readonly input: Float32Array;
  readonly input16: Int16Array;
  readonly output: Float32Array;
}

const stagingByCore = new WeakMap<Core, Staging>();

/**
 * The core's staging memory, taken when it is first needed.
 *
 * @throws CoreMemoryError when the core has no room for it.
 */
export function stagingOf(core: Core): Staging {
  const known = stagingByCore.get(core);
  if (known) return known;
  const bytes = STAGED * FLOAT_BYTES;
  const region = takeRegion(core, 2 * bytes, "staging of samples");
  core.onLeave(() => giveRegionBack(core, region, 2 * bytes));
  const { buffer } = core;
  const staging = {
    input: new Float32Array(buffer, region, STAGED),
    input16: new Int16Array(buffer, region, 2 * STAGED),
    output: new Float32Array(buffer, region + bytes, STAGED),
  };
  stagingByCore.set(core, staging);
  return staging;
}

/**
 * Checks a policy.
 *
 * @throws InvalidArgumentError naming what was given.
 */
export function assertPolicy(policy: unknown): asserts policy is NonFinitePolicy {
  if (POLICIES.includes(policy as NonFinitePolicy)) return;
  throw new InvalidArgumentError(`nonFinite is ${describe(policy)}; give "error", "zero" or "pass"`);
}

/** Whether two views share bytes. */
export function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  );
}

/** NaN and infinite samples of a view in the core or elsewhere. */
export function countNonFinite(core: Core, samples: Float32Array): number {
  const { exports } = core;
  if (samples.buffer === core.buffer) return exports.countNonFinite(samples.byteOffset, samples.length) >>> 0;
  const { input } = stagingOf(core);
  let found = 0;
  for (let at = 0; at < samples.length; at += STAGED) {
    const count = Math.min(STAGED, samples.length - at);
    input.set(count === samples.length ? samples : samples.subarray(at, at + count));
    found += exports.countNonFinite(input.byteOffset, count) >>> 0;
  }
  return found;
}

/** The error for `found` bad samples in a view. */
export function nonFiniteError(what: string, samples: Float32Array, found: number): NonFiniteSamplesError {
  const first = samples.findIndex((x) => !Number.isFinite(x));
  return new NonFiniteSamplesError(
    `${what}: ${found} of ${samples.length} samples are NaN or infinite, the first at index ${first}; clean the signal, or choose nonFinite: "zero"`,
    found,
    first,
  );
}

/** Deals with the samples at `address` by a policy that lets them in. Returns how many were NaN or infinite. */
export function admitNonFinite(core: Core, address: Pointer, count: number, policy: NonFinitePolicy): number {
  const found = core.exports.countNonFinite(address, count) >>> 0;
  if (found > 0 && policy === "zero") core.exports.zeroNonFinite(address, count);
  return found;
}
