import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Variables of the environment that say where models come from and go. */
const VARIABLES = ["WAVEPOOL_CACHE", "WAVEPOOL_OFFLINE", "HF_ENDPOINT", "HF_TOKEN"];

/** A cache of the test's own, and an environment that knows no other. */
export async function freshCache(): Promise<{ directory: string; remove(): Promise<void> }> {
  const before = VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of VARIABLES) delete process.env[name];
  const directory = await mkdtemp(join(tmpdir(), "wavepool-cache-"));
  process.env.WAVEPOOL_CACHE = directory;
  return {
    directory,
    async remove() {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}
