/** Programs of their own that are asked line by line, so that their calls alternate with ours. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

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
