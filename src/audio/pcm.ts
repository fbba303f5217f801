/** Decoded sound: one float32 array a channel, nominally -1 to 1, all of one length. */
export interface PcmAudio {
  /** Samples a second. */
  sampleRate: number;
  channels: Float32Array[];
}

/** Seconds of sound. */
export function duration(audio: PcmAudio): number {
  return (audio.channels[0]?.length ?? 0) / audio.sampleRate;
}
