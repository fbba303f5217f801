import { adapter } from "#adapter";
import { assertOptions, describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import { InvalidArgumentError, ModelNotFoundError, NonFiniteSamplesError } from "../core/errors.ts";
import type { Session } from "../inference/session.ts";
import type { Tensor } from "../inference/tensor.ts";
import { createWebSession } from "../inference/web-session.ts";
import { statePool } from "../pools/shared-pool.ts";
import { sequenceGraph } from "./sequence-graph.ts";

/** Samples a second that the detector takes. */
export const VOICE_RATE = 16000;
/** Samples that one probability is for: 32 ms. */
export const VOICE_CHUNK = 512;
/** Chunks that one run takes at most; more are hardly faster. */
export const MAX_CHUNKS = 24;
/** Samples before each chunk that the graph looks at too, and those after it that mirror its end. */
const CONTEXT = 64;
const MIRROR = 64;
const ROW = CONTEXT + VOICE_CHUNK + MIRROR;
const INPUT = MAX_CHUNKS * ROW;
/** Both states of its LSTM, 128 wide. */
const STATE_DIMS = [2, 1, 128];
const STATE = 256;
const FLOAT_BYTES = 4;

/** The npm package that carries Silero's weights. */
export const VOICE_PACKAGE = "@ricky0123/vad-web";
/** Its files, most wanted first: packages before 0.0.31 have only the second. */
const FILES = ["dist/silero_vad_v6.onnx", "dist/silero_vad_v5.onnx"];

/** How to load a voice detector. */
export interface VoiceDetectorOptions {
  /** Path or URL of silero_vad_v5.onnx or silero_vad_v6.onnx; by default that of the installed npm package. */
  path?: string;
}

/** Silero's voice activity detector on one stream of sound. */
export interface VoiceDetector {
  readonly session: Session;
  /**
   * How likely the next chunk of the stream holds speech. The detector remembers what came before.
   *
   * @param chunk the next 512 samples at 16 kHz, -1 to 1; they are copied before the call returns
   * @returns a probability from 0 to 1.
   * @throws InvalidArgumentError when the chunk has another length, when the call before is still at work, and after
   * `release`.
   * @throws NonFiniteSamplesError when a sample is NaN or infinite; the chunk is not taken then.
   * @throws InferenceError when the provider fails; the chunk is not taken then.
   */
  probability(chunk: Float32Array): Promise<number>;
  /**
   * The same for up to 24 chunks at once, at a fifth of the cost. How chunks are grouped changes probabilities by some
   * 1e-5.
   *
   * @param samples 512 for each chunk
   */
  probabilities(samples: Float32Array): Promise<Float32Array>;
  /**
   * Forgets the stream, for another one.
   *
   * @throws InvalidArgumentError while a call is at work.
   */
  reset(): void;
  /** Gives everything back, once the call at work is done. Later calls do nothing. */
  release(): Promise<void>;
}

/**
 * Path of Silero's weights in the installed npm package.
 *
 * @throws ModelNotFoundError when it is not installed, or has no such file.
 */
export async function findVoiceDetector(): Promise<string> {
  const directory = adapter.findPackage(VOICE_PACKAGE);
  if (directory === undefined) {
    throw new ModelNotFoundError(
      `the voice detector is not here: npm package ${VOICE_PACKAGE} is not installed; run "npm install ${VOICE_PACKAGE}", or give the path or URL of its ${FILES[0]}`,
    );
  }
  for (const file of FILES) {
    const path = adapter.join(directory, file);
    if (await adapter.fileExists(path)) return path;
  }
  throw new ModelNotFoundError(
    `${directory} has no ${FILES.join(" or ")}; run "npm install ${VOICE_PACKAGE}@latest"`,
  );
}

/**
 * Loads Silero's voice activity detector (https://github.com/snakers4/silero-vad; inputs, outputs and context as
 * OnnxWrapper of its src/silero_vad/utils_vad.py gives them). One detector serves one stream at a time. Samples and
 * first state lie in a pooled buffer, leased until `release`; later states go from run to run as they are.
 *
 * @throws ModelNotFoundError when no path is given and the npm package is not installed.
 * @throws ModelFormatError when the file is broken or no Silero detector of version 5 or 6.
 * @throws FileError when the file cannot be read.
 * @throws CoreMemoryError when the core has no room for the buffer.
 */
export async function loadVoiceDetector(
  core: Core,
  options: VoiceDetectorOptions = {},
): Promise<VoiceDetector> {
  assertOptions(options, "loadVoiceDetector");
  const path = options.path ?? (await findVoiceDetector());
  if (typeof path !== "string" || path === "") {
    throw new InvalidArgumentError(`path is ${describe(path)}; give the path or URL of silero_vad_v6.onnx`);
  }
  const bytes = sequenceGraph(await adapter.readFile(path), path);
  const session = await createWebSession(bytes, { graph: "voice detector", path });
  try {
    return createDetector(core, session);
  } catch (error) {
    await session.release();
    throw error;
  }
}

function createDetector(core: Core, session: Session): VoiceDetector {
  const lease = statePool(core, "voice", INPUT + STATE + CONTEXT).acquire();
  const { view } = lease;
  const input = view.subarray(0, INPUT);
  const context = view.subarray(INPUT + STATE, INPUT + STATE + CONTEXT).fill(0);
  const silence = session.tensor("float32", view.subarray(INPUT, INPUT + STATE).fill(0), STATE_DIMS);
  let state = silence;
  let running: Promise<Float32Array> | undefined;
  let released: Promise<void> | undefined;

  const replaceState = (next: Tensor) => {
    if (state !== silence) state.release();
    state = next;
  };
  const assertIdle = (caller: string) => {
    if (running) {
      throw new InvalidArgumentError(`${caller}: the voice detector is at work; await the call before`);
    }
  };

  /** Lays the chunks out as rows, and tells how many samples are NaN or infinite, and which is the first. */
  function place(samples: Float32Array): { bad: number; first: number } {
    let bad = 0;
    let first = -1;
    for (let at = 0, row = 0; at < samples.length; at += VOICE_CHUNK, row += ROW) {
      const begin = row + CONTEXT;
      const end = begin + VOICE_CHUNK;
      if (at === 0) input.set(context, row);
      else input.copyWithin(row, row - MIRROR - CONTEXT, row - MIRROR);
      input.set(samples.subarray(at, at + VOICE_CHUNK), begin);
      for (let i = 0; i < MIRROR; i++) input[end + i] = input[end - 2 - i]!;
      const address = input.byteOffset + begin * FLOAT_BYTES;
      const found = core.exports.countNonFinite(address, VOICE_CHUNK) >>> 0;
      if (found > 0 && bad === 0) first = at + core.exports.firstNonFinite(address, VOICE_CHUNK);
      bad += found;
    }
    return { bad, first };
  }

  async function run(chunks: number): Promise<Float32Array> {
    const rows = session.tensor("float32", input.subarray(0, chunks * ROW), [1, 1, chunks, ROW]);
    try {
      const outputs = await session.run({ chunks: rows, state }, ["probabilities", "nextState"]);
      const { probabilities, nextState } = outputs as { probabilities: Tensor; nextState: Tensor };
      try {
        const found = ((await probabilities.read()) as Float32Array).slice();
        replaceState(nextState);
        const end = chunks * ROW - MIRROR;
        context.set(input.subarray(end - CONTEXT, end));
        return found;
      } catch (error) {
        nextState.release();
        throw error;
      } finally {
        probabilities.release();
      }
    } finally {
      rows.release();
    }
  }

  async function take(samples: Float32Array, most: number): Promise<Float32Array> {
    if (released) throw new InvalidArgumentError("the voice detector was released; load another one");
    assertIdle("probability");
    const chunks = samples instanceof Float32Array ? samples.length / VOICE_CHUNK : 0;
    if (!Number.isInteger(chunks) || chunks < 1 || chunks > most) {
      const seen = samples instanceof Float32Array ? `${samples.length} samples` : describe(samples);
      const times = most === 1 ? "" : ` times 1 to ${most}`;
      throw new InvalidArgumentError(`the chunk is ${seen}; give a Float32Array of ${VOICE_CHUNK}${times}`);
    }
    const { bad, first } = place(samples);
    if (bad > 0) {
      throw new NonFiniteSamplesError(
        `${bad} of ${samples.length} samples are NaN or infinite, the first at index ${first}; clean or re-record the clip`,
        bad,
        first,
      );
    }
    running = run(chunks);
    try {
      return await running;
    } finally {
      running = undefined;
    }
  }

  return {
    session,
    probability: async (chunk) => (await take(chunk, 1))[0]!,
    probabilities: (samples) => take(samples, MAX_CHUNKS),
    reset() {
      if (released) return;
      assertIdle("reset");
      replaceState(silence);
      context.fill(0);
    },
    release() {
      released ??= (async () => {
        // Its own caller gets the error.
        await running?.catch(() => undefined);
        replaceState(silence);
        silence.release();
        lease.release();
        await session.release();
      })();
      return released;
    },
  };
}
