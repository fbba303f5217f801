/** The sample of the repository and who transcribes it in Node, Deno and Bun. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
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
  return speechOf(wavepool, {
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
}

function has(name) {
  try {
    return require.resolve.paths(name).some((folder) => existsSync(join(folder, name)));
  } catch {
    return false;
  }
}
