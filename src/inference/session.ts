import * as ort from "onnxruntime-web";
import { adapter } from "#adapter";
import { InferenceError, ModelFormatError } from "../core/errors.ts";

/** More threads than this slow Whisper's small matrices down. */
const MAX_THREADS = 8;

/** Threads that onnxruntime-web is given: fixed when the first session of a realm is made. */
export const inferenceThreads = Math.min(MAX_THREADS, adapter.cores);

/** The execution provider that sessions run on. */
export const executionProvider = "wasm";

/**
 * Loads an ONNX file into onnxruntime-web on its Wasm provider.
 *
 * @throws FileError when the file cannot be read.
 * @throws ModelFormatError when onnxruntime-web refuses it.
 */
export async function createSession(path: string): Promise<ort.InferenceSession> {
  const bytes = await adapter.readFile(path);
  ort.env.wasm.numThreads = inferenceThreads;
  ort.env.logLevel = "error";
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: [executionProvider],
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
  } catch (cause) {
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
    throw new InferenceError(`the ${graph} failed (${reason(cause)})`, { cause });
  }
}

function reason(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.split("\n")[0]!.slice(0, 200);
}
