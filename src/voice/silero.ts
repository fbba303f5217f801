import { adapter } from "#adapter";
import { assertOptions, describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import {
  InvalidArgumentError,
  ModelFormatError,
  ModelNotFoundError,
  NonFiniteSamplesError,
} from "../core/errors.ts";
import type { Session } from "../inference/session.ts";
import type { Tensor } from "../inference/tensor.ts";
import { createWebSession } from "../inference/web-session.ts";
import { statePool } from "../pools/shared-pool.ts";

/** Samples a second that the detector takes. */
export const VOICE_RATE = 16000;
/** Samples that one probability is for: 32 ms. */
export const VOICE_CHUNK = 512;
/** Samples before each chunk that the graph looks at too. */
const CONTEXT = 64;
const INPUT = CONTEXT + VOICE_CHUNK;
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
  const session = await createWebSession(await adapter.readFile(path), { graph: "voice detector", path });
  try {
    assertSilero(session, path);
    return createDetector(core, session);
  } catch (error) {
    await session.release();
    throw error;
  }
}

function assertSilero(session: Session, path: string): void {
  const inputs = session.inputs.map(({ name }) => name);
  const outputs = session.outputs.map(({ name }) => name);
  const lacks = [
    ...["input", "state", "sr"].filter((name) => !inputs.includes(name)),
    ...["output", "stateN"].filter((name) => !outputs.includes(name)),
  ];
  if (lacks.length === 0) return;
  throw new ModelFormatError(
    `${path} is no Silero voice detector of version 5 or 6 (it has no ${lacks.join(", ")}); give silero_vad_v6.onnx of ${VOICE_PACKAGE}`,
  );
}

function createDetector(core: Core, session: Session): VoiceDetector {
  const lease = statePool(core, "voice", INPUT + STATE + 2).acquire();
  const { view } = lease;
  const input = view.subarray(0, INPUT);
  const rate = new BigInt64Array(view.buffer, view.byteOffset + (INPUT + STATE) * FLOAT_BYTES, 1);
  rate[0] = BigInt(VOICE_RATE);
  view.fill(0, 0, INPUT + STATE);
  // Made once: a session reads the values at each run.
  const given = {
    input: session.tensor("float32", input, [1, INPUT]),
    sr: session.tensor("int64", rate, []),
    state: session.tensor("float32", view.subarray(INPUT, INPUT + STATE), STATE_DIMS),
  };
  let state: Tensor = given.state;
  let running: Promise<number> | undefined;
  let released: Promise<void> | undefined;

  const replaceState = (next: Tensor) => {
    if (state !== given.state) state.release();
    state = next;
  };
  const assertIdle = (caller: string) => {
    if (running) {
      throw new InvalidArgumentError(`${caller}: the voice detector is at work; await the call before`);
    }
  };

  async function run(): Promise<number> {
    const outputs = await session.run({ input: given.input, state, sr: given.sr }, ["output", "stateN"]);
    const { output, stateN } = outputs as { output: Tensor; stateN: Tensor };
    let probability: number;
    try {
      probability = (await output.read())[0] as number;
    } catch (error) {
      stateN.release();
      throw error;
    } finally {
      output.release();
    }
    replaceState(stateN);
    input.copyWithin(0, VOICE_CHUNK);
    return probability;
  }

  return {
    session,
    async probability(chunk) {
      if (released) throw new InvalidArgumentError("the voice detector was released; load another one");
      assertIdle("probability");
      if (!(chunk instanceof Float32Array) || chunk.length !== VOICE_CHUNK) {
        const seen = chunk instanceof Float32Array ? `${chunk.length} samples` : describe(chunk);
        throw new InvalidArgumentError(`the chunk is ${seen}; give a Float32Array of ${VOICE_CHUNK}`);
      }
      input.set(chunk, CONTEXT);
      const address = input.byteOffset + CONTEXT * FLOAT_BYTES;
      const bad = core.exports.countNonFinite(address, VOICE_CHUNK) >>> 0;
      if (bad > 0) {
        throw new NonFiniteSamplesError(
          `${bad} of ${VOICE_CHUNK} samples are NaN or infinite; clean or re-record the clip`,
          bad,
          core.exports.firstNonFinite(address, VOICE_CHUNK),
        );
      }
      running = run();
      try {
        return await running;
      } finally {
        running = undefined;
      }
    },
    reset() {
      if (released) return;
      assertIdle("reset");
      replaceState(given.state);
      input.fill(0);
    },
    release() {
      released ??= (async () => {
        // Its own caller gets the error.
        await running?.catch(() => undefined);
        replaceState(given.state);
        for (const tensor of Object.values(given)) tensor.release();
        lease.release();
        await session.release();
      })();
      return released;
    },
  };
}
