import { planOf, scratchOf } from "../../src/features/plan.ts";
import type { Core, FrontEndDescription } from "../../src/index.ts";

/** A range of the core's memory in bytes. */
export type Range = [start: number, end: number];

/** What the kernels may write whatever is asked of them: an agent's workspace and scratch, not the caller's. */
export function workspaces(core: Core, description: FrontEndDescription): Range[] {
  const plan = planOf(core, description);
  const ranges: Range[] = [[plan.found.byteOffset, plan.found.byteOffset + 8]];
  if (plan.work) ranges.push([plan.work, plan.work + core.exports.planWorkspaceBytes(plan.pointer)]);
  for (const purpose of ["staging of samples", "frames to rearrange"]) {
    const view = scratchOf(core, purpose, 1);
    ranges.push([view.byteOffset, view.byteOffset + view.byteLength]);
  }
  return ranges;
}

/** The bytes under a view. */
export function under(view: Float32Array, values = view.length): Range {
  return [view.byteOffset, view.byteOffset + 4 * values];
}

/** The memory as it was: kept, for a core's is large and compared hundreds of times. */
let kept = Buffer.alloc(0);

/** Runs something, and says where it changed a byte outside `allowed`; undefined when nowhere. */
export function firstWrite(core: Core, allowed: Range[], run: () => void): string | undefined {
  const after = Buffer.from(core.buffer);
  if (kept.length !== after.length) kept = Buffer.alloc(after.length);
  const before = kept;
  before.set(after);
  run();
  let from = 0;
  for (const [start, end] of [...allowed, [after.length, after.length] as Range].sort(
    (a, b) => a[0] - b[0],
  )) {
    if (start > from && before.compare(after, from, start, from, start) !== 0) {
      const at = from + before.subarray(from, start).findIndex((byte, i) => byte !== after[from + i]);
      return `byte ${at} of ${from} to ${start}; allowed are ${allowed.map((range) => range.join("-")).join(", ")}`;
    }
    from = Math.max(from, end);
  }
  return undefined;
}
