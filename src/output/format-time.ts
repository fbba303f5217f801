import { describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const SECOND = 1000;

/**
 * Whole milliseconds of a time, halves to the even neighbour as Python's `round` has it, so that every time
 * comes out as openai/whisper `utils.py` writes it.
 *
 * @param seconds finite and not negative
 * @throws InvalidArgumentError naming the time otherwise.
 */
export function milliseconds(seconds: number): number {
  if (typeof seconds !== "number" || !Number.isFinite(seconds) || seconds < 0) {
    throw new InvalidArgumentError(`a time of ${describe(seconds)} s; give a finite number of 0 or more`);
  }
  const exact = seconds * 1000;
  const rounded = Math.round(exact);
  return rounded - exact === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/**
 * A time as "[hh:]mm:ss.mmm"; hours grow beyond two digits where they must (openai/whisper `utils.py`,
 * `format_timestamp`).
 *
 * @param seconds from the start of the sound
 * @param hours `"always"`, or only from one hour on
 * @param mark between seconds and milliseconds: "," in SubRip, "." in WebVTT
 * @throws InvalidArgumentError when the time is negative or not finite.
 */
export function formatTime(seconds: number, hours: "always" | "from-one", mark: "." | ","): string {
  const all = milliseconds(seconds);
  const h = Math.floor(all / HOUR);
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = two(Math.floor((all % HOUR) / MINUTE));
  const rest = `${two(Math.floor((all % MINUTE) / SECOND))}${mark}${String(all % SECOND).padStart(3, "0")}`;
  return hours === "always" || h > 0 ? `${two(h)}:${minutes}:${rest}` : `${minutes}:${rest}`;
}
