import { adapter } from "#adapter";
import * as ort from "#onnxruntime";
import { messageOf } from "../core/errors.ts";
import { gpuDevice, webNnDevices } from "./devices.ts";
import { loadNativeRuntime } from "./native-session.ts";
import { catchRuntimeModule } from "./runtime-module.ts";
import { MAX_THREADS, type ProviderName } from "./session.ts";
import { inferenceThreads } from "./web-session.ts";

/** Whether a provider exists in this runtime. */
export interface ProviderState {
  readonly exists: boolean;
  /** What runs it, or why there is none. */
  readonly detail: string;
}

/** Looks for a provider, without a model. That it exists does not say that it takes a graph. */
export async function probeProvider(provider: ProviderName): Promise<ProviderState> {
  try {
    return { exists: true, detail: await DETAILS[provider]() };
  } catch (cause) {
    return { exists: false, detail: messageOf(cause) };
  }
}

const DETAILS: Record<ProviderName, () => Promise<string>> = {
  async webnn() {
    const devices = await webNnDevices();
    return `contexts for ${devices.map(({ name }) => name).join(", ")}; the browser may compute elsewhere`;
  },
  async webgpu() {
    const { software } = await gpuDevice();
    return software ? "an adapter in software, which is used where it is named" : "an adapter";
  },
  async native() {
    const { env } = await loadNativeRuntime();
    return `onnxruntime-node ${env.versions.node}, ${threads(Math.min(MAX_THREADS, adapter.cores))}`;
  },
  async wasm() {
    const why = await catchRuntimeModule();
    const where = why === undefined ? "tensors stay in its heap" : `tensors are copied at each run: ${why}`;
    return `onnxruntime-web ${ort.env.versions.web}, ${threads(inferenceThreads)}; ${where}`;
  },
};

function threads(count: number): string {
  return `${count} thread${count === 1 ? "" : "s"}`;
}
