import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Runs the fixture in a vitest of its own. */
function runLeaky(env: object): Promise<{ code: number; output: string }> {
  const flags = ["run", "--config", "test/fixtures/leaky.config.ts"];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["node_modules/vitest/vitest.mjs", ...flags],
      { cwd: ROOT, env: { ...process.env, NO_COLOR: "1", ...env } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    );
  });
}

describe("failOnLeaks", () => {
  it("fails a file that leaves a lease behind, naming pool and acquirer", async () => {
    const { code, output } = await runLeaky({ RELEASE: "" });
    expect(code).toBe(1);
    expect(output).toMatch(/1 leases were not released:/);
    expect(output).toMatch(/pool "leaky": agent 0 holds a lease for \d+ ms \(references: 1\)/);
    expect(output).toMatch(/at forget .*leaky\.ts/);
  });

  it("passes a file that gives everything back", async () => {
    expect(await runLeaky({ RELEASE: "yes" })).toMatchObject({ code: 0 });
  });
});
