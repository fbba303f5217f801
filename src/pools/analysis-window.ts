/** Runs in an audio worklet: see attach-core.ts for what that forbids. */
import type { BufferPool } from "./buffer-pool.ts";
import { Lease } from "./lease.ts";

/** A window of samples in a pooled buffer, to be released. */
export interface AnalysisWindow {
  /** The samples, float32 from -1 to 1. */
  readonly view: Float32Array;
  /** Position of the first sample since the start of the source. */
  readonly start: number;
  release(): void;
  [Symbol.dispose](): void;
}

/**
 * The lease of a window, and the one object that reading allocates: a class, for an object with a getter of its own takes
 * engines a thousand nanoseconds to make.
 */
export class LeasedWindow extends Lease<"f32"> implements AnalysisWindow {
  readonly start: number;

  constructor(pool: BufferPool<"f32">, handle: number, view: Float32Array, start: number) {
    super(pool, handle, view);
    this.start = start;
  }
}
