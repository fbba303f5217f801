/**
 * Encoder and decoder apart, which the package does not export: only transcribers. So the package's source is bundled, by
 * site.mjs for pages and by bundled.mjs elsewhere, into a realm that has no other copy at work.
 */
import { createCore } from "../../src/core/create-core.ts";
import { createFrontEnd } from "../../src/features/front-end.ts";
import { loadDecoder } from "../../src/inference/decoder.ts";
import { gpuDevice, webNnDevices } from "../../src/inference/devices.ts";
import { loadEncoder, WINDOW_FRAMES } from "../../src/inference/encoder.ts";
import { unpackWeights } from "../../src/inference/graph/unpack-weights.ts";
import { readGraphFiles } from "../../src/inference/graph-files.ts";
import { probeProvider } from "../../src/inference/provider-probe.ts";
import { setRuntimeFiles } from "../../src/inference/web-session.ts";
import { findModel } from "../../src/models/model-files.ts";
import { readWhisperConfig } from "../../src/models/whisper-config.ts";
import { loadTokenizer } from "../../src/models/whisper-tokenizer.ts";
import { createBufferPool } from "../../src/pools/create-buffer-pool.ts";

const NAMES = {
  wasm: "onnxruntime-web Wasm",
  native: "onnxruntime-node",
  webgpu: "onnxruntime-web WebGPU",
  webnn: "onnxruntime-web WebNN",
};

/**
 * What a provider is here.
 *
 * @returns { provider, name, lacks?: why it is not there, software?: whether its GPU is the processor }
 */
export async function backend(provider) {
  const name = `wavepool, ${NAMES[provider]}`;
  const { exists, detail } = await probeProvider(provider);
  if (!exists) return { provider, name, lacks: firstReason(detail) };
  if (provider === "webgpu") {
    const { software } = await gpuDevice();
    const { vendor, architecture, description } = (await navigator.gpu.requestAdapter()).info ?? {};
    // Deno gives the vendor by its number, Chromium no description.
    const adapter = description || [vendor, architecture].filter(Boolean).join(" ") || "unnamed adapter";
    return { provider, name: `${name}, ${adapter}${software ? ", a GPU in software" : ""}`, software };
  }
  if (provider === "webnn") {
    const [{ name: device }] = await webNnDevices();
    // The browser does not tell where it computes.
    return { provider, name: `${name}, asked for ${device}` };
  }
  return { provider, name };
}

/** Devices refuse one after another, mostly for the same reason. */
function firstReason(detail) {
  const [reason, ...more] = detail.split(/[\n;]/);
  return more.length > 0 && reason.includes("(") ? `${reason.replace(/\.$/, "")})` : reason;
}

/**
 * Opens the model for runs of one graph.
 *
 * @param speech as speechOf returns it
 * @returns { width, mels, prompt and tokens: of the sample's words, features(frames), reference(frames), encoder(provider),
 * decoder(provider) }: features [mels × frames] of the sample, zero-padded; the hidden state [frames / 2 × width] of the same
 * weights in float32 on Wasm; graphs loaded once
 */
export async function openGraphs({ model, threads, runtimeFiles, samples, text }) {
  if (runtimeFiles !== undefined) setRuntimeFiles(runtimeFiles);
  const files = await findModel(model, { offline: true });
  const config = await readWhisperConfig(files);
  const tokenizer = await loadTokenizer(files, config);
  const core = await createCore({ threads: false });
  const { mels, width } = config;
  const mel = melOf(core, config, samples);
  const once = (make) => {
    const made = new Map();
    return (key) => {
      if (!made.has(key)) made.set(key, make(key));
      return made.get(key);
    };
  };

  const features = (frames) => {
    const part = new Float32Array(mels * frames);
    for (let band = 0; band < mels; band++) {
      part.set(mel.subarray(band * WINDOW_FRAMES, band * WINDOW_FRAMES + frames), band * frames);
    }
    return part;
  };
  const inFloat32 = once(() =>
    loadEncoder(files.encoder, config, {
      providers: ["wasm"],
      threads,
      bytes: async () => unpackWeights((await readGraphFiles(files.encoder, {})).bytes, files.encoder),
    }),
  );
  return {
    width,
    mels,
    prompt: tokenizer.startTokens({ language: "en" }),
    tokens: tokenizer.encode(` ${text}`),
    features,
    reference: once(async (frames) => {
      const state = await (await inFloat32("encoder")).encode(features(frames));
      const values = (await state.read()).slice();
      state.release();
      return values;
    }),
    encoder: once((provider) => loadEncoder(files.encoder, config, { providers: [provider], threads })),
    decoder: once((provider) =>
      loadDecoder(core, files.decoder, config, {
        providers: [provider],
        threads,
        fast: true,
        poolSuffix: `_${provider}`,
      }),
    ),
  };
}

/** Log-mel [mels × 3000] of a clip of at most 30 s. */
function melOf(core, { mels, preset }, samples) {
  const frontEnd = createFrontEnd(core, { preset });
  const lease = (name, shape) => createBufferPool(core, { name, dtype: "f32", shape, max: 1 }).acquire();
  const audio = lease("bench_audio", frontEnd.maxSamples);
  const out = lease("bench_mel", mels * WINDOW_FRAMES);
  audio.view.fill(0);
  audio.view.set(samples);
  frontEnd.compute(audio.view, out.view, samples.length);
  const mel = out.view.slice();
  audio.release();
  out.release();
  return mel;
}
