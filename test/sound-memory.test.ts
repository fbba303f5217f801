import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const MIB = 2 ** 20;

let folder = "";
let probe = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sound-memory-"));
  probe = join(folder, "probe.mjs");
  await build({
    entryPoints: [path("sound-memory-probe.ts")],
    outfile: probe,
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "error",
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ["wav", 10],
  ["wav 44.1 stereo", 1],
  ["flac", 2],
  ["mp3", 1],
  ["aac", 1],
  ["webm", 1],
  ["mp4", 1],
])("holds no more of %s after %s hours than near its start", (kind, hours) => {
  const args = ["--expose-gc", probe, kind, String(hours), path("fixtures")];
  const report = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as {
    seconds: number;
    took: number;
    held: { rss: number; heap: number }[];
  };
  const { seconds, held } = report;
  expect(seconds).toBeGreaterThan(hours * 3600 * 0.95);
  // The first quarter warms the engine up. 10 hours of 16 kHz float32 are 2.3 GB.
  const warm = held.slice(held.length >> 2);
  const early = Math.max(...warm.slice(0, warm.length >> 1).map(({ heap }) => heap));
  const late = Math.max(...warm.slice(warm.length >> 1).map(({ heap }) => heap));
  expect((late - early) / MIB).toBeLessThan(4);
  const rss = (part: typeof held) => Math.min(...part.map((sample) => sample.rss));
  const growth = rss(warm.slice(warm.length >> 1)) - rss(warm.slice(0, warm.length >> 1));
  expect(growth / MIB).toBeLessThan(16);
});
