import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A folder of real recordings with a transcripts.tsv (file, tab, words), from $WAVEPOOL_SPEECH.
 * Recordings are not part of the repository.
 */
export function realSpeechFolder(): string | undefined {
  const folder = process.env.WAVEPOOL_SPEECH;
  if (!folder) return undefined;
  if (!existsSync(join(folder, "transcripts.tsv")))
    throw new Error(`WAVEPOOL_SPEECH: no transcripts.tsv in ${folder}`);
  return folder;
}

/** Words of each clip by file name. */
export function transcripts(folder: string): Map<string, string> {
  const lines = readFileSync(join(folder, "transcripts.tsv"), "utf8").split("\n").filter(Boolean);
  return new Map(lines.map((line) => line.split("\t") as [string, string]));
}
