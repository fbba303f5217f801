/** Runs in an audio worklet: see attach-core.ts for what that forbids. */
import { assertOptions, describe } from "../core/arguments.ts";
import { type Core, DIRECTORY_PLACES, orOutOfMemory } from "../core/core.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import {
  AnalysisBuffer,
  checkShape,
  HEADER_WORDS,
  SAMPLE_BYTES,
  SAMPLE_TYPES,
  type SampleType,
} from "./analysis-buffer.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { createBufferPool, openBufferPool } from "./create-buffer-pool.ts";
import { assertName, readName, writeName } from "./memory-name.ts";

/** How to create an analysis buffer. Sizes are whole samples of one channel. */
export interface AnalysisBufferOptions {
  /** Name of the source, at most 24 characters; the windows come from a pool called name.windows. */
  name: string;
  /** Samples a second, to give sizes in time; 16000 by default. */
  sampleRate?: number;
  /** Type of the samples that come in; they are read as float32. Default `"f32"`. */
  dtype?: SampleType;
  /** Samples of a window. */
  window: number;
  /** Samples from one window to the next; the window by default, less for windows that overlap. */
  hop?: number;
  /** The longest and shortest window that reconfiguring and pressure may set: twice and a quarter of `window`. */
  maxWindow?: number;
  minWindow?: number;
  /** Samples that the ring holds; four times `maxWindow` by default. */
  capacity?: number;
  /** What a full ring does: overwrite the oldest samples (default) or reject the new ones. Both are counted. */
  whenFull?: "overwrite" | "reject";
  /** Windows that can be leased at once; 4 by default. */
  windows?: number;
}

/**
 * Creates a ring for one audio source, and the pool that its windows are leased from.
 *
 * @throws InvalidArgumentError when an option is out of range or the name is taken in this core.
 * @throws CoreMemoryError when the core has no room; nothing is taken then.
 */
export function createAnalysisBuffer(core: Core, options: AnalysisBufferOptions): AnalysisBuffer {
  assertOptions(options, "createAnalysisBuffer");
  const {
    name,
    sampleRate = 16000,
    dtype = "f32",
    window,
    hop = window,
    whenFull = "overwrite",
    windows = 4,
  } = options;
  assertName(name, "analysis buffer");
  const refuse = (what: string, value: unknown, remedy: string) =>
    new InvalidArgumentError(`analysis buffer "${name}": ${what} is ${describe(value)}; give ${remedy}`);
  const integer = (what: string, value: number, lowest: number, highest: number) => {
    if (Number.isSafeInteger(value) && value >= lowest && value <= highest) return value;
    throw refuse(what, value, `an integer from ${lowest} to ${highest}`);
  };
  if (!SAMPLE_TYPES.includes(dtype)) throw refuse("dtype", dtype, '"f32" or "i16"');
  if (whenFull !== "overwrite" && whenFull !== "reject") {
    throw refuse("whenFull", whenFull, '"overwrite" or "reject"');
  }
  const most = Math.floor(core.memoryBytes / SAMPLE_BYTES[dtype]);
  integer("window", window, 1, most);
  const maxWindow = integer("maxWindow", options.maxWindow ?? 2 * window, window, most);
  const minWindow = integer("minWindow", options.minWindow ?? Math.ceil(window / 4), 1, window);
  const capacity = integer("capacity", options.capacity ?? 4 * maxWindow, maxWindow, most);
  integer("sampleRate", sampleRate, 1, 2 ** 31 - 1);
  checkShape(name, window, hop, maxWindow);
  const { exports } = core;
  const pool = createBufferPool(core, {
    name: poolName(name),
    dtype: "f32",
    shape: maxWindow,
    initial: Math.min(2, windows),
    max: windows,
  });
  try {
    const code = SAMPLE_TYPES.indexOf(dtype);
    const policy = whenFull === "reject" ? 1 : 0;
    const ring = orOutOfMemory(
      core,
      exports.ringCreate(code, capacity, policy, maxWindow, sampleRate),
      exports.ringBytes(code, capacity),
      `analysis buffer "${name}"`,
    );
    writeName(core, exports.ringName(ring), name);
    exports.ringShape(ring, window, hop);
    const published = exports.ringPublish(ring, name.length);
    if (published === 1) return new AnalysisBuffer(core, ring, pool, minWindow);
    throw new InvalidArgumentError(
      published === 0
        ? `analysis buffer "${name}": the core has ${DIRECTORY_PLACES} of them already; shut one down`
        : `analysis buffer "${name}" exists already in this core; choose another name`,
    );
  } catch (cause) {
    pool.shutdown();
    throw cause;
  }
}

/**
 * Finds an analysis buffer that another agent created in this memory, to write to it or to read from it.
 *
 * @throws InvalidArgumentError when there is none of that name.
 */
export function openAnalysisBuffer(core: Core, name: string): AnalysisBuffer {
  const { exports } = core;
  assertName(name, "analysis buffer");
  for (let place = 0; place < DIRECTORY_PLACES; place++) {
    const ring = exports.ringAt(place) >>> 0;
    if (ring === 0) continue;
    const length = new Uint32Array(core.buffer, ring, HEADER_WORDS)[6]!;
    if (readName(core, exports.ringName(ring), length) !== name) continue;
    const pool = openBufferPool(core, poolName(name)) as unknown as BufferPool<"f32">;
    return new AnalysisBuffer(core, ring, pool, 1);
  }
  throw new InvalidArgumentError(`no analysis buffer ${describe(name)} in this core; create it first`);
}

function poolName(name: string): string {
  return `${name}.windows`;
}
