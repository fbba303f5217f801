/**
 * wavepool: pooled buffers, SIMD log-mel and Whisper in one fixed memory.
 *
 * @example
 * const transcriber = await createTranscriber({ model: "base" });
 * const { text } = await transcriber.transcribe(await readFile("speech.wav"));
 *
 * @module
 */
export { UnsupportedExtractorError } from "./core/errors.ts";
export * from "./mel.ts";
export * from "./pool.ts";
export * from "./whisper.ts";
