import * as ort from "onnxruntime-web";
import { expect, it } from "vitest";
import { catchRuntimeModule } from "../../src/inference/runtime-module.ts";
import { createWebSession } from "../../src/inference/web-session.ts";
import { addGraph } from "./add-graph.ts";

/** A file of its own: a realm starts onnxruntime-web once. */
it("leaves onnxruntime-web alone where its files were chosen one by one", async () => {
  const wasm = import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm");
  ort.env.wasm.wasmPaths = { wasm };
  expect(await catchRuntimeModule()).toMatch(/wasmPaths is set to single files/);
  const reasons: string[] = [];
  const session = await createWebSession(addGraph(2), {
    graph: "encoder",
    path: "add.onnx",
    onCopying: (reason) => reasons.push(reason),
  });
  expect(reasons).toEqual(["env.wasm.wasmPaths is set to single files"]);
  expect(ort.env.wasm.wasmPaths).toEqual({ wasm });
  const x = session.tensor("float32", new Float32Array([1, 2]), [2]);
  const { z } = await session.run({ x, y: x }, ["z"]);
  expect([...((await z!.read()) as Float32Array)]).toEqual([2, 4]);
  await session.release();
});
