import { describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";

/** What steers the search for a text; the same names and ranges for a window and for a whole sound. */
export interface SearchOptions {
  temperatures?: readonly number[] | undefined;
  beamSize?: number | undefined;
  bestOf?: number | undefined;
  patience?: number | undefined;
  lengthPenalty?: number | undefined;
  seed?: number | undefined;
  compressionRatioThreshold?: number | null | undefined;
  logprobThreshold?: number | null | undefined;
  noSpeechThreshold?: number | null | undefined;
}

/** More would be slower than reading the text aloud; and all logits of a beam are looked through for each. */
const MOST_TEXTS = 32;
const LAST_SEED = 2 ** 32 - 1;

/**
 * Checks the ranges of search options; what is undefined stays so.
 *
 * @throws InvalidArgumentError naming the option, its value and what it takes.
 */
export function checkSearchOptions(options: SearchOptions): void {
  const { temperatures } = options;
  if (temperatures !== undefined && (!Array.isArray(temperatures) || temperatures.length === 0)) {
    throw new InvalidArgumentError(
      `temperatures is ${describe(temperatures)} without an entry; give a list such as [0, 0.2, 0.4]`,
    );
  }
  for (const temperature of temperatures ?? []) inRange("temperature", temperature, 0, 2);
  inRange("beamSize", options.beamSize, 1, MOST_TEXTS, true);
  inRange("bestOf", options.bestOf, 1, MOST_TEXTS, true);
  inRange("patience", options.patience, Number.MIN_VALUE, 100);
  inRange("lengthPenalty", options.lengthPenalty, 0, 1);
  inRange("seed", options.seed, 0, LAST_SEED, true);
  inRange("compressionRatioThreshold", options.compressionRatioThreshold ?? undefined, 0, 1000);
  inRange("logprobThreshold", options.logprobThreshold ?? undefined, -1000, 0);
  inRange("noSpeechThreshold", options.noSpeechThreshold ?? undefined, 0, 1);
}

/**
 * @param whole whether only whole numbers are taken; `least` of Number.MIN_VALUE stands for "above 0"
 * @throws InvalidArgumentError when a value is given and out of range.
 */
export function inRange(
  name: string,
  value: number | undefined,
  least: number,
  most: number,
  whole = false,
): void {
  if (value === undefined) return;
  const right = typeof value === "number" && value >= least && value <= most;
  if (right && (!whole || Number.isInteger(value))) return;
  const from = least === Number.MIN_VALUE ? "above 0" : `from ${least}`;
  throw new InvalidArgumentError(
    `${name} is ${describe(value)}; give ${whole ? "a whole number" : "a number"} ${from} to ${most}`,
  );
}
