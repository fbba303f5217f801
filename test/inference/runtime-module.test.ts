import * as ort from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { catchRuntimeModule, runtimeModule } from "../../src/inference/runtime-module.ts";
import { createWebSession } from "../../src/inference/web-session.ts";
import { addGraph } from "./add-graph.ts";

const options = { graph: "encoder", path: "add.onnx" } as const;

describe("a realm whose onnxruntime-web had started before", () => {
  it("gets sessions on the public API, with the reason", async () => {
    // Someone else's session, as transformers.js makes them.
    const other = await ort.InferenceSession.create(addGraph(2), { executionProviders: ["wasm"] });
    expect(await catchRuntimeModule()).toBeUndefined();
    expect(runtimeModule()).toMatch(/had started before/);
    const reasons: string[] = [];
    const session = await createWebSession(addGraph("n"), {
      ...options,
      onCopying: (reason) => reasons.push(reason),
    });
    expect(reasons).toEqual(["onnxruntime-web had started before"]);
    const x = session.tensor("float32", new Float32Array([1, 2, 3]), [3]);
    const { z } = await session.run({ x, y: x }, ["z"]);
    expect(z!.location).toBe("host");
    expect([...((await z!.read()) as Float32Array)]).toEqual([2, 4, 6]);
    z!.release();
    await session.release();
    await other.release();
  });
});
