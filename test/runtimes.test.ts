import { execFile, execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { installPacked, type PackedProject } from "./reference/packed.ts";
import { SAMPLE, WORDS } from "./reference/sample.ts";
import { wordErrorRate } from "./reference/word-error-rate.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const CLI = path("../dist/cli.js");
const VITEST = path("../node_modules/vitest/vitest.mjs");
/** Tests that other runtimes have to pass as well. */
const SHARED_TESTS = [
  "test/pools",
  "test/features/crew",
  "test/features/presets.test",
  "test/resampler.test",
  "test/runtime-probes.test",
];
/** Short clips take half of the presets' time, and run the same kernels. */
const LEFT_OUT = "of short clips";
const RUNTIMES = [
  {
    name: "Deno",
    program: path("../node_modules/.bin/deno"),
    flags: ["run", "--allow-all", "--quiet"],
    vitest: ["run", "--allow-all", "--quiet"],
  },
  // Bun hands scripts with a #! line to Node unless told otherwise, and so vitest's own processes.
  { name: "Bun", program: path("../node_modules/.bin/bun"), flags: [], vitest: ["--bun"] },
];

/** Imports the package by each name that it has outside tests. */
const PROGRAM = `import * as all from "wavepool";
import { createBufferPool, createCore, detectFeatures, Lease } from "wavepool/pool";
import { createFrontEnd } from "wavepool/mel";
import { createTranscriber } from "wavepool/whisper";
import { pooledFeatureExtractor } from "wavepool/transformers";
import { attachCore } from "wavepool/worklet";
import { createService } from "wavepool/server";
const { simd, threads, sharedMemory } = await detectFeatures();
const lease = createBufferPool(await createCore(), { name: "a", dtype: "f32", shape: 4, max: 1 }).acquire();
const functions = [createFrontEnd, createTranscriber, pooledFeatureExtractor, attachCore, createService];
console.log([simd, threads, sharedMemory, lease instanceof all.Lease, lease instanceof Lease].join());
console.log(functions.map((each) => typeof each).join());
lease.release();`;

let packed: Promise<PackedProject> | undefined;

afterAll(async () => (await packed)?.remove());

/** What vitest reports as JSON, as far as it is looked at here. */
interface Report {
  success: boolean;
  numPassedTests: number;
  testResults: { assertionResults: { status: string; fullName: string; failureMessages: string[] }[] }[];
}

/** npm may have been told not to run the install scripts that complete these packages. */
function works(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.each(RUNTIMES)("$name", ({ name, program, flags, vitest }) => {
  const there = works(program);
  if (!there)
    console.warn(`SKIPPED: ${name}. ${program} does not run; reinstall with install scripts allowed.`);

  const run = (...args: string[]) =>
    new Promise<{ stdout: string; stderr: string; code: number }>((resolve) => {
      execFile(program, [...flags, CLI, ...args], (error, stdout, stderr) => {
        resolve({ stdout, stderr, code: error ? Number(error.code) : 0 });
      });
    });

  it.skipIf(!there)("runs the command line from file to text", async () => {
    const { stdout, code } = await run("transcribe", SAMPLE);
    expect(wordErrorRate([[WORDS, stdout]])).toBe(0);
    expect(code).toBe(0);
  });

  it.skipIf(!there)("knows itself and reports errors in the same way", async () => {
    expect((await run("doctor")).stdout).toMatch(new RegExp(`^runtime +${name} \\d`));
    const { stderr, code } = await run("transcribe", "nowhere.wav");
    expect(stderr).toBe("wavepool: cannot read nowhere.wav: no such file or folder; check the path\n");
    expect(code).toBe(2);
  });

  it.skipIf(!there)("measures itself, alone and with threads", async () => {
    const { stdout, code } = await run("bench", "--quick", "--only", "pools,ring");
    expect(stdout).toMatch(new RegExp(`^Pools: .*: ${name} \\d`, "m"));
    expect(stdout).toMatch(/2 threads, 4 kB, a pair, ns\n {4}wavepool, one shared pool +[\d.]+ \[/);
    expect(stdout).not.toMatch(/failed/);
    expect(code).toBe(0);
  });

  it.skipIf(!there)("imports the packed package by each of its names, a class being one in all", async () => {
    packed ??= installPacked();
    const { folder } = await packed;
    await writeFile(join(folder, "program.mjs"), PROGRAM);
    const out = execFileSync(program, [...flags, "program.mjs"], { cwd: folder, encoding: "utf8" });
    expect(out).toBe("true,true,true,true,true\nfunction,function,function,function,function\n");
  });

  it.skipIf(!there)("passes the same tests of pools, features and the resampler", async () => {
    const report = await new Promise<string>((resolve) => {
      const args = [...vitest, VITEST, "run", "--project=all", ...SHARED_TESTS, "-t", `^(?!.*${LEFT_OUT})`];
      args.push("--reporter=json");
      const env = { ...process.env, EXPECT_RUNTIME: name };
      execFile(program, args, { cwd: path(".."), env, maxBuffer: 2 ** 26 }, (_, stdout) => resolve(stdout));
    });
    const { success, numPassedTests, testResults } = JSON.parse(
      report.slice(report.indexOf('{"numTotalTestSuites"')),
    ) as Report;
    const tests = testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ fullName }) => !fullName.includes(LEFT_OUT));
    const failures = tests
      .filter(({ status }) => status === "failed")
      .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages.join()}`);
    expect(failures).toEqual([]);
    expect(success).toBe(true);
    expect(numPassedTests).toBeGreaterThan(580);
    expect(tests.length - numPassedTests).toBeLessThanOrEqual(1);
  });
});
