import type { PoolStatistics } from "../pools/pool-statistics.ts";
import type { Transcription } from "../transcription/transcription.ts";

/** Stage times and pools as lines of text, for `--stats`. */
export function statisticsText({ times, duration, windows }: Transcription, pools: PoolStatistics[]): string {
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
