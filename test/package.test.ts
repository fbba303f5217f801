import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url));
const manifest = JSON.parse(await readFile(path("package.json"), "utf8"));

/** Every file that a part of the manifest names. */
function files(part: unknown): string[] {
  return typeof part === "string" ? [part] : Object.values(part as object).flatMap(files);
}

describe("the package", () => {
  it.each([...files(manifest.exports), ...files(manifest.bin), manifest.types])("has %s", (file) => {
    expect(existsSync(path(file))).toBe(true);
  });

  it("has core binaries below 48 KiB", async () => {
    for (const file of files(manifest.exports).filter((name) => name.endsWith(".wasm"))) {
      expect((await readFile(path(file))).length, file).toBeLessThanOrEqual(48 * 1024);
    }
  });

  it("imports by the names it exports", async () => {
    const [main, transformers, worklet, testing, server] = await Promise.all([
      import("wavepool" as string),
      import("wavepool/transformers" as string),
      import("wavepool/worklet" as string),
      import("wavepool/vitest" as string),
      import("wavepool/server" as string),
    ]);
    expect(main.createBufferPool).toBeTypeOf("function");
    expect(transformers.pooledFeatureExtractor).toBeTypeOf("function");
    expect(transformers.InvalidArgumentError).toBe(main.InvalidArgumentError);
    expect(worklet.attachCore).toBeTypeOf("function");
    expect(testing.failOnLeaks).toBeTypeOf("function");
    expect(server.createService).toBeTypeOf("function");
  });

  it("bundles the drop-in for browsers, of which transformers.js is no part", async () => {
    const { metafile, outputFiles } = await build({
      stdin: { contents: 'export * from "wavepool/transformers";', resolveDir: path(".") },
      bundle: true,
      format: "esm",
      platform: "browser",
      logLevel: "error",
      metafile: true,
      write: false,
    });
    const inputs = Object.keys(metafile.inputs);
    expect(inputs.some((name) => name.endsWith("dist/transformers.browser.js"))).toBe(true);
    expect(inputs.filter((name) => /huggingface|onnxruntime|node:/.test(name))).toEqual([]);
    expect(outputFiles[0]!.text).not.toMatch(/@huggingface\/transformers["']|from "/);
  });
});
