import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { withLock } from "../../src/adapters/lock-file.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "wavepool-lock-"));
  path = join(directory, "model", ".lock");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it("lets one work after another, and is gone when all have, also after a failure", async () => {
  let within = 0;
  let most = 0;
  const work = async (fail: boolean) => {
    within++;
    most = Math.max(most, within);
    expect(await readFile(path, "utf8")).toBe(`${hostname()} ${process.pid}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    within--;
    if (fail) throw new Error("failed");
    return "done";
  };
  const outcomes = await Promise.allSettled(
    [false, true, false].map((fail) => withLock(path, undefined, () => work(fail))),
  );
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "fulfilled", "rejected"]);
  expect(most).toBe(1);
  expect(existsSync(path)).toBe(false);
});

/** Makes a lock as someone else has left it. */
async function leave(content: string, secondsAgo: number): Promise<void> {
  await withLock(path, undefined, async () => undefined); // makes the directory
  await writeFile(path, content);
  const then = new Date(Date.now() - 1000 * secondsAgo);
  await utimes(path, then, then);
}

/** More than any system gives out. */
const NO_PROCESS = 2 ** 30;

it.each([
  ["whose process is gone", `${hostname()} ${NO_PROCESS}`, 0],
  ["of another machine that has been silent", "elsewhere 1", 60],
  ["that was never written", "", 60],
])("is taken over from a holder %s", async (_, content, secondsAgo) => {
  await leave(content, secondsAgo);
  expect(await withLock(path, undefined, async () => "mine")).toBe("mine");
  expect(existsSync(path)).toBe(false);
});

it.each([
  ["of a living process", `${hostname()} ${process.pid}`],
  ["of another machine", "elsewhere 1"],
  ["that is just being written", ""],
])("%s is waited for, until the signal", async (_, content) => {
  await leave(content, 0);
  const reason = new Error("enough");
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 300);
  let worked = false;
  const waiting = withLock(path, controller.signal, async () => {
    worked = true;
  });
  await expect(waiting).rejects.toBe(reason);
  expect(worked).toBe(false);
  expect(await readFile(path, "utf8")).toBe(content);
});
