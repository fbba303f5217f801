import { expect, it } from "vitest";
import { createWebSession, setRuntimeFiles } from "../../src/inference/web-session.ts";
import { addGraph } from "./add-graph.ts";

/** A file of its own: a realm starts onnxruntime-web once. */
it("keeps tensors in the heap where both files were named one by one", async () => {
  setRuntimeFiles({
    mjs: import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.mjs"),
    wasm: import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm"),
  });
  const reasons: string[] = [];
  const session = await createWebSession(addGraph(2), {
    graph: "encoder",
    path: "add.onnx",
    onCopying: (reason) => reasons.push(reason),
  });
  expect(reasons).toEqual([]);
  const x = session.tensor("float32", new Float32Array([1, 2]), [2]);
  const { z } = await session.run({ x, y: x }, ["z"]);
  expect(z!.location).toBe("runtime");
  expect([...((await z!.read()) as Float32Array)]).toEqual([2, 4]);
  z!.release();
  await session.release();
});
