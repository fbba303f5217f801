/** Time spent in each stage, in milliseconds. */
export interface StageTimes {
  /** Reading and decoding the sound, mixing down, resampling and finding speech. */
  audio: number;
  /** Log-mel spectrogram. */
  mel: number;
  /** Encoder. */
  encoder: number;
  /** Decoder, tokenizer and word times. */
  decoder: number;
  /** From the first to the last of them, waiting for other calls left out. */
  total: number;
}

/** A stopwatch over the stages of one call. */
export interface StageClock {
  readonly times: StageTimes;
  /** Runs a stage and adds its time, also when it throws. */
  measure<T>(stage: keyof Omit<StageTimes, "total">, work: () => T | Promise<T>): Promise<T>;
}

export function createStageClock(): StageClock {
  const times: StageTimes = { audio: 0, mel: 0, encoder: 0, decoder: 0, total: 0 };
  return {
    times,
    async measure(stage, work) {
      const began = performance.now();
      try {
        return await work();
      } finally {
        const spent = performance.now() - began;
        times[stage] += spent;
        times.total += spent;
      }
    },
  };
}
