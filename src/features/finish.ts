import type { Core } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import type { Plan } from "./plan.ts";

const FLOAT_BYTES = 4;

/** A run of frames as the kernels left them, and where they are to go. */
export interface Window {
  /** Address of the frames: `out` itself where nothing is rearranged. */
  base: Pointer;
  /** Frames at `base`, of which those from `active` on are silence that was never computed. */
  frames: number;
  active: number;
  out: Pointer;
  /** Vectors to write, and how many places of the first lie before frame 0 at `base`. */
  vectors: number;
  left: number;
}

/** A window to fill in: one for each front end and stream, so that no call makes an object. */
export function emptyWindow(): Window {
  return { base: 0, frames: 0, active: 0, out: 0, vectors: 0, left: 0 };
}

/** Values that a vector of the result has. */
export function resultWidth({ description, rows }: Plan): number {
  if (description.cepstra) return description.cepstra;
  return rows * (description.stacking?.frames ?? 1);
}

/** Whether the result is made apart from the frames. */
export function rearranges({ description }: Plan): boolean {
  return description.cepstra !== undefined || description.stacking !== undefined;
}

/** Everything that looks at more than one frame: range, normalisation, cepstra, stacking, CMVN. */
export function finishFrames(core: Core, plan: Plan, window: Window): void {
  const { exports } = core;
  const { description, rows } = plan;
  const { range, normalize, stacking, cepstra, cmvn } = description;
  const { base, frames, active, out, vectors } = window;
  if (frames === 0) return;
  const frameMajor = description.layout === "frame-major";
  if (range !== undefined || active < frames) {
    // The peak stays in the core: as an argument it would be garbage.
    const least = range ?? -1;
    const found = plan.found.byteOffset;
    if (frameMajor) exports.raiseToRange(plan.pointer, base, 1, rows * frames, rows * active, least, found);
    else exports.raiseToRange(plan.pointer, base, rows, frames, active, least, found);
  }
  if (normalize) {
    const deviation = normalize.kind === "mean-and-deviation" ? 1 : 0;
    const rowStride = frameMajor ? FLOAT_BYTES : FLOAT_BYTES * frames;
    const stride = frameMajor ? FLOAT_BYTES * rows : FLOAT_BYTES;
    exports.standardize(base, rows, rowStride, frames, stride, deviation, plan.normalizing);
  }
  if (cepstra) exports.cosineTransform(plan.cosines, base, rows, cepstra, frames, out);
  if (stacking) {
    exports.stackFrames(base, frames, rows, stacking.frames, stacking.step, window.left, 0, vectors, out);
  }
  if (cmvn) exports.shiftAndScale(out, vectors, resultWidth(plan), plan.cmvn);
}
