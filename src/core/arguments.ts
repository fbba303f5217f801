import { InvalidArgumentError } from "./errors.ts";

/**
 * Checks that options are an object, so that a misplaced argument is not silently taken for defaults.
 *
 * @throws InvalidArgumentError naming what was given.
 */
export function assertOptions(value: unknown, caller: string): void {
  if (typeof value === "object" && value !== null) return;
  throw new InvalidArgumentError(`${caller}: options are ${describe(value)}; give an object`);
}

/**
 * Checks that a file's contents are bytes.
 *
 * @throws InvalidArgumentError naming what was given.
 */
export function assertBytes(value: unknown): void {
  if (value instanceof Uint8Array) return;
  throw new InvalidArgumentError(`the file's bytes are ${describe(value)}; give a Uint8Array`);
}

/** A value in a few words, for messages; never throws, whatever it is. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (value === null || typeof value !== "object") return String(value);
  try {
    return `a ${String(value.constructor?.name ?? "plain object")}`;
  } catch {
    return "an object that does not say what it is"; // a throwing getter, a revoked proxy
  }
}
