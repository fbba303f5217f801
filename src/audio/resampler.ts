import { assertOptions, describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { dispose } from "../pools/lease.ts";
import { assertRate } from "./pcm.ts";
import { leaveBank, QUALITIES, type ResamplerQuality, useBank } from "./resample-bank.ts";
import { acquireState } from "./resample-state.ts";
import {
  admitNonFinite,
  assertPolicy,
  countNonFinite,
  type NonFinitePolicy,
  nonFiniteError,
  overlap,
  STAGED,
  stagingOf,
} from "./staging.ts";

/** What a resampler is to do. */
export interface ResamplerOptions {
  /** Samples a second that come in, an integer from 1000 to 384000. */
  from: number;
  /** Samples a second that go out, in the same range. */
  to: number;
  /**
   * The filter; "high" by default. In parts of the Nyquist frequency of the lower rate, where the stop band
   * of each begins:
   *
   * | quality | pass band within 0.01 dB | stop band | input samples under the filter, at the lower rate |
   * | ------- | ------------------------ | --------- | ------------------------------------------------- |
   * | high    | up to 0.9                | 100 dB    | 128                                               |
   * | medium  | up to 0.84               | 80 dB     | 64                                                |
   * | low     | up to 0.74               | 60 dB     | 32                                                |
   */
  quality?: ResamplerQuality;
  /**
   * What becomes of NaN and infinite samples: `"error"` (default) refuses the whole input, `"zero"` takes them
   * for zeros, `"pass"` lets them through, which spoils every output whose filter they lie under.
   */
  nonFinite?: NonFinitePolicy;
}

/** A stream of mono samples on its way from one rate to another. Create it with {@link createResampler}. */
export interface Resampler {
  /** Samples a second that come in. */
  readonly from: number;
  /** Samples a second that go out. */
  readonly to: number;
  readonly quality: ResamplerQuality;
  /** Input samples under the filter: the products that an output costs. */
  readonly taps: number;
  /**
   * Input samples that an output waits for beyond its own time. It shifts nothing: output i lies at input
   * time i × from / to, exactly.
   */
  readonly delay: number;
  /** NaN and infinite samples met since creation or `reset()`, those refused among them. */
  readonly nonFiniteSamples: number;
  /** Samples that a whole stream of `inputCount` makes: inputCount × to / from, rounded up. */
  outputLength(inputCount: number): number;
  /** Samples that `process` would write now for a block of `inputCount`. */
  nextLength(inputCount: number): number;
  /** Samples that `flush` would write now. */
  flushLength(): number;
  /**
   * Takes a block and writes the outputs that are complete with it. The samples of a stream are the same to
   * the last bit however it is cut into blocks.
   *
   * @param input float32 of any length, in this core's memory or elsewhere; it is left as it is.
   * @param output float32, in this core's memory or elsewhere; written from its start.
   * @returns the number of samples written, `nextLength(input.length)`. What lies behind stays as it was.
   * @throws InvalidArgumentError when a view is no Float32Array, `output` is too short (the message says what
   * is needed) or overlaps `input`, and after `flush()` or `close()`; nothing is taken in then.
   * @throws NonFiniteSamplesError when a sample is NaN or infinite and `nonFinite` is `"error"`; nothing is
   * taken in then.
   * @throws LeaseError when another agent has reclaimed the state.
   */
  process(input: Float32Array, output: Float32Array): number;
  /**
   * Ends the stream: writes what the filter still holds, as if silence followed. A second call writes nothing.
   *
   * @returns the number of samples written, `flushLength()`.
   * @throws InvalidArgumentError when `output` is no Float32Array or too short, and after `close()`.
   */
  flush(output: Float32Array): number;
  /** Begins a new stream. */
  reset(): void;
  /** Gives the state back to its pool. Further calls do nothing. */
  close(): void;
  /** As `close()`, at the end of a `using` block. */
  [Symbol.dispose](): void;
}

/**
 * Makes a resampler: a windowed-sinc filter for each phase of the output (a grid of them, interpolated
 * linearly, where the rates have few common factors), as in Smith, "Digital Audio Resampling"
 * (ccrma.stanford.edu/~jos/resample). Its filters are built once a core for the same rates and quality; its
 * state is a lease of the pool "resampler … KiB" until `close()`. Equal rates copy.
 *
 * @throws InvalidArgumentError when a rate, the quality or the policy is none of those listed.
 * @throws CoreMemoryError, PoolExhaustedError when the core has no room for filters or state.
 */
export function createResampler(core: Core, options: ResamplerOptions): Resampler {
  assertOptions(options, "createResampler");
  const { from, to, quality = "high", nonFinite = "error" } = options;
  assertRate(from, "from");
  assertRate(to, "to");
  if (!QUALITIES.includes(quality)) {
    throw new InvalidArgumentError(`quality is ${describe(quality)}; give "low", "medium" or "high"`);
  }
  assertPolicy(nonFinite);
  const { exports, buffer } = core;
  const bank = useBank(core, from, to, quality);
  const { address, up, down, taps, left, quantum } = bank;
  const what = `resampler ${from} → ${to} Hz`;
  const state = leaseOrLeave();
  const samples = state.view;
  const right = taps - 1 - left;
  /** Input samples whose outputs fit into the staging memory. */
  const most = Math.floor(((STAGED - 1) * down) / up);

  // The stream is in the buffer up to `filled`; the next output's window begins at `start`, `phase` / up of a
  // sample early. These stay small integers for any length of stream.
  let filled = left;
  let start = 0;
  let phase = 0;
  let flushed = false;
  let open = true;
  let bad = 0;
  reset();

  function leaseOrLeave() {
    try {
      return acquireState(core, bank);
    } catch (error) {
      leaveBank(core, bank);
      throw error;
    }
  }

  function assertOpen(): void {
    if (!open) throw new InvalidArgumentError(`${what} is closed; create another`);
    void state.view; // throws when another agent has ended the lease
  }

  /** Outputs whose windows are full once the buffer is filled up to `end`. */
  function complete(end: number): number {
    const positions = end - taps - start + 1;
    return positions <= 0 ? 0 : Math.ceil((positions * up - phase) / down);
  }

  /** Checks that `output` takes what an input of `inputCount`, or without one the end, makes. */
  function assertOutput(output: Float32Array, needed: number, inputCount?: number): void {
    if (!(output instanceof Float32Array)) {
      throw new InvalidArgumentError(`${what}: output is ${describe(output)}; give a Float32Array`);
    }
    if (output.length >= needed) return;
    const cause = inputCount === undefined ? "the end of the stream" : `an input of ${inputCount}`;
    throw new InvalidArgumentError(
      `${what}: output holds ${output.length} samples; ${cause} makes ${needed}: give room for them`,
    );
  }

  /** Makes room behind what later outputs still need. */
  function compact(): void {
    exports.copySamples(addressOf(samples, start), filled - start, addressOf(samples, 0));
    filled -= start;
    start = 0;
  }

  /** Copies samples behind the buffer's, or zeros where there is no input. */
  function put(input: Float32Array | undefined, at: number, count: number): void {
    if (input === undefined) samples.fill(0, filled, filled + count);
    else if (input.buffer === buffer) {
      exports.copySamples(addressOf(input, at), count, addressOf(samples, filled));
    } else samples.set(count === input.length ? input : input.subarray(at, at + count), filled);
  }

  /** Writes the outputs that are complete into `output` from its place `at`. Returns how many. */
  function drain(output: Float32Array, at: number): number {
    const count = complete(filled);
    if (count === 0) return 0;
    const window = addressOf(samples, start);
    if (output.buffer === buffer) {
      exports.resample(address, window, phase, count, addressOf(output, at));
    } else {
      const staged = stagingOf(core).output;
      exports.resample(address, window, phase, count, staged.byteOffset);
      output.set(staged.subarray(0, count), at);
    }
    const advance = phase + count * down;
    phase = advance % up;
    start += (advance - phase) / up;
    return count;
  }

  /** Runs `length` samples, or zeros, through the filter. Returns the number of samples written. */
  function run(input: Float32Array | undefined, length: number, output: Float32Array): number {
    let written = 0;
    for (let at = 0; at < length; ) {
      const remaining = length - at;
      if (filled + Math.min(remaining, most) > samples.length) compact();
      let count = Math.min(remaining, most, samples.length - filled);
      if (count < remaining && count > quantum) count -= count % quantum;
      put(input, at, count);
      if (input !== undefined && nonFinite !== "error") {
        bad += admitNonFinite(core, addressOf(samples, filled), count, nonFinite);
      }
      filled += count;
      at += count;
      written += drain(output, written);
    }
    return written;
  }

  function nextLength(inputCount: number): number {
    assertOpen();
    assertCount(inputCount, up, what);
    return flushed ? 0 : complete(filled + inputCount);
  }

  function flushLength(): number {
    assertOpen();
    return flushed ? 0 : complete(filled + right);
  }

  function process(input: Float32Array, output: Float32Array): number {
    assertOpen();
    if (flushed) throw new InvalidArgumentError(`${what}: input after flush(); call reset() first`);
    if (!(input instanceof Float32Array)) {
      throw new InvalidArgumentError(`${what}: input is ${describe(input)}; give a Float32Array`);
    }
    assertOutput(output, complete(filled + input.length), input.length);
    if (overlap(input, output)) {
      throw new InvalidArgumentError(`${what}: input and output overlap; give two buffers`);
    }
    if (nonFinite === "error") {
      const found = countNonFinite(core, input);
      bad += found;
      if (found > 0) throw nonFiniteError(what, input, found);
    }
    return run(input, input.length, output);
  }

  function flush(output: Float32Array): number {
    assertOutput(output, flushLength());
    if (flushed) return 0;
    const written = run(undefined, right, output);
    flushed = true;
    return written;
  }

  function reset(): void {
    assertOpen();
    samples.fill(0, 0, left);
    filled = left;
    start = 0;
    phase = 0;
    bad = 0;
    flushed = false;
  }

  function close(): void {
    if (!open) return;
    open = false;
    leaveBank(core, bank);
    if (state.alive) state.release();
  }

  return {
    from,
    to,
    quality,
    taps,
    delay: right,
    get nonFiniteSamples() {
      return bad;
    },
    outputLength(inputCount) {
      assertCount(inputCount, up, what);
      return Math.ceil((inputCount * up) / down);
    },
    nextLength,
    flushLength,
    process,
    flush,
    reset,
    close,
    [dispose]: close,
  } as Resampler;
}

/** Address of a view's entry in the core. */
function addressOf(view: Float32Array, at: number): Pointer {
  return view.byteOffset + at * view.BYTES_PER_ELEMENT;
}

/** Counts are exact as long as their products with `up` leave room for a fraction. */
function assertCount(count: unknown, up: number, what: string): void {
  const most = Math.floor(2 ** 50 / up);
  if (Number.isSafeInteger(count) && (count as number) >= 0 && (count as number) <= most) return;
  throw new InvalidArgumentError(
    `${what}: a count of ${describe(count)} samples; give an integer from 0 to ${most}`,
  );
}
