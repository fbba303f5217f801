/** The packages of bench/package.json. Each is loaded when it is asked for, so that one that fails spares the rest. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { aroundTransform, FRAME } from "./plain.mjs";
import { kissfftSpectrum, pffftSpectrum } from "./spectra.mjs";

const BENCH = fileURLToPath(new URL("..", import.meta.url));
const HOP = 160;
/** Frame of meyda, which takes powers of two only. */
const MEYDA_FRAME = 512;

export const peerVersions = JSON.parse(readFileSync(`${BENCH}package.json`, "utf8")).dependencies;

/** Installs what is missing, with install scripts off: they fetch GPU libraries that this bench does not need. */
export function installPeers() {
  if (Object.keys(peerVersions).every((name) => existsSync(`${BENCH}node_modules/${name}`))) return;
  console.error("installing the peers of bench/package.json …");
  try {
    const options = ["--ignore-scripts", "--no-audit", "--no-fund"];
    execFileSync("npm", ["ci", "--prefix", BENCH, ...options], { stdio: "inherit" });
  } catch (error) {
    console.error(`npm ci failed, so some peers will be missing: ${error.message}`);
  }
}

/** Whisper's extractor; unpadded by its `max_length`. */
export async function loadTransformers() {
  const { WhisperFeatureExtractor } = await import("@huggingface/transformers");
  return ({ mels, pad, clip }) => {
    const extract = new WhisperFeatureExtractor({
      feature_size: mels,
      sampling_rate: 16000,
      hop_length: HOP,
      n_fft: FRAME,
      chunk_length: 30,
      n_samples: 480000,
      nb_max_frames: 3000,
    });
    const options = pad ? {} : { max_length: clip.length };
    const run = () => extract(clip, options);
    return { run, asynchronous: true, features: async () => (await run()).input_features.data };
  };
}

/** NeMo's features. */
export async function loadParakeet() {
  const { JsPreprocessor } = await import("parakeet.js/mel");
  return ({ mels, clip }) => {
    const preprocessor = new JsPreprocessor({ nMels: mels });
    const run = () => preprocessor.process(clip);
    return { run, features: () => run().features };
  };
}

/** Its own mel bands, frame by frame. */
export async function loadMeyda() {
  const { default: Meyda } = await import("meyda");
  return ({ mels, clip }) => {
    function run() {
      Meyda.bufferSize = MEYDA_FRAME;
      Meyda.sampleRate = 16000;
      Meyda.melBands = mels;
      const columns = [];
      for (let start = 0; start + MEYDA_FRAME <= clip.length; start += HOP) {
        columns.push(Meyda.extract("melBands", clip.subarray(start, start + MEYDA_FRAME)));
      }
      return columns;
    }
    return { run, features: () => Float32Array.from(run().flat()) };
  };
}

/** Its loader would fetch the binary by a path, which no runtime here does: it is handed over. */
export async function loadKissfft() {
  const { default: load } = await import("kissfft-wasm/lib/kissfft.js");
  const wasmBinary = readFileSync(`${BENCH}node_modules/kissfft-wasm/lib/kissfft.wasm`);
  return aroundTransform(kissfftSpectrum(await load({ wasmBinary })));
}

export async function loadPffft() {
  const { default: load } = await import("@echogarden/pffft-wasm/simd");
  return aroundTransform(pffftSpectrum(await load()));
}
