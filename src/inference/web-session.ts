import { adapter } from "#adapter";
import * as ort from "#onnxruntime";
import { InferenceError, ModelFormatError, messageOf, UnsupportedRuntimeError } from "../core/errors.ts";
import type { Session, SessionOptions, TensorInfo } from "./session.ts";
import type { Tensor, TensorData, TensorType } from "./tensor.ts";

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
 * Loads an ONNX graph into onnxruntime-web on its Wasm provider.
 *
 * @throws ModelFormatError when onnxruntime-web refuses it.
 * @throws UnsupportedRuntimeError when onnxruntime-web itself does not start.
 */
export async function createWebSession(bytes: Uint8Array, { graph, path }: SessionOptions): Promise<Session> {
  ort.env.wasm.numThreads = inferenceThreads;
  // Its own log lines would stand beside our errors, which carry the same message.
  ort.env.logLevel = "fatal";
  const session = await create(bytes, path);
  return {
    provider: "wasm",
    inputs: session.inputMetadata.map(tensorInfo),
    outputs: session.outputMetadata.map(tensorInfo),
    tensor: (type, data, dims) => hostTensor(new ort.Tensor(type, data as never, dims)),
    async run(feeds, fetches) {
      const inputs: Record<string, ort.Tensor> = {};
      for (const [name, tensor] of Object.entries(feeds)) inputs[name] = await toOrt(tensor);
      try {
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

async function create(bytes: Uint8Array, path: string): Promise<ort.InferenceSession> {
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

function reason(cause: unknown): string {
  return messageOf(cause).split("\n")[0]!.slice(0, 200);
}
