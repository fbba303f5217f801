/** The sample and who transcribes it in a page, from the folders that site.mjs names. */
import { NO_MODEL, speechOf, threadsOf } from "./speech.mjs";

const MODELS = "models/";
const NAME = "whisper-tiny";

const here = (path) => new URL(path, location.href).href;

/** @returns as speechOf @throws Error where the site has no model */
export async function speechInPage(wavepool, peers) {
  const model = here(`${MODELS}${NAME}/`);
  const config = await fetch(`${model}config.json`, { method: "HEAD" });
  if (!config.ok) throw new Error(NO_MODEL);
  const [sound, text] = await Promise.all(["hello.wav", "hello.txt"].map((name) => read(`samples/${name}`)));
  const threads = crossOriginIsolated ? threadsOf(navigator.hardwareConcurrency) : 1;
  return speechOf(wavepool, {
    sound,
    text: new TextDecoder().decode(text),
    model,
    threads,
    runtimeFiles: here("onnxruntime/"),
    providers: { wasm: true },
    ...(peers && { pipeline: () => loadPipeline(peers, threads) }),
  });
}

async function read(path) {
  const response = await fetch(here(path));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** transformers.js as it runs in pages, with the same weights and threads. */
async function loadPipeline(peers, threads) {
  const { env, pipeline, Tensor } = await peers.load("@huggingface/transformers");
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  // A path: of whole URLs it takes files on trust, and finds no tokenizer.
  env.localModelPath = new URL(here(MODELS)).pathname;
  env.useBrowserCache = false;
  env.backends.onnx.wasm.numThreads = threads;
  const speech = await pipeline("automatic-speech-recognition", NAME, { dtype: "q8", device: "wasm" });
  return { pipeline: speech, Tensor };
}
