import { adapter } from "#adapter";
import * as ort from "#onnxruntime";
import { ModelFormatError, UnsupportedRuntimeError } from "../core/errors.ts";
import { createHostSession, reasonOf } from "./host-session.ts";
import { MAX_THREADS, type Session, type SessionOptions } from "./session.ts";

/**
 * Loads onnxruntime-node.
 *
 * @throws UnsupportedRuntimeError when it is not installed or does not run on this machine.
 */
export async function loadNativeRuntime(): Promise<ort.Runtime> {
  try {
    return await ort.loadNativeRuntime();
  } catch (cause) {
    throw new UnsupportedRuntimeError(
      `onnxruntime-node does not load (${reasonOf(cause)}); npm install onnxruntime-node for native inference`,
      { cause },
    );
  }
}

/**
 * Loads an ONNX graph into onnxruntime-node on its CPU provider.
 *
 * @throws ModelFormatError when onnxruntime-node refuses it.
 * @throws UnsupportedRuntimeError when there is no onnxruntime-node.
 */
export async function createNativeSession(bytes: Uint8Array, options: SessionOptions): Promise<Session> {
  const runtime = await loadNativeRuntime();
  const { graph, path, config, externalData, threads = Math.min(MAX_THREADS, adapter.cores) } = options;
  try {
    const session = await runtime.InferenceSession.create(bytes, {
      executionProviders: ["cpu"],
      graphOptimizationLevel: "all",
      logSeverityLevel: 4,
      intraOpNumThreads: threads,
      ...(config && { extra: { ...config } }),
      ...(externalData && { externalData }),
    });
    return createHostSession({
      session,
      Tensor: runtime.Tensor,
      provider: "native",
      graph,
    });
  } catch (cause) {
    throw new ModelFormatError(`${path} does not load (${reasonOf(cause)}); fetch the model again`, {
      cause,
    });
  }
}
