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
  ["flac", 1],
  ["mp3", 0.5],
  ["aac", 0.5],
  ["webm", 0.2],
  ["mp4", 1],
])("holds no more of %s after %s hours than near its start", (kind, hours) => {
  // Buffers are swept by the collection itself: a thread that came later with it let 11 MiB of webm seem held.
  const args = [
    "--expose-gc",
    "--no-concurrent-array-buffer-sweeping",
    probe,
    kind,
    String(hours),
    path("fixtures"),
  ];
  const report = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as {
    seconds: number;
    took: number;
    held: { rss: number; heap: number }[];
  };
  const { seconds, held } = report;
  expect(seconds).toBeGreaterThan(hours * 3600 * 0.95);
  // The first quarter warms the engine up. An hour of 16 kHz float32 is 230 MB.
  const warm = held.slice(held.length >> 2);
  const early = warm.slice(0, warm.length >> 1);
  const late = warm.slice(warm.length >> 1);
  // The least of each half: buffers that wait for their collection come and go.
  const growth = (of: "heap" | "rss") =>
    (Math.min(...late.map((sample) => sample[of])) - Math.min(...early.map((sample) => sample[of]))) / MIB;
  expect(growth("heap")).toBeLessThan(10);
  expect(growth("rss")).toBeLessThan(32);
});
