/** Sound as mono float32 at the rate it came with, a block at a time. */
export interface MonoSource {
  /** What users call the format. */
  readonly format: string;
  /** Samples a second. */
  readonly sampleRate: number;
  /** Channels that are mixed down. */
  readonly channels: number;
  /** Seconds in all, where the sound says so before its end. */
  readonly duration: number | undefined;
  /** Writes the next samples into `out` from its start. Returns how many, 0 only at the end. */
  read(out: Float32Array): Promise<number>;
  /** Gives leases and codecs back; no read is under way then. */
  free(): void;
}
