import { chooseLikeliest, decodeOne } from "./sampling.ts";
import type { Hypothesis, Search } from "./search.ts";

/**
 * Decodes the likeliest token at each step.
 *
 * @throws the signal's reason when it is aborted.
 * @throws ModelFormatError when no logit is a number.
 */
export function decodeGreedily(search: Search): Promise<Hypothesis> {
  return decodeOne(search, chooseLikeliest);
}
