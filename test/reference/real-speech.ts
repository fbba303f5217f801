import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * A folder of real recordings with a transcripts.tsv (file, tab, words): $WAVEPOOL_SPEECH, or a folder
 * `speech` in a sibling of this repository. Recordings are not part of the repository.
 */
export function realSpeechFolder(): string | undefined {
  const given = process.env.WAVEPOOL_SPEECH;
  const parent = dirname(ROOT.replace(/\/$/, ""));
  const siblings = readdirSync(parent).map((name) => join(parent, name, "speech"));
  return [...(given ? [given] : siblings)].find((folder) => existsSync(join(folder, "transcripts.tsv")));
}

/** Words of each clip by file name. */
export function transcripts(folder: string): Map<string, string> {
  const lines = readFileSync(join(folder, "transcripts.tsv"), "utf8").split("\n").filter(Boolean);
  return new Map(lines.map((line) => line.split("\t") as [string, string]));
}
