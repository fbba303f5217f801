/** Runs in an audio worklet: see attach-core.ts for what that forbids. */
import { describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import type { CoreExports, Pointer } from "../core/core-exports.ts";
import { InvalidArgumentError, PoolClosedError } from "../core/errors.ts";
import { type AnalysisWindow, LeasedWindow } from "./analysis-window.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { readName } from "./memory-name.ts";
import { closedError } from "./pool-errors.ts";
import { slotIndex } from "./slot-memory.ts";
import { createWindowTarget, type WindowTarget } from "./window-target.ts";

/** Sample types that a ring stores. */
export type SampleType = "f32" | "i16";

/** Samples as they come in. */
export type Samples = Float32Array | Int16Array;

/** In the order of the codes that the core keeps. */
export const SAMPLE_TYPES: readonly SampleType[] = ["f32", "i16"];
export const SAMPLE_BYTES = { f32: 4, i16: 2 };
/** Places of the counters, see assembly/rings/analysis-ring.ts. */
const COUNTER = {
  written: 0,
  position: 1,
  rejected: 2,
  overwritten: 3,
  windows: 4,
  window: 5,
  hop: 6,
} as const;
export const HEADER_WORDS = 8;
/** Policy of a ring that rejects. */
const REJECT = 1;
/** Bytes from a ring's address to where its last window began and how long it is, and to its data. */
const START_OFFSET = 152;
const LENGTH_OFFSET = 160;
const DATA_OFFSET = 256;

// Results of the core's functions: of poolAcquire, and of ringRead.
const POOL_CLOSED = -2;
const TOO_SHORT = -1;

/** What has gone through an analysis buffer, in samples. */
export interface AnalysisStatistics {
  name: string;
  sampleRate: number;
  window: number;
  hop: number;
  capacity: number;
  /** Samples written; position at which the next window begins; samples that lie between the two. */
  written: number;
  position: number;
  buffered: number;
  /** Samples refused because the ring was full, and samples overwritten before they were read. */
  rejected: number;
  overwritten: number;
  /** Windows read. */
  windows: number;
}

/**
 * A ring of samples of one source between one writing and one reading agent, both of which may be the same.
 * Create it with `createAnalysisBuffer`.
 */
export class AnalysisBuffer {
  /** Name of the source. */
  readonly name: string;
  readonly sampleRate: number;
  readonly dtype: SampleType;
  /** Samples that the ring holds. */
  readonly capacity: number;
  readonly maxWindow: number;
  readonly #exports: CoreExports;
  readonly #ring: Pointer;
  /** The ring's data, as samples and as bytes. */
  readonly #samples: Samples;
  readonly #bytes: Uint8Array;
  /** Of the last window, as the core has left them: a read away, where calls would take longer than the copy. */
  readonly #start: Float64Array;
  readonly #length: Uint32Array;
  readonly #pool: BufferPool<"f32">;
  /** Views of windows that are shorter than their buffers, by slot, made once for as long as neither changes. */
  readonly #views: Float32Array[] = [];
  readonly #target: WindowTarget;
  readonly #rejects: boolean;
  readonly #minWindow: number;
  /** Bytes of a sample that the last chunk cut in two. */
  readonly #carry = new Uint8Array(4);
  #carried = 0;
  #closed = false;

  /** @internal */
  constructor(core: Core, ring: Pointer, pool: BufferPool<"f32">, minWindow: number) {
    const { exports, buffer } = core;
    const header = new Uint32Array(buffer, exports.ringHeader(ring) >>> 0, HEADER_WORDS);
    const [, dtype, capacity, policy, , maxWindow, nameLength, sampleRate] = header as unknown as number[];
    this.name = readName(core, exports.ringName(ring), nameLength!);
    this.sampleRate = sampleRate!;
    this.dtype = SAMPLE_TYPES[dtype!]!;
    this.capacity = capacity!;
    this.maxWindow = maxWindow!;
    this.#target = createWindowTarget(core, maxWindow!, `analysis buffer "${this.name}"`);
    this.#exports = exports;
    this.#ring = ring;
    this.#pool = pool;
    this.#rejects = policy === REJECT;
    this.#minWindow = minWindow;
    const data = ring + DATA_OFFSET;
    this.#samples =
      this.dtype === "f32"
        ? new Float32Array(buffer, data, capacity!)
        : new Int16Array(buffer, data, capacity!);
    this.#bytes = new Uint8Array(buffer, data, this.#samples.byteLength);
    this.#start = new Float64Array(buffer, ring + START_OFFSET, 1);
    this.#length = new Uint32Array(buffer, ring + LENGTH_OFFSET, 1);
  }

  /**
   * Writes samples. Lock-free, without waiting and without allocating, for a real-time thread. A sample that
   * `writeBytes` got only a part of is dropped.
   *
   * @returns how many were taken: all, or none when the ring is full and set to reject.
   * @throws InvalidArgumentError when the samples are not of the ring's type.
   */
  write(samples: Samples): number {
    const fits = this.dtype === "f32" ? samples instanceof Float32Array : samples instanceof Int16Array;
    if (!fits) {
      throw new InvalidArgumentError(
        `analysis buffer "${this.name}": samples are ${describe(samples)}; give ${this.dtype === "f32" ? "a Float32Array" : "an Int16Array"}`,
      );
    }
    if (this.#closed) throw this.#closedError();
    this.#carried = 0;
    return this.#store(this.#samples, samples, 0, samples.length, 1);
  }

  /**
   * Writes samples as little-endian bytes, as a pipe or socket gives them. A sample that is cut at the end
   * of a chunk is completed by the next.
   *
   * @returns how many samples were taken.
   * @throws InvalidArgumentError when `bytes` is no Uint8Array.
   */
  writeBytes(bytes: Uint8Array): number {
    if (this.#closed) throw this.#closedError();
    if (!(bytes instanceof Uint8Array)) {
      throw new InvalidArgumentError(
        `analysis buffer "${this.name}": bytes are ${describe(bytes)}; give a Uint8Array`,
      );
    }
    const size = SAMPLE_BYTES[this.dtype];
    let taken = 0;
    let from = 0;
    if (this.#carried > 0) {
      from = Math.min(size - this.#carried, bytes.length);
      this.#carry.set(bytes.subarray(0, from), this.#carried);
      this.#carried += from;
      if (this.#carried < size) return 0;
      this.#carried = 0;
      taken += this.#store(this.#bytes, this.#carry, 0, 1, size);
    }
    const whole = Math.floor((bytes.length - from) / size);
    taken += this.#store(this.#bytes, bytes, from, whole, size);
    const rest = from + whole * size;
    this.#carried = bytes.length - rest;
    this.#carry.set(bytes.subarray(rest));
    return taken;
  }

  /**
   * Stores `count` samples of `unit` entries each, from entry `from`: all or none of them where the ring
   * rejects, else by pieces that fit it.
   */
  #store(
    ring: Samples | Uint8Array,
    source: Samples | Uint8Array,
    from: number,
    count: number,
    unit: number,
  ): number {
    let stored = 0;
    while (stored < count) {
      const piece = this.#rejects ? count : Math.min(count - stored, this.capacity);
      const index = this.#exports.ringReserve(this.#ring, piece);
      if (index < 0) return stored;
      copyAround(source, from + stored * unit, ring, index * unit, piece * unit);
      this.#exports.ringCommit(this.#ring);
      stored += piece;
    }
    return stored;
  }

  /**
   * Reads the next window into a pooled buffer. What it allocates is the lease; `readInto` allocates nothing.
   *
   * @returns the window, or undefined when not enough has been written, or when all windows are leased (the
   * samples wait in the ring then, and the windows' pool counts it).
   */
  read(): AnalysisWindow | undefined {
    if (this.#closed) throw this.#closedError();
    const pool = this.#pool;
    if (pool.closed) throw closedError(pool.name);
    const handle = this.#exports.ringTake(this.#ring, pool.shard, pool.now());
    if (handle > 0) {
      return pool.begun(new LeasedWindow(pool, handle, this.#viewAt(handle), this.#start[0]!), handle);
    }
    if (handle === POOL_CLOSED) throw closedError(pool.name);
    return undefined;
  }

  /**
   * Copies the next window to the beginning of `target`, without a lease and without allocating, for a real-time
   * thread. Fastest where `target` is a view of the core's memory, such as a lease's, and the same each time.
   *
   * @returns the window's samples, float32 from -1 to 1, or 0 when not enough has been written; where they begin is
   * `lastStart` then.
   * @throws InvalidArgumentError when `target` is no Float32Array, or shorter than the window.
   * @throws CoreMemoryError when the core has no room to stage windows for a target that is not in its memory.
   */
  readInto(target: Float32Array): number {
    if (this.#closed) throw this.#closedError();
    const samples = this.#exports.ringRead(this.#ring, this.#target.aim(target), target.length);
    if (samples === TOO_SHORT) {
      throw new InvalidArgumentError(
        `analysis buffer "${this.name}": target holds ${target.length} samples; give one for the window's ${this.#counter("window")}`,
      );
    }
    if (samples <= 0) return 0;
    this.#target.deliver(samples);
    return samples;
  }

  /** Position of the first sample of the window that was read last, by `read` or `readInto`; 0 before the first. */
  get lastStart(): number {
    if (this.#closed) throw this.#closedError();
    return this.#start[0]!;
  }

  /** The window in the buffer that a handle names. */
  #viewAt(handle: number): Float32Array {
    const whole = this.#pool.viewAt(handle);
    const length = this.#length[0]!;
    if (length === whole.length) return whole;
    const known = this.#views[slotIndex(handle)];
    if (known?.length === length && known.byteOffset === whole.byteOffset) return known;
    const view = whole.subarray(0, length);
    this.#views[slotIndex(handle)] = view;
    return view;
  }

  /** Windows that are ready to be read, were the pool endless. */
  ready(): number {
    const { window, hop, buffered } = this.stats();
    return buffered < window ? 0 : Math.floor((buffered - window) / hop) + 1;
  }

  /**
   * Sets window and hop; the next read uses both. Safe while another agent writes or reads: no sample is
   * lost, and no window mixes two shapes.
   *
   * @throws InvalidArgumentError when the window is no integer from 1 to `maxWindow`, or the hop none from 1.
   */
  reconfigure({ window, hop = window }: { window: number; hop?: number }): void {
    if (this.#closed) throw this.#closedError();
    checkShape(this.name, window, hop, this.maxWindow);
    this.#exports.ringShape(this.#ring, window, hop);
  }

  /**
   * Scales window and hop, as pressure does: within the shortest and the longest window, in whole samples.
   *
   * @returns whether anything changed.
   */
  scaleWindow(factor: number): boolean {
    const { window, hop } = this.stats();
    const scaled = Math.min(this.maxWindow, Math.max(this.#minWindow, Math.round(window * factor)));
    if (scaled === window) return false;
    this.reconfigure({ window: scaled, hop: Math.max(1, Math.round((hop * scaled) / window)) });
    return true;
  }

  /** What has gone through so far; exact when neither side is at work. */
  stats(): AnalysisStatistics {
    if (this.#closed) throw this.#closedError();
    const { name, sampleRate, capacity } = this;
    const written = this.#counter("written");
    const position = this.#counter("position");
    return {
      name,
      sampleRate,
      window: this.#counter("window"),
      hop: this.#counter("hop"),
      capacity,
      written,
      position,
      buffered: Math.max(0, written - position),
      rejected: this.#counter("rejected"),
      overwritten: this.#counter("overwritten"),
      windows: this.#counter("windows"),
    };
  }

  /** Whether it was shut down by this agent. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The pool that windows are leased from. */
  get pool(): BufferPool<"f32"> {
    return this.#pool;
  }

  /** Frees ring and windows. Other agents must have stopped. Returns the number of windows still leased. */
  shutdown(): number {
    if (this.#closed) return 0;
    this.#closed = true;
    this.#exports.ringFree(this.#ring);
    this.#target.close();
    return this.#pool.shutdown();
  }

  #counter(key: keyof typeof COUNTER): number {
    return this.#exports.ringCounter(this.#ring, COUNTER[key]);
  }

  #closedError(): PoolClosedError {
    return new PoolClosedError(`analysis buffer "${this.name}" was shut down; create another`);
  }
}

/** Copies into a ring, round its end. No subarrays: those allocate, which a real-time thread must not. */
function copyAround(
  source: Samples | Uint8Array,
  from: number,
  ring: Samples | Uint8Array,
  at: number,
  count: number,
): void {
  if (from === 0 && count === source.length && at + count <= ring.length) {
    ring.set(source, at);
    return;
  }
  let to = at;
  for (let i = from; i < from + count; i++) {
    ring[to] = source[i]!;
    if (++to === ring.length) to = 0;
  }
}

/**
 * Checks window and hop.
 *
 * @throws InvalidArgumentError when the window is no integer from 1 to `maxWindow`, or the hop none from 1.
 */
export function checkShape(name: string, window: number, hop: number, maxWindow: number): void {
  if (!Number.isSafeInteger(window) || window < 1 || window > maxWindow) {
    throw new InvalidArgumentError(
      `analysis buffer "${name}": window is ${describe(window)}; give an integer from 1 to ${maxWindow} samples, its maxWindow`,
    );
  }
  if (!Number.isSafeInteger(hop) || hop < 1 || hop > 2 ** 31) {
    throw new InvalidArgumentError(
      `analysis buffer "${name}": hop is ${describe(hop)}; give an integer from 1 upwards, in samples`,
    );
  }
}
