import type * as ort from "#onnxruntime";
import { InferenceError, LeaseError, messageOf } from "../core/errors.ts";
import type { ProviderName, Session, SessionOptions, TensorInfo } from "./session.ts";
import { callersTensor, type Tensor, type TensorData, type TensorType } from "./tensor.ts";

/** What a session on a runtime's public API is made of. */
export interface HostSessionParts {
  readonly session: ort.InferenceSession;
  readonly Tensor: typeof ort.Tensor;
  readonly provider: ProviderName;
  readonly graph: SessionOptions["graph"];
}

/**
 * A session on the public API alone: tensors are arrays on the host, which a runtime in Wasm copies in and out at
 * every run. onnxruntime-node reads inputs where they are; its outputs are copies, those given beforehand too (it
 * fills them and makes another).
 */
export function createHostSession(parts: HostSessionParts): Session {
  const { session, Tensor: OrtTensor, provider, graph } = parts;
  const inputs = session.inputMetadata.map(tensorInfo);
  const outputs = session.outputMetadata.map(tensorInfo);
  let released = false;

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
    tensor: callersTensor,
    async run(feeds, fetches) {
      if (released) throw new LeaseError(`the ${graph}'s session was released`);
      try {
        const values: Record<string, ort.Tensor> = {};
        for (const [name, tensor] of Object.entries(feeds)) values[name] = await toOrt(tensor);
        const results = await session.run(values, fetches as string[]);
        const tensors: Record<string, Tensor> = {};
        for (const name of fetches) tensors[name] = hostTensor(results[name] as ort.Tensor);
        return tensors;
      } catch (cause) {
        throw runError(graph, cause);
      }
    },
    async release() {
      if (released) return;
      released = true;
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
