/**
 * @huggingface/transformers in its own process, see child.mjs. In Node it runs on onnxruntime-node and knows no Wasm;
 * but it takes the runtime that it finds under Symbol.for("onnxruntime"), so it is given the onnxruntime-web that it
 * depends on itself: the plain Wasm build with threads, without the detour of the WebGPU one that it uses in browsers.
 */
import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { transcriberOf } from "../harness/transformers-speech.mjs";

const PACKAGES = new URL("../node_modules/", import.meta.url);
const DTYPES = { _quantized: "q8", _int8: "int8", _uint8: "uint8", "": "fp32", _q4: "q4" };

/** @returns as transcriberOf */
export async function load({ timestamps, ...options }) {
  const { pipeline } = await loadPipeline(options);
  return transcriberOf(pipeline, timestamps);
}

/** The pipeline that transformers.js makes of a directory, and its class of tensors. */
export async function loadPipeline({ directory, threads, provider }) {
  if (provider === "wasm") await useWasm(threads);
  const { env, pipeline, Tensor } = await import("@huggingface/transformers");
  env.allowRemoteModels = false;
  env.localModelPath = `${dirname(directory)}/`;
  const speech = await pipeline("automatic-speech-recognition", basename(directory), {
    dtype: dtypeOf(directory),
    ...(provider === "wasm"
      ? { device: "auto", session_options: { executionProviders: ["wasm"] } }
      : { device: "cpu", session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 } }),
  });
  return { pipeline: speech, Tensor };
}

async function useWasm(threads) {
  const files = new URL("onnxruntime-web/dist/", PACKAGES);
  const ort = await import(new URL("ort.node.min.mjs", files).href);
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = files.href; // else it would fetch the files of another build from a network
  globalThis[Symbol.for("onnxruntime")] = ort;
}

/** The weights that wavepool takes from such a directory, by their suffix. */
function dtypeOf(directory) {
  for (const [suffix, dtype] of Object.entries(DTYPES)) {
    if (existsSync(new URL(`onnx/encoder_model${suffix}.onnx`, pathToFileURL(`${directory}/`)))) return dtype;
  }
  throw new Error(`${directory} has no onnx/encoder_model*.onnx`);
}
