import { adapter } from "#adapter";
import * as ort from "#onnxruntime";
import { InferenceError, ModelFormatError, messageOf, UnsupportedRuntimeError } from "../core/errors.ts";

/** More threads than this slow Whisper's small matrices down. */
const MAX_THREADS = 8;

/** Threads that onnxruntime-web is given: fixed when the first session of a realm is made. */
export const inferenceThreads = Math.min(MAX_THREADS, adapter.cores);

/** The execution provider that sessions run on. */
export const executionProvider = "wasm";

/**
 * Tells onnxruntime-web where its own .wasm and .mjs files lie, for the whole realm.
 *
 * @param prefix URL or directory that ends in a slash
 */
export function setRuntimeFiles(prefix: string): void {
  ort.env.wasm.wasmPaths = prefix;
}

/**
 * Loads an ONNX file into onnxruntime-web on its Wasm provider.
 *
 * @throws FileError when the file cannot be read.
 * @throws ModelFormatError when onnxruntime-web refuses it.
 * @throws UnsupportedRuntimeError when onnxruntime-web itself does not start.
 */
export async function createSession(path: string): Promise<ort.InferenceSession> {
  const bytes = await adapter.readFile(path);
  ort.env.wasm.numThreads = inferenceThreads;
  // Its own log lines would stand beside our errors, which carry the same message.
  ort.env.logLevel = "fatal";
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: [executionProvider],
      graphOptimizationLevel: "all",
      logSeverityLevel: 4,
    });
  } catch (cause) {
    if (reason(cause).startsWith("no available backend")) {
      throw new UnsupportedRuntimeError(
        `onnxruntime-web does not start (${reason(cause)}); serve the files of onnxruntime-web/dist and give their URL as runtimeFiles`,
        { cause },
      );
    }
    throw new ModelFormatError(`${path} does not load (${reason(cause)}); fetch the model again`, { cause });
  }
}

/**
 * Runs a session for the outputs in `fetches` only.
 *
 * @throws InferenceError naming the graph that failed.
 */
export async function runSession(
  session: ort.InferenceSession,
  graph: string,
  feeds: Record<string, ort.Tensor>,
  fetches: string[],
): Promise<Record<string, ort.Tensor>> {
  try {
    return (await session.run(feeds, fetches)) as Record<string, ort.Tensor>;
  } catch (cause) {
    throw new InferenceError(
      `the ${graph} failed (${reason(cause)}); check that all files are of one model`,
      { cause },
    );
  }
}

function reason(cause: unknown): string {
  return messageOf(cause).split("\n")[0]!.slice(0, 200);
}
