/**
 * Every contender runs in a process of its own, as it would in an application: in one process they would share
 * the engine's compiled code and its garbage. A request is a line, and so is its answer.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const CONTENDER = fileURLToPath(new URL("./child.mjs", import.meta.url));

/** Starts a program; gives `ask(line)`, which resolves to the line it answers, and `end()`. */
export function converse(program, args) {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(line) {
      child.stdin.write(`${line}\n`);
      const { value } = await answers.next();
      if (value === undefined) throw new Error(`${program} ended at "${line}"`);
      return value;
    },
    end: () => child.stdin.end(),
  };
}

/**
 * Starts a contender of this runtime: `prepare(job)` gives its `time(calls)`, `features()` and `bytes()`.
 *
 * @throws Error when the contender does not load, with its reason.
 */
export async function startContender(name, engineFlags = []) {
  const run = globalThis.Deno ? ["run", "--allow-all", "--quiet"] : process.execArgv;
  const child = converse(process.execPath, [...run, ...engineFlags, CONTENDER, name]);
  async function ask(...request) {
    const { value, error } = JSON.parse(await child.ask(JSON.stringify(request)));
    if (error !== undefined) throw new Error(error);
    return value;
  }
  try {
    await ask("load");
  } catch (error) {
    child.end();
    throw error;
  }
  async function prepare({ mels, seconds, pad }) {
    const job = await ask("prepare", { mels, seconds, pad });
    return {
      time: (calls) => ask("time", job, calls),
      bytes: () => ask("bytes", job),
      async features() {
        const bytes = Buffer.from(await ask("features", job), "base64");
        return new Float32Array(new Uint8Array(bytes).buffer);
      },
    };
  }
  return { prepare, end: child.end };
}
