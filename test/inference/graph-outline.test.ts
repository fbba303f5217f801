import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { outlineGraph } from "../../src/inference/graph-outline.ts";
import { createWebSession } from "../../src/inference/web-session.ts";
import { findModel } from "../../src/models/model-files.ts";
import { addGraph } from "./add-graph.ts";

describe("outlineGraph", () => {
  it("reads operators and shapes", () => {
    expect(outlineGraph(addGraph("rows"))).toEqual({
      operators: new Set(["Add"]),
      inputs: [
        { name: "x", dims: ["rows"] },
        { name: "y", dims: ["rows"] },
      ],
      outputs: ["z"],
    });
    expect(outlineGraph(addGraph(300)).inputs[0]!.dims).toEqual([300]);
  });

  it("finds the inputs that onnxruntime finds, and operators in branches", async () => {
    const { decoder } = await findModel("tiny");
    const bytes = await readFile(decoder);
    const { operators, inputs, outputs } = outlineGraph(bytes);
    expect([...operators]).toEqual(expect.arrayContaining(["If", "MatMulInteger", "Softmax"]));
    const session = await createWebSession(bytes, { graph: "decoder", path: decoder });
    expect(inputs).toEqual(session.inputs.map(({ name, dims }) => ({ name, dims })));
    expect(outputs).toEqual(session.outputs.map(({ name }) => name));
    await session.release();
  });

  it("makes nothing of what is no model", () => {
    expect(outlineGraph(new TextEncoder().encode("not an onnx file"))).toEqual({
      operators: new Set(),
      inputs: [],
      outputs: [],
    });
    expect(outlineGraph(new Uint8Array(0)).inputs).toEqual([]);
  });
});
