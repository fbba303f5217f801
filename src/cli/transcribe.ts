import type { PoolStatistics } from "../pools/pool-statistics.ts";
import type { Progress } from "../transcription/options.ts";
import { createTranscriber } from "../transcription/transcriber.ts";
import type { Transcription } from "../transcription/transcription.ts";
import { createProgressBar } from "./progress-bar.ts";
import { readSound } from "./read-sound.ts";

export interface TranscribeFlags {
  model: string;
  language: string;
  format: "text" | "json";
  stats?: boolean;
}

/** `wavepool transcribe FILE`: text or JSON on stdout, everything else on stderr. */
export async function transcribeCommand(file: string, flags: TranscribeFlags): Promise<void> {
  const bar = createProgressBar(process.stderr);
  try {
    // The file first: a wrong one should not wait for the model to load.
    const began = performance.now();
    const audio = await readSound(file);
    const decoding = performance.now() - began;
    const transcriber = await createTranscriber({
      model: flags.model,
      language: flags.language,
      onLoading: () => bar.show("loading model", 0),
    });
    try {
      const result = await transcriber.transcribe(audio, {
        timestamps: (process.env.TS ?? "none") as never,
        onProgress: (progress) => bar.show(label(progress), partDone(progress)),
      });
      result.times.audio += decoding;
      result.times.total += decoding;
      bar.clear();
      print(result, transcriber.stats(), flags);
    } finally {
      await transcriber.dispose();
    }
  } finally {
    bar.clear();
  }
}

function label({ stage, tokens }: Progress): string {
  return tokens > 0 ? `${stage} ${tokens} tokens` : stage;
}

/** Seconds of a window, and the tokens that a second of speech makes: rough, for the bar alone. */
const WINDOW_SECONDS = 30;
const TOKENS_PER_SECOND = 3;
/** Part of a window's work that is behind when each stage begins: the encoder takes two thirds of it. */
const BEHIND = { audio: 0, mel: 0.02, encoder: 0.04, decoder: 0.7 };

/** Part of the whole work that is done, 0 to 1. */
export function partDone({ stage, seconds, duration = seconds + WINDOW_SECONDS, tokens }: Progress): number {
  const window = Math.min(WINDOW_SECONDS, duration - seconds);
  const expected = TOKENS_PER_SECOND * window;
  const inWindow = BEHIND[stage] + (1 - BEHIND.decoder) * Math.min(1, tokens / expected);
  return (seconds + window * inWindow) / duration;
}

function print(result: Transcription, pools: PoolStatistics[], flags: TranscribeFlags): void {
  if (result.truncated) {
    process.stderr.write(
      "wavepool: the decoder ran into its length limit; the text may be cut or repeat itself\n",
    );
  }
  if (flags.format === "json") {
    process.stdout.write(
      `${JSON.stringify(flags.stats ? { ...result, pools } : withoutTimes(result), null, 2)}\n`,
    );
    return;
  }
  process.stdout.write(`${result.text}\n`);
  if (flags.stats) process.stderr.write(statistics(result, pools));
}

function withoutTimes({ times: _, ...rest }: Transcription): Omit<Transcription, "times"> {
  return rest;
}

function statistics({ times, duration, windows }: Transcription, pools: PoolStatistics[]): string {
  const lines = [
    `${duration.toFixed(2)} s of sound in ${windows} window${windows === 1 ? "" : "s"}`,
    "stage         ms",
  ];
  for (const [stage, ms] of Object.entries(times))
    lines.push(`${stage.padEnd(8)}${ms.toFixed(1).padStart(8)}`);
  lines.push("pool              slots  in use  peak  acquires  releases    MB");
  for (const pool of pools) {
    lines.push(
      pool.name.padEnd(16) +
        String(pool.total).padStart(7) +
        String(pool.inUse).padStart(8) +
        String(pool.peakInUse).padStart(6) +
        String(pool.acquires).padStart(10) +
        String(pool.releases).padStart(10) +
        (pool.bytes / 1e6).toFixed(2).padStart(6),
    );
  }
  return `${lines.join("\n")}\n`;
}
