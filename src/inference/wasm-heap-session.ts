import { InferenceError, LeaseError } from "../core/errors.ts";
import { runError } from "./host-session.ts";
import type { RuntimeModule } from "./runtime-module.ts";
import type { Session, SessionOptions, TensorInfo } from "./session.ts";
import { callersTensor, elements, type Tensor, type TensorData, type TensorType } from "./tensor.ts";

/** Numbers of the element types (TensorProto.DataType of onnx.proto), and their arrays. */
const TYPES = {
  float32: { code: 1, array: Float32Array },
  int32: { code: 6, array: Int32Array },
  int64: { code: 7, array: BigInt64Array },
  bool: { code: 9, array: Uint8Array },
  float16: { code: 10, array: Uint16Array },
} as const;
const NAMES = new Map<number, TensorType>(
  Object.entries(TYPES).map(([name, { code }]) => [code, name as TensorType]),
);
/** onnxruntime-web's number for "the values are in the heap". */
const CPU = 1;
const POINTER_BYTES = 4;
const ALIGNMENT = 64;
const MAX_RANK = 8;

/** A value of the runtime, and where it lies. */
interface HeapValue {
  readonly module: RuntimeModule;
  /** 0 once it is released. */
  handle: number;
}

/** Tensors that lie in the heap, for all sessions of the realm. */
const heapValues = new WeakMap<Tensor, HeapValue>();

/** What a session in the heap is made of. */
export interface HeapSessionParts {
  readonly module: RuntimeModule;
  /** onnxruntime's own number of the session. */
  readonly handle: number;
  readonly graph: SessionOptions["graph"];
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly release: () => Promise<void>;
}

/**
 * A session whose outputs stay in the heap of onnxruntime-web's Wasm module, as values that go into later runs as
 * they are. The public API copies every output to a fresh array and every input back: for a decoder, both caches
 * at every token. Inputs on the host are copied once a run.
 */
export function createHeapSession(parts: HeapSessionParts): Session {
  const { module, graph, inputs, outputs } = parts;
  const inputNames = nameTable(module, inputs);
  const outputNames = nameTable(module, outputs);
  const slots = inputs.length + outputs.length;
  // Input names, inputs, output names, outputs; then the dims of one tensor.
  const table = allocate(module, (2 * slots + MAX_RANK) * POINTER_BYTES, graph);
  const dimsAt = table + 2 * slots * POINTER_BYTES;
  let staging = 0;
  let stagingBytes = 0;
  let released = false;

  const put = (at: number, index: number, value: number) =>
    module.setValue(at + index * POINTER_BYTES, value, "*");

  /** Room for `bytes` of inputs from the host, kept from run to run. */
  function stage(bytes: number): void {
    if (bytes <= stagingBytes) return;
    if (staging) module._free(staging);
    staging = stagingBytes = 0;
    staging = allocate(module, bytes, graph);
    stagingBytes = bytes;
  }

  /** Copies a host tensor to `at` and makes it a value. */
  function wrap(data: TensorData, type: TensorType, dims: readonly number[], at: number): number {
    heap(module).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    dims.forEach((size, index) => {
      put(dimsAt, index, size);
    });
    const handle = module._OrtCreateTensor(TYPES[type].code, at, data.byteLength, dimsAt, dims.length, CPU);
    if (handle === 0) throw new Error(lastError(module));
    return handle;
  }

  function execute(
    names: readonly string[],
    feeds: Readonly<Record<string, Tensor>>,
    values: readonly (TensorData | undefined)[],
    fetches: readonly string[],
  ): Record<string, Tensor> {
    if (names.length > inputs.length || fetches.length > outputs.length) {
      throw new Error(`it has ${inputs.length} inputs and ${outputs.length} outputs`);
    }
    const made: number[] = [];
    const results: Record<string, Tensor> = {};
    const inputsAt = table + names.length * POINTER_BYTES;
    const outputNamesAt = inputsAt + names.length * POINTER_BYTES;
    const outputsAt = outputNamesAt + fetches.length * POINTER_BYTES;
    let taken = 0;
    for (let i = 0; i < fetches.length; i++) {
      put(outputNamesAt, i, pointerOf(outputNames, fetches[i]!, "output"));
      put(outputsAt, i, 0);
    }
    try {
      stage(values.reduce((sum, data) => sum + (data ? aligned(data.byteLength) : 0), ALIGNMENT));
      let at = aligned(staging);
      for (let i = 0; i < names.length; i++) {
        const name = names[i]!;
        const tensor = feeds[name]!;
        const data = values[i];
        put(table, i, pointerOf(inputNames, name, "input"));
        if (data) {
          const handle = wrap(data, tensor.type, tensor.dims, at);
          made.push(handle);
          put(inputsAt, i, handle);
          at += aligned(data.byteLength);
        } else {
          put(inputsAt, i, liveHandle(heapValues.get(tensor)!));
        }
      }
      const code = module._OrtRun(
        parts.handle,
        table,
        inputsAt,
        names.length,
        outputNamesAt,
        fetches.length,
        outputsAt,
        0,
      );
      if (code !== 0) throw new Error(lastError(module));
      for (; taken < fetches.length; taken++) {
        const handle = module.getValue(outputsAt + taken * POINTER_BYTES, "*");
        results[fetches[taken]!] = heapTensor(module, handle, dimsAt);
      }
      return results;
    } catch (cause) {
      for (const tensor of Object.values(results)) tensor.release();
      for (; taken < fetches.length; taken++) {
        const handle = module.getValue(outputsAt + taken * POINTER_BYTES, "*");
        if (handle) module._OrtReleaseTensor(handle);
      }
      throw cause;
    } finally {
      for (const handle of made) module._OrtReleaseTensor(handle);
    }
  }

  return {
    provider: "wasm",
    inputs,
    outputs,
    tensor: callersTensor,
    async run(feeds, fetches) {
      try {
        if (released) throw new LeaseError(`the ${graph}'s session was released`);
        const names = Object.keys(feeds);
        const values: (TensorData | undefined)[] = [];
        for (const name of names) {
          const tensor = feeds[name]!;
          const here = heapValues.get(tensor)?.module === module;
          const data = here ? undefined : tensor.read();
          values.push(data instanceof Promise ? await data : data);
        }
        return execute(names, feeds, values, fetches);
      } catch (cause) {
        throw runError(graph, cause);
      }
    },
    async release() {
      if (released) return;
      released = true;
      await parts.release();
      for (const pointer of [...inputNames.values(), ...outputNames.values(), table]) module._free(pointer);
      if (staging) module._free(staging);
    },
  };
}

/** Wraps a value that the runtime has made; it is released with the tensor, or now if it cannot be read. */
function heapTensor(module: RuntimeModule, handle: number, scratch: number): Tensor {
  const [typeAt, dataAt, dimsAt, rankAt] = [0, 4, 8, 12].map((offset) => scratch + offset) as [
    number,
    number,
    number,
    number,
  ];
  if (module._OrtGetTensorData(handle, typeAt, dataAt, dimsAt, rankAt) !== 0)
    throw new Error(lastError(module));
  const code = module.getValue(typeAt, "i32");
  const data = module.getValue(dataAt, "*") >>> 0;
  const list = module.getValue(dimsAt, "*");
  const dims: number[] = [];
  for (let i = 0; i < module.getValue(rankAt, "i32"); i++)
    dims.push(module.getValue(list + i * POINTER_BYTES, "i32"));
  module._OrtFree(list);
  const type = NAMES.get(code);
  if (!type) throw new Error(`an output has the element type ${code}`);
  const value: HeapValue = { module, handle };
  const length = elements(dims);
  const tensor: Tensor = {
    type,
    dims,
    location: "runtime",
    read() {
      liveHandle(value);
      return new TYPES[type].array(heap(module).buffer as ArrayBuffer, data, length);
    },
    release() {
      if (value.handle === 0) return;
      module._OrtReleaseTensor(value.handle);
      value.handle = 0;
    },
  };
  heapValues.set(tensor, value);
  return tensor;
}

function liveHandle({ handle }: HeapValue): number {
  if (handle === 0) throw new LeaseError("a tensor was used after its release");
  return handle;
}

/** The heap as it is now: reading a value first makes Emscripten notice growth that another thread caused. */
function heap(module: RuntimeModule): Uint8Array {
  module.getValue(0, "i32");
  return module.HEAPU8;
}

function allocate(module: RuntimeModule, bytes: number, graph: string): number {
  const pointer = module._malloc(bytes);
  if (pointer === 0) {
    throw new InferenceError(
      `onnxruntime-web has no memory left for ${bytes} bytes of the ${graph}; use a smaller model`,
    );
  }
  return pointer;
}

function nameTable(module: RuntimeModule, values: readonly TensorInfo[]): Map<string, number> {
  return new Map(
    values.map(({ name }) => {
      const bytes = module.lengthBytesUTF8(name) + 1;
      const pointer = allocate(module, bytes, "names");
      module.stringToUTF8(name, pointer, bytes);
      return [name, pointer];
    }),
  );
}

function pointerOf(names: Map<string, number>, name: string, kind: "input" | "output"): number {
  const pointer = names.get(name);
  if (pointer === undefined) throw new Error(`it has no ${kind} ${name}`);
  return pointer;
}

/** What onnxruntime says of the call that failed last. */
function lastError(module: RuntimeModule): string {
  const at = module._malloc(2 * POINTER_BYTES);
  try {
    module._OrtGetLastError(at, at + POINTER_BYTES);
    const message = module.getValue(at + POINTER_BYTES, "*");
    return message ? module.UTF8ToString(message) : `error ${module.getValue(at, "i32")}`;
  } finally {
    module._free(at);
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
