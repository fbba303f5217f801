import { adapter } from "#adapter";
import * as ort from "#onnxruntime";
import { InferenceError, ModelFormatError, messageOf, UnsupportedRuntimeError } from "../core/errors.ts";
import { sharedMemoryWorks } from "../core/runtime-probes.ts";
import { catchRuntimeModule, runtimeModule } from "./runtime-module.ts";
import type { Session, SessionOptions, TensorInfo } from "./session.ts";
import type { Tensor, TensorData, TensorType } from "./tensor.ts";
import { createHeapSession } from "./wasm-heap-session.ts";

/** More threads than this slow Whisper's small matrices down. */
const MAX_THREADS = 8;

/** Threads that onnxruntime-web is given: fixed when the first session of a realm is made. */
export const inferenceThreads = sharedMemoryWorks() ? Math.min(MAX_THREADS, adapter.cores) : 1;

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
  ort.env.wasm.numThreads = inferenceThreads;
  // Its own log lines would stand beside our errors, which carry the same message.
  ort.env.logLevel = "fatal";
  const unknown = await catchRuntimeModule();
  const session = await create(bytes, options);
  if (options.inHeap === false) return copyingSession(session, options.graph);
  const module = unknown ?? runtimeModule();
  const handle = (session as unknown as { handler?: { sessionId?: unknown } }).handler?.sessionId;
  if (typeof module === "string" || typeof handle !== "number") {
    options.onCopying?.(typeof module === "string" ? module : "its sessions have no number");
    return copyingSession(session, options.graph);
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

/** A session on the public API alone. */
function copyingSession(session: ort.InferenceSession, graph: SessionOptions["graph"]): Session {
  return {
    provider: "wasm",
    inputs: session.inputMetadata.map(tensorInfo),
    outputs: session.outputMetadata.map(tensorInfo),
    tensor: (type, data, dims) => hostTensor(new ort.Tensor(type, data as never, dims)),
    async run(feeds, fetches) {
      const inputs: Record<string, ort.Tensor> = {};
      try {
        for (const [name, tensor] of Object.entries(feeds)) inputs[name] = await toOrt(tensor);
        const outputs = await session.run(inputs, fetches as string[]);
        const tensors: Record<string, Tensor> = {};
        for (const name of fetches) tensors[name] = hostTensor(outputs[name] as ort.Tensor);
        return tensors;
      } catch (cause) {
        throw new InferenceError(
          `the ${graph} failed (${reason(cause)}); check that all files are of one model`,
          { cause },
        );
      }
    },
    release: () => session.release(),
  };
}

/** The tensors of onnxruntime-web behind ours. */
const wrapped = new WeakMap<Tensor, ort.Tensor>();

function hostTensor(tensor: ort.Tensor): Tensor {
  const host: Tensor = {
    type: tensor.type as TensorType,
    dims: tensor.dims,
    location: "host",
    read: () => tensor.data as TensorData,
    release: () => tensor.dispose(),
  };
  wrapped.set(host, tensor);
  return host;
}

async function toOrt(tensor: Tensor): Promise<ort.Tensor> {
  return wrapped.get(tensor) ?? new ort.Tensor(tensor.type, (await tensor.read()) as never, tensor.dims);
}

function tensorInfo(metadata: ort.InferenceSession.ValueMetadata): TensorInfo {
  if (!metadata.isTensor) return { name: metadata.name, type: "float32", dims: [] };
  return { name: metadata.name, type: metadata.type as TensorType, dims: metadata.shape };
}

async function create(bytes: Uint8Array, { path, config }: WebSessionOptions): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: [executionProvider],
      graphOptimizationLevel: "all",
      logSeverityLevel: 4,
      ...(config && { extra: { ...config } }),
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

function reason(cause: unknown): string {
  return messageOf(cause).split("\n")[0]!.slice(0, 200);
}
