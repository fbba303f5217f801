/**
 * wavepool: pooled buffers, SIMD log-mel and Whisper in one fixed memory.
 *
 * @example
 * const transcriber = await createTranscriber({ model: "base" });
 * const { text } = await transcriber.transcribe(await readFile("speech.wav"));
 *
 * @module
 */

export { toAudioBuffer } from "./browser/audio-buffer.ts";
export type { GateOptions } from "./browser/messages.ts";
export {
  createMicrophone,
  type Heard,
  type Microphone,
  type MicrophoneEvents,
  type MicrophoneOptions,
  type MicrophoneState,
  type MicrophoneStatistics,
} from "./browser/microphone.ts";
export type { Transport } from "./browser/quantum-link.ts";
export type { SoundInput } from "./browser/sound-input.ts";
export type { Spectrogram } from "./browser/spectrogram-view.ts";
export {
  createSpeechWorker,
  type SpeechCallOptions,
  type SpeechWorker,
  type SpeechWorkerOptions,
  type SpeechWorkerStatistics,
  type WorkerSound,
} from "./browser/speech-worker.ts";
export { MicrophoneError, UnsupportedExtractorError } from "./core/errors.ts";
export * from "./mel.ts";
export * from "./pool.ts";
export * from "./whisper.ts";
