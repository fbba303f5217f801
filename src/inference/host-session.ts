import type * as ort from "#onnxruntime";
import { InferenceError, LeaseError, messageOf } from "../core/errors.ts";
import type { ProviderName, Session, SessionOptions, TensorInfo } from "./session.ts";
import { elements, type Tensor, type TensorData, type TensorType } from "./tensor.ts";

/** What a session on a runtime's public API is made of. */
export interface HostSessionParts {
  readonly session: ort.InferenceSession;
  readonly Tensor: typeof ort.Tensor;
  readonly provider: ProviderName;
  readonly graph: SessionOptions["graph"];
  /** float32 outputs to write into arrays of ours; only onnxruntime-node does. */
  readonly reuse?: readonly string[];
}

/** Arrays of one length that are kept for reuse: logits of a step, of a prompt, and of a call beside them. */
const KEPT = 4;

/**
 * A session on the public API alone: tensors are arrays on the host, which a runtime in Wasm copies in and out at
 * every run.
 */
export function createHostSession(parts: HostSessionParts): Session {
  const { session, Tensor: OrtTensor, provider, graph, reuse = [] } = parts;
  const inputs = session.inputMetadata.map(tensorInfo);
  const outputs = session.outputMetadata.map(tensorInfo);
  const reused = outputs.filter(({ name, type }) => type === "float32" && reuse.includes(name));
  const free = new Map<number, Float32Array[]>();
  let released = false;

  function take(length: number): Float32Array {
    return free.get(length)?.pop() ?? new Float32Array(length);
  }

  function putBack(array: Float32Array): void {
    const list = free.get(array.length) ?? [];
    if (list.length < KEPT) list.push(array);
    free.set(array.length, list);
  }

  function pooledTensor(data: Float32Array, dims: readonly number[]): Tensor {
    let live = true;
    return {
      type: "float32",
      dims,
      location: "host",
      read() {
        if (!live) throw new LeaseError("a tensor was used after its release");
        return data;
      },
      release() {
        if (live) putBack(data);
        live = false;
      },
    };
  }

  /** onnxruntime-node takes no shared memory. */
  function reachable(data: TensorData): TensorData {
    const shared = typeof SharedArrayBuffer !== "undefined" && data.buffer instanceof SharedArrayBuffer;
    return shared && provider === "native" ? data.slice() : data;
  }

  async function toOrt(tensor: Tensor): Promise<ort.Tensor> {
    const own = wrapped.get(tensor);
    if (own instanceof OrtTensor) return own;
    return new OrtTensor(tensor.type, reachable(await tensor.read()) as never, tensor.dims);
  }

  return {
    provider,
    inputs,
    outputs,
    tensor: (type, data, dims) => hostTensor(new OrtTensor(type, reachable(data) as never, dims)),
    async run(feeds, fetches) {
      if (released) throw new LeaseError(`the ${graph}'s session was released`);
      const pooled: Record<string, { data: Float32Array; dims: readonly number[] }> = {};
      try {
        const values: Record<string, ort.Tensor> = {};
        for (const [name, tensor] of Object.entries(feeds)) values[name] = await toOrt(tensor);
        const into: Record<string, ort.Tensor | null> = Object.fromEntries(
          fetches.map((name) => [name, null]),
        );
        for (const output of reused) {
          if (!fetches.includes(output.name)) continue;
          const dims = knownDims(output, inputs, feeds);
          if (!dims) continue;
          const data = take(elements(dims));
          pooled[output.name] = { data, dims };
          into[output.name] = new OrtTensor("float32", data, dims);
        }
        const results = await session.run(values, into);
        const tensors: Record<string, Tensor> = {};
        for (const name of fetches) {
          const own = pooled[name];
          tensors[name] = own ? pooledTensor(own.data, own.dims) : hostTensor(results[name] as ort.Tensor);
        }
        return tensors;
      } catch (cause) {
        for (const { data } of Object.values(pooled)) putBack(data);
        throw runError(graph, cause);
      }
    },
    async release() {
      if (released) return;
      released = true;
      free.clear();
      await session.release();
    },
  };
}

/** What a failed run throws: use after release as it is, all else as the graph's failure. */
export function runError(graph: SessionOptions["graph"], cause: unknown): Error {
  if (cause instanceof LeaseError) return cause;
  return new InferenceError(
    `the ${graph} failed (${reasonOf(cause)}); check that all files are of one model`,
    {
      cause,
    },
  );
}

/** The first line of what was thrown. */
export function reasonOf(cause: unknown): string {
  return messageOf(cause).split("\n")[0]!.slice(0, 200);
}

/** Name, type and shape as a session of onnxruntime tells them. */
export function tensorInfo(metadata: ort.InferenceSession.ValueMetadata): TensorInfo {
  if (!metadata.isTensor) return { name: metadata.name, type: "float32", dims: [] };
  return { name: metadata.name, type: metadata.type as TensorType, dims: metadata.shape };
}

/** An output's shape where its free dimensions are those of inputs, by name. */
export function knownDims(
  output: TensorInfo,
  inputs: readonly TensorInfo[],
  feeds: Readonly<Record<string, Tensor>>,
): number[] | undefined {
  const sizes = new Map<string, number>();
  for (const { name, dims } of inputs) {
    const feed = feeds[name];
    dims.forEach((dim, axis) => {
      if (typeof dim === "string" && feed) sizes.set(dim, feed.dims[axis]!);
    });
  }
  const known = output.dims.map((dim) => (typeof dim === "number" ? dim : sizes.get(dim)));
  return known.every((dim) => dim !== undefined) ? known : undefined;
}

/** The tensors of onnxruntime behind ours. */
const wrapped = new WeakMap<Tensor, ort.Tensor>();

function hostTensor(tensor: ort.Tensor): Tensor {
  const host: Tensor = {
    type: tensor.type as TensorType,
    dims: tensor.dims,
    location: "host",
    read() {
      const { data } = tensor as { data: TensorData };
      // Runtimes with a Float16Array give one; here float16 values are bits.
      if (tensor.type !== "float16" || data instanceof Uint16Array) return data;
      return new Uint16Array(data.buffer, data.byteOffset, data.length);
    },
    release: () => tensor.dispose(),
  };
  wrapped.set(host, tensor);
  return host;
}
