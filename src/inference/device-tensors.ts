import type * as ort from "#onnxruntime";
import { LeaseError } from "../core/errors.ts";
import { type Device, type GpuBuffer, type MlTensor, openGpuDevice } from "./devices.ts";
import { reasonOf } from "./host-session.ts";
import { ProviderLostError } from "./provider-lost.ts";
import { elements, type Tensor, type TensorData, type TensorType } from "./tensor.ts";

const ARRAYS = {
  float32: Float32Array,
  float16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const;
/** Runs whose outputs are kept as free buffers: a step's caches are made while those that it read are still held. */
const KEPT_RUNS = 2;
/** GPUBufferUsage and GPUMapMode, whose names not every runtime has. */
const MAP_READ = 1;
const COPY_SRC = 4;
const COPY_DST = 8;
const STORAGE = 128;
/** onnxruntime-web reads and writes GPU buffers in vectors of this many bytes. */
const GPU_ALIGNMENT = 16;

/** A buffer on a device, of one type and shape. */
interface DeviceBuffer {
  readonly tensor: ort.Tensor;
  read(): Promise<ArrayBuffer>;
  destroy(): void;
}

/** The tensors of the sessions on one device. */
export interface DeviceTensors {
  /** What goes into a run: values that lie on this device as they are, all others from the host. */
  toOrt(tensor: Tensor): Promise<ort.Tensor>;
  /** Wraps an output that onnxruntime-web has made. */
  wrap(tensor: ort.Tensor): Tensor;
  /**
   * A pooled tensor to write an output into; undefined where there can be none.
   *
   * @param alike outputs of this type and shape in a run, by which the pool is sized
   */
  take(type: TensorType, dims: readonly number[], alike: number): Promise<Tensor | undefined>;
  /** Gives the pool's free buffers back, and those in use with their release. */
  destroy(): void;
}

interface Resident {
  readonly tensor: ort.Tensor;
  /** What it can go into as it is: a context, or the one GPU device. */
  readonly home: unknown;
}

const residents = new WeakMap<Tensor, Resident>();

/** Makes the pool of a session; `exclusively` keeps downloads and runs of onnxruntime-web apart. */
export function createDeviceTensors(
  runtime: ort.Runtime,
  device: Device,
  exclusively: <T>(task: () => Promise<T>) => Promise<T>,
): DeviceTensors {
  const home: unknown = device.context ?? runtime;
  const location = device.context ? "npu" : "gpu";
  const free = new Map<string, DeviceBuffer[]>();
  let destroyed = false;

  function pooled(
    buffer: DeviceBuffer,
    key: string,
    type: TensorType,
    dims: readonly number[],
    kept: number,
  ): Tensor {
    let live = true;
    const tensor: Tensor = {
      type,
      dims,
      location,
      async read() {
        if (!live) throw new LeaseError("a tensor was used after its release");
        return new ARRAYS[type](await fetched(buffer.read()), 0, elements(dims));
      },
      release() {
        if (!live) return;
        live = false;
        const list = free.get(key) ?? [];
        if (destroyed || list.length >= kept) buffer.destroy();
        else free.set(key, [...list, buffer]);
      },
    };
    residents.set(tensor, { tensor: buffer.tensor, home });
    return tensor;
  }

  return {
    async toOrt(tensor) {
      const resident = residents.get(tensor);
      if (resident && resident.home === home) return resident.tensor;
      return new runtime.Tensor(tensor.type, (await tensor.read()) as never, tensor.dims);
    },
    wrap(made) {
      const onHost = made.location === "cpu";
      let live = true;
      const tensor: Tensor = {
        type: made.type as TensorType,
        dims: made.dims,
        location: onHost ? "host" : location,
        read() {
          if (!live) throw new LeaseError("a tensor was used after its release");
          if (onHost) return made.data as TensorData;
          return fetched(exclusively(() => made.getData()) as Promise<TensorData>);
        },
        release() {
          if (live) made.dispose();
          live = false;
        },
      };
      residents.set(tensor, { tensor: made, home });
      return tensor;
    },
    async take(type, dims, alike) {
      if (elements(dims) === 0) return undefined;
      const key = `${type} ${dims}`;
      const kept = free.get(key)?.pop();
      const buffer = kept ?? (await createBuffer(runtime, device, type, dims));
      return buffer && pooled(buffer, key, type, dims, KEPT_RUNS * alike);
    },
    destroy() {
      destroyed = true;
      for (const buffers of free.values()) for (const buffer of buffers) buffer.destroy();
      free.clear();
    },
  };
}

/** A tensor that its device does not give is lost. */
async function fetched<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw new ProviderLostError(`the device does not give a tensor back (${reasonOf(cause)})`, { cause });
  }
}

function createBuffer(
  runtime: ort.Runtime,
  { context }: Device,
  type: TensorType,
  dims: readonly number[],
): Promise<DeviceBuffer | undefined> {
  return context ? createMlBuffer(runtime, context, type, dims) : createGpuBuffer(runtime, type, dims);
}

async function createMlBuffer(
  runtime: ort.Runtime,
  context: NonNullable<Device["context"]>,
  type: TensorType,
  dims: readonly number[],
): Promise<DeviceBuffer> {
  const dataType = type === "bool" ? "uint8" : type;
  const buffer: MlTensor = await context.createTensor({
    dataType,
    shape: [...dims],
    readable: true,
    writable: true,
  });
  return {
    tensor: runtime.Tensor.fromMLTensor(buffer as never, { dataType: type, dims }),
    read: () => context.readTensor(buffer),
    destroy: () => buffer.destroy(),
  };
}

async function createGpuBuffer(
  runtime: ort.Runtime,
  type: TensorType,
  dims: readonly number[],
): Promise<DeviceBuffer | undefined> {
  const device = await openGpuDevice();
  if (!device) return undefined;
  const bytes = elements(dims) * ARRAYS[type].BYTES_PER_ELEMENT;
  const size = Math.ceil(bytes / GPU_ALIGNMENT) * GPU_ALIGNMENT;
  const buffer = device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
  return {
    tensor: runtime.Tensor.fromGpuBuffer(buffer as never, { dataType: type, dims }),
    async read() {
      const staging: GpuBuffer = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
      try {
        const commands = device.createCommandEncoder();
        commands.copyBufferToBuffer(buffer, 0, staging, 0, size);
        device.queue.submit([commands.finish()]);
        await staging.mapAsync(MAP_READ);
        return staging.getMappedRange().slice(0);
      } finally {
        staging.destroy();
      }
    },
    destroy: () => buffer.destroy(),
  };
}
