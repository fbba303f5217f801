import * as ort from "#onnxruntime";
import { messageOf, UnsupportedRuntimeError } from "../core/errors.ts";

/** The parts of WebNN (W3C Web Neural Network API, MLContext and MLTensor) used here. */
export interface MlTensor {
  destroy(): void;
}
export interface MlContext {
  readonly lost?: Promise<{ message?: string }>;
  createTensor(descriptor: {
    dataType: string;
    shape: number[];
    readable?: boolean;
    writable?: boolean;
  }): Promise<MlTensor>;
  readTensor(tensor: MlTensor): Promise<ArrayBuffer>;
}
interface Ml {
  createContext(options: { deviceType: string }): Promise<MlContext>;
}

/** The parts of WebGPU (W3C WebGPU, GPUDevice and GPUBuffer) used here. */
export interface GpuBuffer {
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}
export interface GpuDevice {
  readonly lost: Promise<{ message: string }>;
  readonly queue: { submit(commands: unknown[]): void };
  createBuffer(descriptor: { size: number; usage: number }): GpuBuffer;
  createCommandEncoder(): {
    copyBufferToBuffer(from: GpuBuffer, at: number, to: GpuBuffer, toAt: number, bytes: number): void;
    finish(): unknown;
  };
}

const WEBNN_DEVICES = ["npu", "gpu", "cpu"] as const;

/** A device, as far as it is known before a session is made. */
export interface Device {
  readonly name: "npu" | "gpu" | "cpu";
  /** Whether it is known to be a GPU made up by the processor, such as SwiftShader, many times slower than Wasm. */
  readonly software?: boolean;
  /** WebNN's context; of WebGPU onnxruntime-web makes the device itself. */
  readonly context?: MlContext;
  /** Begins to look out for the device's loss; called once a session was made on it. */
  watch(): Promise<void>;
  /** Why the device is no longer there; undefined while it is. */
  lost(): string | undefined;
}

/** The parts of a GPUAdapter used here; older browsers have `isFallbackAdapter` on the adapter itself. */
interface GpuAdapter {
  readonly isFallbackAdapter?: boolean;
  readonly info?: { readonly isFallbackAdapter?: boolean };
}

/**
 * @throws UnsupportedRuntimeError when the runtime has no WebGPU, or WebGPU no adapter.
 */
export async function gpuDevice(): Promise<Device> {
  const { gpu } = (globalThis.navigator ?? {}) as {
    gpu?: { requestAdapter(): Promise<GpuAdapter | null> };
  };
  if (!gpu) throw new UnsupportedRuntimeError("this runtime has no WebGPU (navigator.gpu)");
  let adapter: GpuAdapter | null;
  try {
    adapter = await gpu.requestAdapter();
  } catch (cause) {
    throw new UnsupportedRuntimeError(`WebGPU gives no adapter: ${messageOf(cause)}`, { cause });
  }
  if (!adapter) throw new UnsupportedRuntimeError("WebGPU has no adapter on this machine");
  let why: string | undefined;
  return {
    name: "gpu",
    software: adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false,
    async watch() {
      const device = await openGpuDevice();
      // Not waited for: it resolves with the loss alone.
      void device?.lost.then(({ message }) => {
        why = message || "the GPU device was lost";
      });
    },
    lost: () => why,
  };
}

/** The device that onnxruntime-web runs on, once a session was made. */
export async function openGpuDevice(): Promise<GpuDevice | undefined> {
  const { env } = await ort.loadDeviceRuntime();
  return (await (env.webgpu as { device?: unknown }).device) as GpuDevice | undefined;
}

/** Contexts are shared: a tensor goes only into graphs of its own context. */
const contexts = new Map<string, Promise<MlContext>>();

/**
 * Devices that WebNN makes a context for, NPU first. That a context is made proves no such hardware: browsers
 * may fall back silently.
 *
 * @throws UnsupportedRuntimeError when there is none.
 */
export async function webNnDevices(): Promise<Device[]> {
  const { ml } = (globalThis.navigator ?? {}) as { ml?: Ml };
  if (!ml) throw new UnsupportedRuntimeError("this runtime has no WebNN (navigator.ml)");
  const devices: Device[] = [];
  const refusals: string[] = [];
  for (const name of WEBNN_DEVICES) {
    try {
      devices.push(await webNnDevice(ml, name));
    } catch (cause) {
      contexts.delete(name);
      refusals.push(`${name}: ${messageOf(cause)}`);
    }
  }
  if (devices.length === 0) {
    throw new UnsupportedRuntimeError(`WebNN makes no context (${refusals.join("; ")})`);
  }
  return devices;
}

async function webNnDevice(ml: Ml, name: Device["name"]): Promise<Device> {
  const made = contexts.get(name) ?? ml.createContext({ deviceType: name });
  contexts.set(name, made);
  const context = await made;
  let why: string | undefined;
  void context.lost?.then((info) => {
    contexts.delete(name);
    why = info.message || "the WebNN context was lost";
  });
  return { name, context, watch: async () => {}, lost: () => why };
}
