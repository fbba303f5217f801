/**
 * @huggingface/transformers in its own process, see child.mjs. In Node it runs on onnxruntime-node and knows no Wasm;
 * but it takes the runtime that it finds under Symbol.for("onnxruntime"), so it is given the onnxruntime-web that it
 * depends on itself: the plain Wasm build with threads, without the detour of the WebGPU one that it uses in browsers.
 */
import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { pathToFileURL } from "node:url";

const PACKAGES = new URL("../node_modules/", import.meta.url);
/** Whisper's window in seconds; longer sound is cut into chunks that overlap by a sixth on either side, its default. */
const WINDOW = 30;
const DTYPES = { _quantized: "q8", _int8: "int8", _uint8: "uint8", "": "fp32", _q4: "q4" };

/** @returns transcribe(samples, onWindow): text, segments with timestamps, and when the first of them was complete */
export async function load({ directory, threads, provider, timestamps = "none" }) {
  if (provider === "wasm") await useWasm(threads);
  const { env, pipeline } = await import("@huggingface/transformers");
  env.allowRemoteModels = false;
  env.localModelPath = `${dirname(directory)}/`;
  const transcribe = await pipeline("automatic-speech-recognition", basename(directory), {
    dtype: dtypeOf(directory),
    ...(provider === "wasm"
      ? { device: "auto", session_options: { executionProviders: ["wasm"] } }
      : { device: "cpu", session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 } }),
  });
  const timed = timestamps !== "none";
  const firstTime = transcribe.tokenizer.timestamp_begin;

  return async (samples, onWindow) => {
    const long = samples.length > WINDOW * 16000;
    const start = performance.now();
    const watch = segmentWatch(firstTime, timed, start, onWindow);
    const { text, chunks } = await transcribe(samples, {
      language: "en",
      task: "transcribe",
      ...(timed ? { return_timestamps: true } : {}),
      ...(long ? { chunk_length_s: WINDOW } : {}),
      streamer: watch,
    });
    const segments = chunks?.map(({ timestamp: [from, to], text }) => ({ start: from, end: to, text }));
    return { text, first: watch.first, segments };
  };
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

/**
 * A streamer that only looks at the clock: a segment is complete with its closing timestamp, or where none are
 * written with its chunk. (transformers.js's own also decodes every token to text, which would be timed.)
 */
function segmentWatch(firstTime, timed, start, onWindow) {
  let inText = false;
  let windows = 0;
  const watch = {
    first: undefined,
    put([tokens]) {
      if (!timed || watch.first !== undefined || tokens.length > 1) return; // the prompt comes at once
      if (Number(tokens[0]) < firstTime) inText = true;
      else if (inText) watch.first = performance.now() - start;
    },
    end() {
      watch.first ??= performance.now() - start;
      // Chunks of 30 s that overlap by 5 s on either side.
      onWindow(++windows * (WINDOW - 2 * (WINDOW / 6)));
    },
  };
  return watch;
}
