import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import {
  addServeCommand,
  bytes,
  type ServeFlags,
  seconds,
  serviceRequest,
} from "../../src/cli/serve-flags.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

/** What the command line makes of arguments. */
async function flags(...args: string[]): Promise<ServeFlags> {
  const program = new Command().exitOverride();
  let given: ServeFlags | undefined;
  addServeCommand(program, async (all) => {
    given = all;
  });
  await program.parseAsync(["serve", ...args], { from: "user" });
  return given!;
}

function run(...args: string[]): Promise<{ stderr: string; code: number }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, "serve", ...args], (error, _, stderr) =>
      resolve({ stderr, code: Number(error?.code ?? 0) }),
    );
  });
}

describe("sizes and times", () => {
  it("have units", () => {
    const size = bytes("--memory");
    expect(["100MB", "1GiB", "64 KiB", "12", "1.5kb"].map(size)).toEqual([1e8, 2 ** 30, 65536, 12, 1500]);
    for (const wrong of ["", "x", "-1MB", "1TB", "1e9"])
      expect(() => size(wrong)).toThrow(/--memory is .*100MB/);
    const time = seconds("--max-duration");
    expect(["90s", "30m", "2h", "7"].map(time)).toEqual([90, 1800, 7200, 7]);
    for (const wrong of ["", "h", "1d", "-1s"]) expect(() => time(wrong)).toThrow(/--max-duration is .*30m/);
  });
});

describe("wavepool serve", () => {
  it("listens on this machine alone, and runs onnxruntime-web, unless told otherwise", async () => {
    const given = await flags();
    expect(given).toMatchObject({ port: 8080, host: "127.0.0.1", model: "base" });
    expect(serviceRequest(given, undefined)).toEqual({
      model: "base",
      providers: ["wasm"],
      pools: true,
      apiKeys: [],
    });
  });

  it("hands its flags on", async () => {
    const given = await flags(
      ..."--model tiny --concurrency 2 --queue 0 --memory 1GiB --max-upload 5MB --max-duration 1h".split(" "),
      ..."--rate-limit 30 --api-key a --api-key b --cors https://x --runtime native --no-pools".split(" "),
    );
    expect(serviceRequest(given, "c,d")).toEqual({
      model: "tiny",
      concurrency: 2,
      queue: 0,
      memoryBytes: 2 ** 30,
      maxUploadBytes: 5e6,
      maxSeconds: 3600,
      rateLimit: 30,
      cors: ["https://x"],
      providers: ["native", "wasm"],
      pools: false,
      apiKeys: ["a", "b", "c", "d"],
    });
  });

  it("says what is wrong in one line", async () => {
    expect(await run("--memory", "10MB")).toEqual({
      stderr: expect.stringMatching(
        /^wavepool: loading base\nwavepool: memory is 10000000 bytes; .* take \d+: give more/,
      ),
      code: 2,
    });
    expect((await run("--model", "nowhere/at/all", "--offline")).code).toBe(2);
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    expect(await run("--model", "tiny", "--port", String(port))).toEqual({
      stderr: expect.stringMatching(/wavepool: cannot listen at 127.0.0.1:\d+: .*; choose another --port/),
      code: 2,
    });
    taken.close();
  });
});
