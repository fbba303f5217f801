import { describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";

/** Global mean and variance normalisation of features: (x + shift) × scale. */
export interface Cmvn {
  readonly shift: Float32Array;
  readonly scale: Float32Array;
}

/**
 * Reads the normalisation that comes with SenseVoice and Paraformer models, `am.mvn`: a network in Kaldi's text form
 * whose `<AddShift>` and `<Rescale>` each hold a bracketed row of numbers (FunASR `load_cmvn`).
 *
 * @throws InvalidArgumentError when one of them is missing, is no row of numbers, or their lengths differ.
 */
export function parseCmvn(text: string): Cmvn {
  if (typeof text !== "string") {
    throw new InvalidArgumentError(`parseCmvn: the file is ${describe(text)}; give its text`);
  }
  const shift = rowAfter(text, "<AddShift>");
  const scale = rowAfter(text, "<Rescale>");
  if (shift.length !== scale.length) {
    throw new InvalidArgumentError(
      `parseCmvn: <AddShift> has ${shift.length} numbers, <Rescale> ${scale.length}; give a whole am.mvn`,
    );
  }
  return { shift, scale };
}

function rowAfter(text: string, tag: string): Float32Array {
  const place = text.indexOf(tag);
  if (place < 0) throw new InvalidArgumentError(`parseCmvn: the text has no ${tag}; give a model's am.mvn`);
  // The row stands before the next component, possibly behind its learning rate.
  const found = /^<\w+>[^[\]<]*(?:<LearnRateCoef>[^[\]<]*)?\[([^[\]]*)\]/.exec(text.slice(place));
  const inside = found?.[1]?.trim() ?? "";
  const words = inside === "" ? [] : inside.split(/\s+/);
  const row = Float32Array.from(words, Number);
  const bad = row.findIndex((x) => !Number.isFinite(x));
  if (row.length === 0 || bad >= 0) {
    const seen = row.length === 0 ? "nothing in brackets" : describe(words[bad]);
    throw new InvalidArgumentError(`parseCmvn: ${seen} after ${tag}; give a model's am.mvn`);
  }
  return row;
}
