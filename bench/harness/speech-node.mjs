/** The sample of the repository and who transcribes it in Node, Deno and Bun. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { NO_MODEL, speechOf, threadsOf } from "./speech.mjs";

const require = createRequire(import.meta.url);
const sample = (name) => readFileSync(new URL(`../../samples/${name}`, import.meta.url));

/**
 * @param peers whether transformers.js takes part
 * @param directory the model's, undefined where it is not installed
 * @returns as speechOf @throws Error where there is no model
 */
export async function speechHere(wavepool, peers, directory) {
  if (directory === undefined) throw new Error(NO_MODEL);
  const threads = threadsOf(availableParallelism());
  const speech = await speechOf(wavepool, {
    sound: sample("hello.wav"),
    text: sample("hello.txt").toString(),
    model: directory,
    threads,
    providers: {
      wasm: true,
      native: has("onnxruntime-node") || "onnxruntime-node is not installed: npm install onnxruntime-node",
    },
    ...(peers && {
      async pipeline() {
        const { loadPipeline } = await import("../wer/transformers.mjs");
        return loadPipeline({ directory, threads, provider: "wasm" });
      },
    }),
  });
  if (peers) speech.loaders.push(nativeTransformers({ directory, threads }));
  return speech;
}

/** transformers.js as it is in Node by default. It has one runtime in a process, and here that is Wasm: this is another process. */
function nativeTransformers(options) {
  return {
    name: "@huggingface/transformers, onnxruntime-node",
    kind: "peer",
    lacks: globalThis.Deno || globalThis.Bun ? "is measured in Node" : undefined,
    async load() {
      const { start } = await import("../wer/contenders.mjs");
      const { transcribe } = await start("transformers", {
        ...options,
        provider: "native",
        timestamps: "none",
      });
      const folder = mkdtempSync(join(tmpdir(), "wavepool-bench-"));
      process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
      const file = join(folder, "samples.f32");
      return (samples) => {
        writeFileSync(file, samples);
        return transcribe(file);
      };
    },
  };
}

function has(name) {
  try {
    return require.resolve.paths(name).some((folder) => existsSync(join(folder, name)));
  } catch {
    return false;
  }
}
