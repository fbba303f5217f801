import { type OnnxWeight, readModel, writeModel } from "../../src/inference/graph/onnx.ts";
import { readTensor, TENSOR } from "../../src/inference/graph/tensors.ts";
import { field, join, textField, varintField } from "../../src/inference/graph/wire.ts";

/** Weights below this stay inside, as exporters leave them. */
const LEAST = 1024;

/** Moves a model's weights into a file of the given name, as exporters of big models do. */
export function externalise(model: Uint8Array, location: string): { bytes: Uint8Array; data: Uint8Array } {
  const parsed = readModel(model);
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const weight of [...parsed.graph.weights.values()]) {
    const { raw, dims, type } = readTensor(weight)!;
    if (!raw || raw.length < LEAST) continue;
    const moved = outside(weight.name, type, dims, { location, offset, length: raw.length });
    parsed.graph.weights.set(weight.name, moved);
    parts.push(raw);
    offset += raw.length;
  }
  return { bytes: writeModel(parsed), data: join(parts) };
}

function outside(
  name: string,
  type: number,
  dims: readonly number[],
  place: Readonly<Record<string, string | number>>,
): OnnxWeight {
  const parts = [
    ...dims.flatMap((dim) => varintField(TENSOR.DIMS, dim)),
    ...varintField(TENSOR.DATA_TYPE, type),
    ...textField(TENSOR.NAME, name),
    ...Object.entries(place).flatMap(([key, value]) =>
      field(TENSOR.EXTERNAL_DATA, ...textField(1, key), ...textField(2, String(value))),
    ),
    ...varintField(TENSOR.DATA_LOCATION, 1),
  ];
  return { name, parts: [join(parts)] };
}
