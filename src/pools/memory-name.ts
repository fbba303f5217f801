import { describe } from "../core/arguments.ts";
import type { Core } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { InvalidArgumentError } from "../core/errors.ts";

/** UTF-16 units that a name can have, see assembly/pools/layout.ts. */
const NAME_UNITS = 32;

/**
 * Checks the name of a pool or ring.
 *
 * @throws InvalidArgumentError when it is no string of 1 to 32 UTF-16 units.
 */
export function assertName(name: unknown, kind: string): asserts name is string {
  if (typeof name === "string" && name !== "" && name.length <= NAME_UNITS) return;
  throw new InvalidArgumentError(
    `${kind} name is ${describe(name)}; give a string of 1 to ${NAME_UNITS} characters`,
  );
}

/** Writes a name into the core's memory, where other agents read it. */
export function writeName(core: Core, address: Pointer, name: string): void {
  const units = new Uint16Array(core.buffer, address >>> 0, NAME_UNITS);
  for (let i = 0; i < name.length; i++) units[i] = name.charCodeAt(i);
}

/** Reads a name of `length` units. */
export function readName(core: Core, address: Pointer, length: number): string {
  return String.fromCharCode(...new Uint16Array(core.buffer, address >>> 0, length));
}
