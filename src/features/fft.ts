import { assertOptions, describe } from "../core/arguments.ts";
import { type Core, giveRegionBack, takeRegion } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import { isSmooth, MAX_FFT_SIZE, nearestSizes } from "./fft-sizes.ts";

const FLOAT_BYTES = 4;
/** Views of either side that a transform remembers: frames of a sound may be passed one by one, in views of their own. */
const REMEMBERED = 32;

/** Which transform to prepare. */
export interface FftOptions {
  /** Number of points, complex or real: 2^a · 3^b · 5^c, 1 to 8192. */
  size: number;
  /** Complex to complex, or real samples to the bins 0 … size / 2 and back. */
  kind: "complex" | "real";
}

/**
 * A Fourier transform bound to a core. Create it with {@link createFft}.
 *
 * Forward: X[k] = Σ x[i] exp(-2πi·ik / n). Inverse: x[i] = 1/n Σ X[k] exp(+2πi·ik / n). These are the
 * definitions and the scaling of `numpy.fft.fft`, `ifft`, `rfft` and `irfft`.
 *
 * Both directions take float32 views of the core's memory, complex numbers interleaved as [re, im, …], and allocate
 * nothing. `count` transforms lie one after the other, without gaps. Without `count` the input must be a whole
 * number of transforms long, and so many are done; with it both views may be longer than needed, so that a pooled
 * view of fixed size can be passed again and again. What lies in the output past the last result is left as it was.
 *
 * The output may begin where the input does, in place, except for several real forward transforms, whose results
 * are longer than their samples. Any other overlap is refused.
 */
export interface Fft {
  /** Number of points. */
  readonly size: number;
  /** Complex to complex, or real to half a spectrum. */
  readonly kind: "complex" | "real";
  /** Floats of one transform's points: 2 · size for complex numbers, size for real samples. */
  readonly inputLength: number;
  /** Floats of one spectrum: 2 · size, or 2 · (⌊size / 2⌋ + 1) for real samples. */
  readonly outputLength: number;
  /**
   * Transforms points, `inputLength` floats each, to spectra, `outputLength` floats each.
   *
   * @param count how many; as many as the input holds by default.
   * @returns the number of transforms done.
   * @throws InvalidArgumentError for a view that is no Float32Array of this core's memory, is too short, or
   * overlaps the other, and for an input that is no whole number of transforms when `count` is left out.
   */
  forward(input: Float32Array, output: Float32Array, count?: number): number;
  /**
   * Transforms spectra, `outputLength` floats each, back to points, `inputLength` floats each, scaled by 1 / size.
   * Of a real transform's spectrum the imaginary parts of bins 0 and size / 2 are ignored, as `numpy.fft.irfft` does.
   *
   * @param count how many; as many as the input holds by default.
   * @returns the number of transforms done.
   * @throws InvalidArgumentError as {@link Fft.forward} does.
   */
  inverse(input: Float32Array, output: Float32Array, count?: number): number;
}

/** Transforms by core, kind and size: equal requests share tables and scratch. */
const transforms = new WeakMap<Core, Map<string, Fft>>();

/**
 * Prepares a Fourier transform: takes its tables and scratch in the core, once a core, kind and size.
 *
 * Mixed radix in Stockham's self-sorting order (Van Loan, Computational Frameworks for the Fast Fourier Transform,
 * 1992), in float32 from roots rounded once: a bin is off by less than 1e-6 of the spectrum's root mean square.
 *
 * @throws InvalidArgumentError for an unknown kind, or a size that is not supported, naming the nearest that are.
 * @throws CoreMemoryError when the core has no room for the tables.
 */
export function createFft(core: Core, options: FftOptions): Fft {
  assertOptions(options, "createFft");
  const { size, kind } = options;
  if (kind !== "complex" && kind !== "real") {
    throw new InvalidArgumentError(`createFft: kind is ${describe(kind)}; give "complex" or "real"`);
  }
  assertSize(size);
  const known = transforms.get(core) ?? new Map<string, Fft>();
  transforms.set(core, known);
  const key = `${kind} ${size}`;
  const fft = known.get(key) ?? prepare(core, size, kind);
  known.set(key, fft);
  return fft;
}

function assertSize(size: number): void {
  if (!Number.isInteger(size) || size < 1 || size > MAX_FFT_SIZE) {
    throw new InvalidArgumentError(
      `createFft: size is ${describe(size)}; give an integer from 1 to ${MAX_FFT_SIZE} without prime factors but 2, 3 and 5`,
    );
  }
  if (isSmooth(size)) return;
  throw new InvalidArgumentError(
    `createFft: size ${size} has prime factors other than 2, 3 and 5; the nearest supported are ${nearestSizes(size).join(" and ")}`,
  );
}

/**
 * Where views lie, by `check`, which throws for a wrong one, remembered for the views of the last calls: asking views
 * for their buffers and offsets takes V8 as long as a tenth of a small transform.
 */
function rememberPointers(check: (view: Float32Array) => Pointer): (view: Float32Array) => Pointer {
  const views: Float32Array[] = [];
  const pointers: Pointer[] = [];
  /** Of the last view. The next is looked for after it, or it is the last again, or the first: nowhere else, which would take longer. */
  let last = 0;
  let oldest = 0;
  return (view) => {
    const after = last + 1 < views.length ? last + 1 : 0;
    if (views[after] === view) {
      last = after;
    } else if (views[last] !== view) {
      if (views[0] === view) {
        last = 0;
      } else {
        const pointer = check(view);
        last = oldest;
        views[last] = view;
        pointers[last] = pointer;
        oldest = (oldest + 1) % REMEMBERED;
      }
    }
    return pointers[last]!;
  };
}

function prepare(core: Core, size: number, kind: "complex" | "real"): Fft {
  const { exports, buffer } = core;
  const real = kind === "real" ? 1 : 0;
  const purpose = `${kind} transform of ${size}`;
  const planBytes = exports.fftPlanBytes(size, real);
  const plan = takeRegion(core, planBytes + exports.fftScratchBytes(size, real), purpose);
  const scratch = plan + planBytes;
  core.onLeave(() => giveRegionBack(core, plan, planBytes + exports.fftScratchBytes(size, real)));
  exports.fftPlanBuild(size, real, plan);
  const inputLength = real ? size : 2 * size;
  const outputLength = real ? 2 * (Math.floor(size / 2) + 1) : 2 * size;

  function checkedPointer(view: Float32Array, name: string): Pointer {
    if (view instanceof Float32Array && view.buffer === buffer) return view.byteOffset;
    throw new InvalidArgumentError(
      `${purpose}: ${name} is ${view instanceof Float32Array ? "a view of another memory" : describe(view)}; give a Float32Array view of this core's memory, such as a lease's view`,
    );
  }

  const inputPointer = rememberPointers((view) => checkedPointer(view, "input"));
  const outputPointer = rememberPointers((view) => checkedPointer(view, "output"));

  /** How many transforms of `length` floats the input holds, or those asked for. */
  function countOf(input: Float32Array, length: number, count: number | undefined): number {
    if (count === undefined) {
      if (input.length > 0 && input.length % length === 0) return input.length / length;
      throw new InvalidArgumentError(
        `${purpose}: input holds ${input.length} floats; give a multiple of ${length}, or say how many transforms it holds`,
      );
    }
    if (!Number.isInteger(count) || count < 1) {
      throw new InvalidArgumentError(`${purpose}: count is ${describe(count)}; give a positive integer`);
    }
    if (input.length >= count * length) return count;
    throw new InvalidArgumentError(
      `${purpose}: input holds ${input.length} floats; ${count} × ${length} need ${count * length}`,
    );
  }

  function run(
    input: Float32Array,
    output: Float32Array,
    given: number | undefined,
    from: number,
    to: number,
    inverse: number,
  ): number {
    const source = inputPointer(input);
    const target = outputPointer(output);
    const count = countOf(input, from, given);
    if (output.length < count * to) {
      throw new InvalidArgumentError(
        `${purpose}: output holds ${output.length} floats; ${count} × ${to} need ${count * to}`,
      );
    }
    const inPlace = source === target && (count === 1 || from >= to);
    if (
      !inPlace &&
      source < target + count * to * FLOAT_BYTES &&
      target < source + count * from * FLOAT_BYTES
    ) {
      throw new InvalidArgumentError(
        source === target
          ? `${purpose}: ${count} spectra are longer than their samples and cannot replace them; give another output`
          : `${purpose}: input and output overlap at byte ${Math.max(source, target)}; give the same view twice, or two apart`,
      );
    }
    exports.fftRun(plan, scratch, source, target, count, inverse);
    return count;
  }

  return {
    size,
    kind,
    inputLength,
    outputLength,
    forward: (input, output, count) => run(input, output, count, inputLength, outputLength, 0),
    inverse: (input, output, count) => run(input, output, count, outputLength, inputLength, 1),
  };
}
