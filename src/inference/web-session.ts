import { adapter } from "#adapter";
import * as ort from "#onnxruntime";
import type { RuntimeFiles } from "../adapters/runtime-files.ts";
import { ModelFormatError, UnsupportedRuntimeError } from "../core/errors.ts";
import { sharedMemoryWorks } from "../core/runtime-probes.ts";
import { createHostSession, reasonOf, tensorInfo } from "./host-session.ts";
import { catchRuntimeModule, runtimeModule } from "./runtime-module.ts";
import { MAX_THREADS, type Session, type SessionOptions } from "./session.ts";
import { createHeapSession } from "./wasm-heap-session.ts";

/** Threads that onnxruntime-web is given: fixed when the first session of a realm is made. */
export const inferenceThreads = sharedMemoryWorks() ? Math.min(MAX_THREADS, adapter.cores) : 1;

/** The execution provider that sessions run on. */
export const executionProvider = "wasm";

/**
 * Tells onnxruntime-web where its own .wasm and .mjs files lie, for the whole realm.
 *
 * @param given URL or directory that ends in a slash, or the files one by one
 */
export function setRuntimeFiles(given: string | RuntimeFiles): void {
  ort.env.wasm.wasmPaths = typeof given === "string" ? given : { mjs: given.mjs, wasm: given.wasm };
  deviceFiles = typeof given === "string" ? given : given.device;
}

/**
 * URLs of onnxruntime-web's files of the installed package, as `runtimeFiles` takes them, for a worker whose script is no part of
 * a bundle and so cannot know them. Undefined outside browsers, where nobody needs them.
 */
export function installedRuntimeFiles(): RuntimeFiles | undefined {
  return ort.installedRuntimeFiles();
}

let deviceFiles: string | RuntimeFiles["device"];

/** What {@link setRuntimeFiles} was told last about the build for WebGPU and WebNN. */
export function deviceRuntimeFiles(): string | RuntimeFiles["device"] {
  return deviceFiles;
}

/** How a graph is loaded into onnxruntime-web's Wasm provider. */
export interface WebSessionOptions extends SessionOptions {
  /**
   * Whether tensors stay in the runtime's heap where its internals are known; else, and with false, each run
   * copies them in and out. Default true.
   */
  readonly inHeap?: boolean;
  /** Told why tensors are copied although `inHeap` was not false. */
  readonly onCopying?: (reason: string) => void;
}

/**
 * Loads an ONNX graph into onnxruntime-web on its Wasm provider.
 *
 * @throws ModelFormatError when onnxruntime-web refuses it.
 * @throws UnsupportedRuntimeError when onnxruntime-web itself does not start.
 */
export async function createWebSession(bytes: Uint8Array, options: WebSessionOptions): Promise<Session> {
  ort.env.wasm.numThreads = sharedMemoryWorks() ? (options.threads ?? inferenceThreads) : 1;
  // Its own log lines would stand beside our errors, which carry the same message.
  ort.env.logLevel = "fatal";
  const unknown = await catchRuntimeModule();
  const session = await create(bytes, options);
  const copying = () =>
    createHostSession({ session, Tensor: ort.Tensor, provider: "wasm", graph: options.graph });
  if (options.inHeap === false) return copying();
  const module = unknown ?? runtimeModule();
  const handle = (session as unknown as { handler?: { sessionId?: unknown } }).handler?.sessionId;
  if (typeof module === "string" || typeof handle !== "number") {
    options.onCopying?.(typeof module === "string" ? module : "its sessions have no number");
    return copying();
  }
  return createHeapSession({
    module,
    handle,
    graph: options.graph,
    inputs: session.inputMetadata.map(tensorInfo),
    outputs: session.outputMetadata.map(tensorInfo),
    release: () => session.release(),
  });
}

async function create(
  bytes: Uint8Array,
  { path, config, externalData }: WebSessionOptions,
): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: [executionProvider],
      graphOptimizationLevel: "all",
      logSeverityLevel: 4,
      ...(config && { extra: { ...config } }),
      ...(externalData && { externalData }),
    });
  } catch (cause) {
    if (reasonOf(cause).startsWith("no available backend")) {
      throw new UnsupportedRuntimeError(
        `onnxruntime-web does not start (${reasonOf(cause)}); serve the files of onnxruntime-web/dist and give their URL as runtimeFiles`,
        { cause },
      );
    }
    throw new ModelFormatError(`${path} does not load (${reasonOf(cause)}); fetch the model again`, {
      cause,
    });
  }
}
