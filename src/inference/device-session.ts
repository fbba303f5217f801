import * as ort from "#onnxruntime";
import { ModelFormatError, UnsupportedRuntimeError } from "../core/errors.ts";
import { createDeviceTensors } from "./device-tensors.ts";
import { type Device, gpuDevice, webNnDevices } from "./devices.ts";
import { unpackWeights } from "./graph/unpack-weights.ts";
import { externalReader } from "./graph-files.ts";
import { outlineGraph } from "./graph-outline.ts";
import { knownDims, reasonOf, runError, tensorInfo } from "./host-session.ts";
import { ProviderLostError } from "./provider-lost.ts";
import type { Session, SessionOptions } from "./session.ts";
import { callersTensor, type Tensor } from "./tensor.ts";
import { deviceRuntimeFiles } from "./web-session.ts";

type DeviceProvider = "webgpu" | "webnn";

/**
 * Operators of 8-bit activations, where they are left after the weights were unpacked. onnxruntime-web leaves them to the
 * processor, with a copy before and after each.
 */
const EIGHT_BIT = ["MatMulInteger", "DynamicQuantizeLinear", "ConvInteger"];
/** Branches, which no WebNN graph can have. */
const BRANCHES = ["If", "Loop", "Scan"];

/** onnxruntime-web's build for devices runs one thing at a time, whichever session it is. */
let queue: Promise<unknown> = Promise.resolve();

function exclusively<T>(task: () => Promise<T>): Promise<T> {
  const result = queue.then(task);
  // Whoever waits behind it has its own result; this one goes to its caller.
  queue = result.catch(() => undefined);
  return result;
}

/**
 * Loads a graph onto a GPU or an NPU by onnxruntime-web's WebGPU or WebNN provider. 8-bit weights are unpacked to float32,
 * for a device has no products of 8-bit integers. Outputs stay on the device, and go into later runs from there.
 *
 * @throws UnsupportedRuntimeError when there is no such device, or the graph is not for it.
 * @throws ModelFormatError when the provider refuses the graph.
 */
export async function createDeviceSession(
  provider: DeviceProvider,
  packed: Uint8Array,
  options: SessionOptions,
): Promise<Session> {
  if (provider === "webnn") assertFixed(packed, options);
  const devices = provider === "webgpu" ? [await hardwareGpu(options)] : await webNnDevices();
  const bytes = unpackWeights(packed, options.path, externalReader(options.externalData));
  assertFloats(bytes, options);
  if (provider === "webgpu") return open(provider, devices[0]!, bytes, options);
  const refusals: string[] = [];
  for (const device of devices) {
    try {
      return await open(provider, device, bytes, options);
    } catch (cause) {
      refusals.push(`${device.name}: ${reasonOf(cause)}`);
    }
  }
  throw new ModelFormatError(
    `WebNN does not take ${options.path} (${refusals.join("; ")}); use another provider`,
  );
}

async function hardwareGpu({ software }: SessionOptions): Promise<Device> {
  const gpu = await gpuDevice();
  if (gpu.software && software === false) {
    throw new UnsupportedRuntimeError(
      "WebGPU computes in software on this machine, slower than WebAssembly; name it in providers to use it all the same",
    );
  }
  return gpu;
}

function assertFixed(bytes: Uint8Array, options: SessionOptions): void {
  const { operators } = outlineGraph(bytes);
  const branch = BRANCHES.find((name) => operators.has(name));
  if (branch) {
    throw new UnsupportedRuntimeError(`${options.path} has branches (${branch}), which WebNN does not know`);
  }
  const { free } = fixedDimensions(bytes, options);
  if (free.length === 0) return;
  throw new UnsupportedRuntimeError(
    `${options.path} has free dimensions (${free.join(", ")}), and WebNN takes fixed sizes only`,
  );
}

function assertFloats(bytes: Uint8Array, { path }: SessionOptions): void {
  const { operators } = outlineGraph(bytes);
  const eightBit = EIGHT_BIT.find((name) => operators.has(name));
  if (!eightBit) return;
  throw new UnsupportedRuntimeError(
    `${path} computes in 8 bits (${eightBit}), which no device does, and is not laid out so that its weights could be unpacked; take fp16, fp32 or q4 weights`,
  );
}

/** Sizes of the free dimensions by the shapes that are told, and those that stay free. */
function fixedDimensions(
  bytes: Uint8Array,
  { shapes }: SessionOptions,
): { sizes: Record<string, number>; free: string[] } {
  const sizes: Record<string, number> = {};
  const free = new Set<string>();
  for (const { name, dims } of outlineGraph(bytes).inputs) {
    dims.forEach((dim, axis) => {
      const size = shapes?.[name]?.[axis];
      if (typeof dim !== "string") return;
      if (size === undefined) free.add(dim);
      else sizes[dim] = size;
    });
  }
  return { sizes, free: [...free].filter((dim) => sizes[dim] === undefined) };
}

function assertThere(provider: DeviceProvider, device: Device, cause?: unknown): void {
  const lost = device.lost();
  if (lost !== undefined) throw new ProviderLostError(`${provider} was lost: ${lost}`, { cause });
}

async function open(
  provider: DeviceProvider,
  device: Device,
  bytes: Uint8Array,
  options: SessionOptions,
): Promise<Session> {
  const { graph, path, externalData } = options;
  const runtime = await ort.loadDeviceRuntime();
  // What is left to the processor is small; and outside browsers this build starts no threads.
  runtime.env.wasm.numThreads = 1;
  runtime.env.logLevel = "fatal";
  const files = deviceRuntimeFiles();
  if (files !== undefined) runtime.env.wasm.wasmPaths = files;
  // WebNN gets the whole graph or nothing: what it leaves would be copied back and forth in every run.
  const config = {
    ...(provider === "webnn" && { "session.disable_cpu_ep_fallback": "1" }),
    ...options.config,
  };
  const session = await exclusively(() =>
    runtime.InferenceSession.create(bytes, {
      executionProviders: [
        provider === "webgpu" ? { name: "webgpu" } : ({ name: "webnn", context: device.context } as never),
      ],
      preferredOutputLocation: provider === "webgpu" ? "gpu-buffer" : "ml-tensor",
      logSeverityLevel: 4,
      extra: config,
      ...(externalData && { externalData }),
      ...(provider === "webnn" && { freeDimensionOverrides: fixedDimensions(bytes, options).sizes }),
    }),
  ).catch((cause) => {
    throw new ModelFormatError(`${path} does not load on ${provider} (${reasonOf(cause)})`, { cause });
  });
  await device.watch();
  const inputs = session.inputMetadata.map(tensorInfo);
  const outputs = session.outputMetadata.map(tensorInfo);
  const tensors = createDeviceTensors(runtime, device, exclusively);
  let released = false;

  return {
    provider,
    device: device.name,
    inputs,
    outputs,
    tensor: callersTensor,
    async run(feeds, fetches) {
      const lent: Tensor[] = [];
      try {
        assertThere(provider, device);
        const values: Record<string, ort.Tensor> = {};
        for (const [name, tensor] of Object.entries(feeds)) values[name] = await tensors.toOrt(tensor);
        const into: Record<string, ort.Tensor | null> = {};
        const results: Record<string, Tensor> = {};
        const shapes = fetches.map((name) => {
          const info = outputs.find((output) => output.name === name);
          const dims = info && knownDims(info, inputs, feeds);
          return dims && { type: info.type, dims, key: `${info.type} ${dims}` };
        });
        for (const [i, name] of fetches.entries()) {
          into[name] = null;
          const shape = shapes[i];
          if (!shape) continue;
          const alike = shapes.filter((other) => other?.key === shape.key).length;
          const tensor = await tensors.take(shape.type, shape.dims, alike);
          if (!tensor) continue;
          lent.push(tensor);
          results[name] = tensor;
          into[name] = await tensors.toOrt(tensor);
        }
        const made = await exclusively(() => session.run(values, into));
        for (const name of fetches) {
          if (results[name]) continue;
          results[name] = tensors.wrap(made[name] as ort.Tensor);
          lent.push(results[name]);
        }
        // A lost GPU lets every call succeed and does nothing.
        assertThere(provider, device);
        return results;
      } catch (cause) {
        for (const tensor of lent) tensor.release();
        if (cause instanceof ProviderLostError) throw cause;
        assertThere(provider, device, cause);
        throw runError(graph, cause);
      }
    },
    async release() {
      if (released) return;
      released = true;
      tensors.destroy();
      await exclusively(() => session.release());
    },
  };
}
