import { messageOf, WavepoolError } from "../core/errors.ts";

export const EXIT_FAILURE = 1;
export const EXIT_USER_MISTAKE = 2;

/** Whether `--debug` asks for stacks and for what libraries print on the console. */
export const debug = process.argv.includes("--debug");

/** A name with a line break or an escape sequence in it must not break the one line or the terminal. */
export function oneLine(message: string): string {
  return message.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => JSON.stringify(c).slice(1, -1));
}

/**
 * Prints one clear line; the stack only with `--debug`.
 *
 * @param file that the error befell, for messages that do not name it themselves
 * @returns the exit code: 2 when the input is at fault, otherwise 1.
 */
export function printError(error: unknown, file?: string): number {
  const message = messageOf(error);
  const named = file === undefined || message.includes(file) ? message : `${file}: ${message}`;
  process.stderr.write(`wavepool: ${oneLine(named)}\n`);
  if (debug && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
    if (error.cause instanceof Error) process.stderr.write(`caused by ${error.cause.stack}\n`);
  }
  return error instanceof WavepoolError && error.kind === "input" ? EXIT_USER_MISTAKE : EXIT_FAILURE;
}
