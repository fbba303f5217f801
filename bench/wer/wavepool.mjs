/** wavepool in its own process, see child.mjs. */
import { createTranscriber } from "../../dist/index.js";
import { RATE } from "./rate.mjs";

/** Without fallback and thresholds, as transformers.js decodes. */
const GREEDY = {
  temperature: 0,
  compressionRatioThreshold: null,
  logprobThreshold: null,
  noSpeechThreshold: null,
};

/**
 * @param directory of the model
 * @param context a rule of encoder context where it is no name, see bench/context.mjs
 * @returns transcribe(samples, onWindow): text, language, milliseconds of the encoder, segments where there are any, and when the
 * first of them came
 */
export async function load({ directory, threads, provider, settings, timestamps, context, beam }) {
  const transcriber = await createTranscriber({ model: directory, threads, providers: [provider] });
  const options = {
    language: "en",
    context,
    beamSize: beam,
    ...(timestamps ? { timestamps } : {}),
    ...(settings === "same" ? GREEDY : {}),
  };
  return async (samples, onWindow, override = {}) => {
    let first;
    let seconds = -1;
    const streamed = [];
    const start = performance.now();
    const result = await transcriber.transcribe(
      { sampleRate: RATE, channels: [samples] },
      {
        ...options,
        ...override,
        onSegment(segment) {
          first ??= performance.now() - start;
          streamed.push(segment);
        },
        onProgress(progress) {
          if (progress.seconds === seconds) return;
          seconds = progress.seconds;
          onWindow(seconds);
        },
      },
    );
    const segments = result.segments ?? (streamed.length > 0 ? streamed : undefined);
    return {
      text: result.text,
      language: result.language,
      encoder: result.times.encoder,
      first,
      segments: segments?.map(({ start, end, text }) => ({ start, end, text })),
    };
  };
}
