/** Fields of onnx.proto, by the numbers used below. */
const bytes = (field: number, ...parts: (number[] | string)[]): number[] => {
  const body = parts.flatMap((part) =>
    typeof part === "string" ? [...new TextEncoder().encode(part)] : part,
  );
  return [...varint(field * 8 + 2), ...varint(body.length), ...body];
};
const integer = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];

function varint(value: number): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest];
    out.push((rest % 128) + 128);
  }
}

const FLOAT = 1;

function value(field: number, name: string, dims: readonly (number | string)[]): number[] {
  const shape = dims.map((dim) => bytes(1, typeof dim === "number" ? integer(1, dim) : bytes(2, dim)));
  return bytes(field, bytes(1, name), bytes(2, bytes(1, integer(1, FLOAT), bytes(2, ...shape))));
}

/** A node: operator, inputs, outputs. */
export type GraphNode = readonly [operator: string, inputs: readonly string[], outputs: readonly string[]];

/** An ONNX model (opset 17) of nodes without attributes on float32 values of the given shapes. */
export function tinyModel(
  nodes: readonly GraphNode[],
  inputs: Readonly<Record<string, readonly (number | string)[]>>,
  outputs: Readonly<Record<string, readonly (number | string)[]>>,
): Uint8Array {
  const graph = [
    ...nodes.map(([operator, from, to]) =>
      bytes(
        1,
        ...from.map((name) => bytes(1, name)),
        ...to.map((name) => bytes(2, name)),
        bytes(4, operator),
      ),
    ),
    bytes(2, "tiny"),
    ...Object.entries(inputs).map(([name, dims]) => value(11, name, dims)),
    ...Object.entries(outputs).map(([name, dims]) => value(12, name, dims)),
  ];
  return new Uint8Array([...integer(1, 8), ...bytes(7, ...graph), ...bytes(8, bytes(1, ""), integer(2, 17))]);
}

/** z = x + y, of one dimension. */
export function addGraph(size: number | string): Uint8Array {
  return tinyModel([["Add", ["x", "y"], ["z"]]], { x: [size], y: [size] }, { z: [size] });
}
