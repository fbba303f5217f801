import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Whether espeak-ng, a speech synthesizer, is installed. */
export const hasEspeak = installed();

function installed(): boolean {
  try {
    execFileSync("espeak-ng", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    console.warn(
      "SKIPPED: synthesized speech. espeak-ng is not installed; it is a package of most Linux systems.",
    );
    return false;
  }
}

/** A WAV file of a text spoken by one of espeak-ng's voices, such as "de". */
export async function speak(voice: string, text: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "wavepool-espeak-"));
  try {
    const path = join(folder, "speech.wav");
    await promisify(execFile)("espeak-ng", ["-v", voice, "-s", "140", "-w", path, text]);
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}
