/** The minimal app of each bundler: pools, log-mel, decoding and a transcription, for the test to call. */
import {
  createBufferPool,
  createCore,
  createCrew,
  createFrontEnd,
  createTranscriber,
  decodeAudio,
} from "wavepool";
import { Lease as LeaseOfPool } from "wavepool/pool";

async function fetchBytes(url) {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

/** Log-mel of a second of 440 Hz, with a crew of workers where the page is isolated. */
async function logMel() {
  const core = await createCore();
  const crew = core.threads ? await createCrew(core, { threads: 2 }) : undefined;
  const pool = createBufferPool(core, { name: "mel", dtype: "f32", shape: [80, 100], max: 1 });
  const features = pool.acquire();
  const samples = Float32Array.from({ length: 16000 }, (_, i) => Math.sin((2 * Math.PI * 440 * i) / 16000));
  createFrontEnd(core, { preset: "whisper-80", pad: false, ...(crew && { crew }) }).compute(
    samples,
    features.view,
  );
  const result = {
    features: [...features.view],
    threads: core.threads,
    sameClass: features instanceof LeaseOfPool,
  };
  features.release();
  await crew?.close();
  return { ...result, inUse: pool.stats().inUse };
}

/** Seconds of a sound, decoded by a codec that comes in when it is needed. */
async function decode(url) {
  const { channels, sampleRate } = await decodeAudio(await fetchBytes(url));
  return channels[0].length / sampleRate;
}

async function transcribe(url, options) {
  const transcriber = await createTranscriber(options);
  const sound = await fetchBytes(url);
  const { text, providers } = await transcriber.transcribe(sound, { language: "en", timestamps: "none" });
  await transcriber.dispose();
  return { text, providers };
}

globalThis.app = { logMel, decode, transcribe };
