import type { NonFinitePolicy } from "../audio/staging.ts";
import { assertOptions, describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import { createCore, MAX_MEMORY_BYTES } from "../core/create-core.ts";
import {
  InvalidArgumentError,
  PoolClosedError,
  PoolExhaustedError,
  UnsupportedExtractorError,
} from "../core/errors.ts";
import type { FrontEndDescription } from "../features/description.ts";
import { createFrontEnd, type FrontEnd } from "../features/front-end.ts";
import { scratchOf } from "../features/plan.ts";
import { reserveStaging } from "../features/samples.ts";
import { createBufferPool } from "../pools/create-buffer-pool.ts";
import { dispose, type Lease } from "../pools/lease.ts";
import { grantedBytes } from "../pools/pool-description.ts";
import type { PoolStatistics } from "../pools/pool-statistics.ts";
import { type FeatureExtractor, readConfig, type Samples, type TensorLike } from "./extractor.ts";
import { disposeAll, type Loans, lendTensor, newTensor } from "./lent-tensors.ts";
import { type Job, RECIPES } from "./recipes.ts";
import { askOriginal, assertSame, probeSamples, tensorClassOf } from "./verify.ts";

const DEFAULT_BUFFERS = 16;
const DEFAULT_SECONDS = 30;
/** Room for tables and workspaces, some 40 KB a front end, and the records of up to 4096 buffers, 0.6 MB. */
const TABLE_BYTES = 1024 * 1024;
const FLOAT_BYTES = 4;
const MASK_BYTES = 8;

/** How to pool the features of an extractor. */
export interface PooledFeatureExtractorOptions {
  /** Results that can be in use at once, 1 to 4096; 16 by default. A pipeline makes all chunks of a clip first. */
  buffers?: number;
  /**
   * Length of the longest clip that fits a buffer, 1 s up; 30 by default. Longer ones are left to the original.
   * Whisper's and AST's features have a fixed size, which this does not change.
   */
  maxSeconds?: number;
  /**
   * What is done when every buffer is in use: `"allocate"` (default) returns an ordinary array and counts it,
   * `"error"` throws PoolExhaustedError.
   */
  whenFull?: "allocate" | "error";
  /** What is done about NaN and infinite samples, see `createFrontEnd`; `"error"` by default. */
  nonFinite?: NonFinitePolicy;
  /**
   * The core to work in, created with `threads: false`, for onnxruntime-node takes no shared memory. By default one
   * of its own, of a size that fits the buffers.
   */
  core?: Core;
  /** Name of the pool, unique within the core; `"features"` by default. */
  name?: string;
  /** Told of clips that are longer than the extractor reads; by default a warning on the console. */
  onWarning?: (message: string) => void;
}

/** What a pooled extractor has done so far. */
export interface PooledFeatureStatistics {
  /** Class of the original, such as "WhisperFeatureExtractor". */
  kind: string;
  /** Calls in pooled memory, those that found no buffer free, and those that were left to the original. */
  pooled: number;
  unpooled: number;
  delegated: number;
  /** Tensors whose memory is leased now. */
  tensors: number;
  /** Of the pool of results. */
  pool: PoolStatistics;
}

/** What a pooled extractor has beyond the original. */
export interface PooledFeatures {
  /** Counts since creation. Throws PoolClosedError after `close()` once nothing is leased. */
  stats(): PooledFeatureStatistics;
  /**
   * Disposes every tensor that is still leased. Neither they nor arrays taken from them are to be read afterwards.
   */
  releaseAll(): void;
  /**
   * Ends it: further calls throw PoolClosedError. Tensors in use stay valid until they are disposed or collected.
   *
   * @returns how many buffers are still leased. Further calls do nothing and return 0.
   */
  close(): number;
  /** As `close()`. */
  [dispose](): void;
}

/**
 * A feature extractor of @huggingface/transformers over pooled memory, to stand in the original's place:
 *
 * ```js
 * const { processor } = transcriber;
 * processor.components.feature_extractor = await pooledFeatureExtractor(processor.feature_extractor);
 * ```
 *
 * It is called as the original, takes the same options, and returns the same tensors, of the class that the original
 * returns: names, types, shapes, masks. Everything else (`config`, methods, `instanceof`) it inherits. Features are
 * held against the original's once, at creation, so that one that computes otherwise is refused.
 *
 * The tensors' data lie in a pooled buffer. Its lease ends with `tensor.dispose()`, with `releaseAll()`, or when the
 * tensor, its data and whatever shares them have been garbage-collected; until then the buffer is not used again.
 * Views made of `tensor.data.buffer` by hand are not seen. Masks share the buffer of the features. To post data to a
 * worker, post a copy, `tensor.data.slice()`: cloning a view clones the whole memory.
 *
 * Left to the original and counted as `delegated` are clips longer than `maxSeconds`, those too short for a frame, and
 * options out of the ordinary (a `max_length` above 30 s).
 *
 * Supported: WhisperFeatureExtractor, ParakeetFeatureExtractor, CohereAsrFeatureExtractor without dither,
 * SeamlessM4TFeatureExtractor, WeSpeakerFeatureExtractor, ASTFeatureExtractor, Wav2Vec2FeatureExtractor and
 * MoonshineFeatureExtractor, as in version 4 of @huggingface/transformers.
 *
 * Calls throw InvalidArgumentError for anything but Float32Array and Float64Array, NonFiniteSamplesError by
 * `nonFinite`, PoolExhaustedError by `whenFull`, PoolClosedError after `close()`.
 *
 * @param extractor the original: float32 or float64 mono samples in, tensors out.
 * @returns it over pooled memory; the original stays as it was.
 * @throws UnsupportedExtractorError for a class, a setting or features that wavepool cannot reproduce, naming it.
 * @throws InvalidArgumentError for an option out of range, or a core of shared memory.
 * @throws CoreMemoryError when the core has no room.
 */
export async function pooledFeatureExtractor<E extends FeatureExtractor>(
  extractor: E,
  options: PooledFeatureExtractorOptions = {},
): Promise<E & PooledFeatures> {
  assertOptions(options, "pooledFeatureExtractor");
  const {
    buffers = DEFAULT_BUFFERS,
    whenFull = "allocate",
    nonFinite = "error",
    name = "features",
    onWarning = (message: string) => console.warn(message),
  } = options;
  if (whenFull !== "allocate" && whenFull !== "error") {
    throw new InvalidArgumentError(`whenFull is ${describe(whenFull)}; give "allocate" or "error"`);
  }
  const kind = kindOf(extractor);
  const recipe = RECIPES[kind]!(readConfig(kind, extractor.config));
  const most = recipe.window ?? Math.floor(secondsOf(options) * recipe.sampleRate);
  const largest = recipe.plan(most, {});
  const probe = recipe.plan(probeSamples().length, {});
  if (!largest || !probe) {
    throw new UnsupportedExtractorError(
      `${kind}: with its settings clips of ${!probe ? "half a second" : `${most} samples`} make no frame; keep the original extractor`,
    );
  }
  const bufferBytes = bytesOf(largest);
  const core = options.core ?? (await ownCore(buffers, bufferBytes, most));
  if (core.threads) {
    throw new InvalidArgumentError(
      "the core's memory is shared, which onnxruntime-node takes no tensors of; create it with threads: false",
    );
  }
  const pool = createBufferPool(core, { name, dtype: "f32", bytes: bufferBytes, initial: 1, max: buffers });
  // All that calls need is taken now: later none fails for want of memory.
  reserveStaging(core, most);
  const spare = () => scratchOf(core, "unpooled features", bufferBytes / FLOAT_BYTES);
  spare();
  const frontEnds = [new Map<FrontEndDescription, FrontEnd>(), new Map<FrontEndDescription, FrontEnd>()];
  const theirs = await askOriginal(kind, extractor);
  const Tensor = tensorClassOf(kind, theirs, probe.output);
  const loans: Loans = new Set();
  const counts = { pooled: 0, unpooled: 0, delegated: 0 };

  function frontEndOf({ description, pad }: Job): FrontEnd {
    const known = frontEnds[Number(pad)]!;
    const frontEnd =
      known.get(description) ??
      createFrontEnd(core, { preset: description, pad, nonFinite, onWarning: ignore });
    known.set(description, frontEnd);
    return frontEnd;
  }

  /** Writes features and mask into `memory`, one behind the other, and makes tensors of views or of copies. */
  function compute(job: Job, audio: Samples, lease: Lease<"f32"> | undefined): Record<string, TensorLike> {
    const { byteOffset } = lease ? lease.view : spare();
    const features = new Float32Array(core.buffer, byteOffset, sizeOf(job.dims));
    const samples = samplesOf(audio, job);
    const frontEnd = frontEndOf(job);
    const count = samples === audio ? job.samples : samples.length;
    frontEnd.compute(samples, features, count);
    features.fill(job.filling, sizeOf(frontEnd.shape(count)));
    const tensorOf = <A extends Float32Array | BigInt64Array>(
      view: A,
      dims: readonly number[],
      reference: Lease<"f32"> | undefined,
    ) =>
      reference
        ? lendTensor(Tensor, view, dims, reference, loans)
        : newTensor(Tensor, view.slice() as A, dims);
    const result = { [job.output]: tensorOf(features, job.dims, lease) };
    if (job.mask) {
      const { length, ones } = job.mask;
      const mask = new BigInt64Array(core.buffer, byteOffset + maskOffset(job), length);
      mask.fill(0n).fill(1n, 0, ones);
      result.attention_mask = tensorOf(mask, [1, length], lease?.retain());
    }
    return result;
  }

  async function call(audio: Samples, given?: Record<string, unknown>): Promise<Record<string, TensorLike>> {
    if (pool.closed) throw new PoolClosedError(`${kind}: closed; make another with pooledFeatureExtractor`);
    assertSamples(kind, audio);
    const job = recipe.plan(audio.length, given ?? {});
    if (!job || job.samples + job.zeros > most || bytesOf(job) > bufferBytes) {
      counts.delegated++;
      return given === undefined ? extractor(audio) : extractor(audio, given);
    }
    if (job.cut) onWarning(cutWarning(kind, audio.length / recipe.sampleRate, most / recipe.sampleRate));
    const lease = pool.tryAcquire();
    if (!lease && whenFull === "error") {
      throw new PoolExhaustedError(
        `${kind}: all ${buffers} buffers are in use; dispose tensors that are done with, or give more buffers`,
      );
    }
    try {
      const result = compute(job, audio, lease);
      counts[lease ? "pooled" : "unpooled"]++;
      return result;
    } catch (error) {
      lease?.[dispose]();
      throw error;
    }
  }

  const close = () => pool.shutdown();
  try {
    assertSame(kind, theirs, compute(probe, probeSamples(), undefined));
  } catch (error) {
    close();
    throw error;
  }
  // Theirs are closures too, over `_call`, which wrappers may replace.
  const pooled = (...args: unknown[]) => (pooled as unknown as { _call: FeatureExtractor })._call(...args);
  Object.setPrototypeOf(pooled, extractor);
  const additions: PooledFeatures & { _call: typeof call } = {
    _call: call,
    stats: () => ({ kind, ...counts, tensors: loans.size, pool: pool.stats() }),
    releaseAll: () => disposeAll(loans),
    close,
    [dispose]: () => void close(),
  };
  for (const key of Reflect.ownKeys(additions)) {
    const value = additions[key as keyof typeof additions];
    Object.defineProperty(pooled, key, { value, writable: true, configurable: true });
  }
  return pooled as unknown as E & PooledFeatures;
}

/** For warnings that would be as true of the original, such as of filters without a bin. */
function ignore(): void {}

/** The class that decides what is computed: its own name, or the configuration's where a bundler renamed it. */
function kindOf(extractor: unknown): string {
  const { config } = (extractor ?? {}) as Partial<FeatureExtractor>;
  if (typeof extractor !== "function" || typeof config !== "object" || config === null) {
    throw new InvalidArgumentError(
      `the extractor is ${describe(extractor)}; give one of @huggingface/transformers, such as transcriber.processor.feature_extractor`,
    );
  }
  if ("releaseAll" in extractor) {
    throw new InvalidArgumentError("the extractor is pooled already; give the original");
  }
  const names = [extractor.constructor?.name, config.feature_extractor_type];
  const [own, configured] = names.map((name) => (typeof name === "string" ? name : ""));
  if (Object.hasOwn(RECIPES, own!)) return own!;
  if (!own!.endsWith("FeatureExtractor") && Object.hasOwn(RECIPES, configured!)) return configured!;
  throw new UnsupportedExtractorError(
    `wavepool does not reproduce ${own || "this extractor"} (feature_extractor_type ${describe(configured)}), but ${Object.keys(RECIPES).join(", ")}; keep the original extractor`,
  );
}

function secondsOf({ maxSeconds = DEFAULT_SECONDS }: PooledFeatureExtractorOptions): number {
  if (typeof maxSeconds === "number" && maxSeconds >= 1 && Number.isFinite(maxSeconds)) return maxSeconds;
  throw new InvalidArgumentError(`maxSeconds is ${describe(maxSeconds)}; give a number from 1 up`);
}

function ownCore(buffers: number, bufferBytes: number, most: number): Promise<Core> {
  if (!Number.isInteger(buffers) || buffers < 1 || buffers > 4096) {
    throw new InvalidArgumentError(`buffers is ${describe(buffers)}; give an integer from 1 to 4096`);
  }
  const memoryBytes = TABLE_BYTES + FLOAT_BYTES * most + (buffers + 1) * grantedBytes(bufferBytes);
  if (memoryBytes <= MAX_MEMORY_BYTES) return createCore({ memoryBytes, threads: false });
  throw new InvalidArgumentError(
    `${buffers} buffers of ${bufferBytes} bytes need ${memoryBytes}, above ${MAX_MEMORY_BYTES}; give fewer buffers or a smaller maxSeconds`,
  );
}

function assertSamples(kind: string, audio: unknown): asserts audio is Samples {
  if (audio instanceof Float32Array || audio instanceof Float64Array) return;
  throw new InvalidArgumentError(
    `${kind} expects input to be a Float32Array or a Float64Array, but got ${describe(audio)}; give mono samples, such as load_audio(url, sampling_rate) returns`,
  );
}

/** The samples of a job as the front end takes them: the array itself where its beginning serves as it is. */
function samplesOf(audio: Samples, { samples, zeros }: Job): Float32Array {
  if (zeros === 0 && samples > 0 && audio instanceof Float32Array) return audio;
  // Without any sample one of silence stands for them.
  const copy = new Float32Array(Math.max(1, samples + zeros));
  copy.set(audio.subarray(0, samples));
  return copy;
}

function cutWarning(kind: string, seconds: number, read: number): string {
  return `wavepool: ${kind} reads the first ${read} s of a clip of ${seconds.toFixed(1)} s; for longer ones give the pipeline chunk_length_s`;
}

function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dimension) => product * dimension, 1);
}

/** Where the mask begins, behind the features. */
function maskOffset({ dims }: Job): number {
  return Math.ceil((sizeOf(dims) * FLOAT_BYTES) / MASK_BYTES) * MASK_BYTES;
}

function bytesOf(job: Job): number {
  return maskOffset(job) + MASK_BYTES * (job.mask?.length ?? 0);
}
