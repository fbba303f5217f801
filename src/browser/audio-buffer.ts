import { assertPcm, type PcmAudio } from "../audio/pcm.ts";

/**
 * Decoded sound, or pooled views of it, as an AudioBuffer that Web Audio plays. The samples are copied.
 *
 * @throws InvalidArgumentError when it is no sound; DOMException NotSupportedError at a rate that the browser does not play.
 */
export function toAudioBuffer(sound: PcmAudio): AudioBuffer {
  assertPcm(sound);
  const { sampleRate, channels } = sound;
  const buffer = new AudioBuffer({
    sampleRate,
    length: channels[0]!.length,
    numberOfChannels: channels.length,
  });
  for (let i = 0; i < channels.length; i++) {
    // Web Audio refuses views of shared memory.
    const samples = channels[i]!;
    const shared = typeof SharedArrayBuffer !== "undefined" && samples.buffer instanceof SharedArrayBuffer;
    buffer.copyToChannel((shared ? samples.slice() : samples) as Float32Array<ArrayBuffer>, i);
  }
  return buffer;
}
