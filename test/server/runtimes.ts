import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const CLI = path("../../dist/cli.js");

/** A runtime that the service is to run on. */
export interface Runtime {
  name: string;
  program: string;
  flags: string[];
}

export const NODE: Runtime = { name: "Node", program: process.execPath, flags: [] };
export const RUNTIMES: Runtime[] = [
  NODE,
  {
    name: "Deno",
    program: path("../../node_modules/.bin/deno"),
    flags: ["run", "--allow-all", "--quiet"],
  },
  { name: "Bun", program: path("../../node_modules/.bin/bun"), flags: [] },
];

/** npm may have been told not to run the install scripts that complete these packages. */
export function isThere({ name, program }: Runtime): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    console.warn(`SKIPPED: ${name}. ${program} does not run; reinstall with install scripts allowed.`);
    return false;
  }
}

/** A `wavepool serve` at work. */
export interface RunningService {
  url: string;
  child: ChildProcess;
  /** Lines of the log so far. */
  log(): Record<string, unknown>[];
  stderr(): string;
  /** The exit code, once it has ended. */
  ended: Promise<number | null>;
}

/** Starts the command line's service with tiny, and waits until it listens. */
export async function startService(runtime: Runtime, ...args: string[]): Promise<RunningService> {
  const all = [...runtime.flags, CLI, "serve", "--port", "0", "--model", "tiny", "--offline", ...args];
  const child = spawn(runtime.program, all, { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => {
    stdout += data;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const port = await new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (data) => {
      stderr += data;
      const found = stderr.match(/http:\/\/127\.0\.0\.1:(\d+)\/v1/);
      if (found) resolve(found[1]!);
    });
    ended.then((code) => reject(new Error(`the service ended with ${code}: ${stderr}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    child,
    log: () =>
      stdout
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
    stderr: () => stderr,
    ended,
  };
}

/** Waits until a condition holds. */
export async function until(condition: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
  const ends = performance.now() + seconds * 1000;
  while (!(await condition())) {
    if (performance.now() > ends) throw new Error(`not so after ${seconds} s: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
