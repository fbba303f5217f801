import { assertOptions, describe } from "../core/arguments.ts";
import { InvalidArgumentError } from "../core/errors.ts";
import type { FrontEndDescription } from "./description.ts";
import { nearestSizes } from "./fft-sizes.ts";
import { WINDOWS } from "./windows.ts";

const MAX_RATE = 384000;
const MAX_MELS = 1024;
const MAX_HOP = 1 << 20;
/** Factors and offsets of features: with these float32 holds them. */
const MAX_FACTOR = 1e6;
/** Samples of a frame that is not transformed. */
const MAX_LENGTH = 1 << 20;
/** What makes sense of a clip's samples as a whole, and of frames of samples as they are. */
const OF_SAMPLES = ["name", "sampleRate", "scale", "normalize", "layout"];
const OF_FRAMES = ["name", "sampleRate", "frame", "stacking", "normalize", "layout", "padTo"];

/**
 * Checks a front end before anything is made of it.
 *
 * @param supported whether the core has a transform of that many points
 * @throws InvalidArgumentError naming the value at fault and what it may be.
 */
export function checkDescription(given: FrontEndDescription, supported: (fft: number) => boolean): void {
  assertOptions(given, "front end");
  const name = typeof given.name === "string" && given.name !== "" ? given.name : "front end";
  function refuse(what: string, value: unknown, remedy: string): never {
    throw new InvalidArgumentError(`${name}: ${what} is ${describe(value)}; give ${remedy}`);
  }
  function integer(what: string, value: unknown, least: number, most: number): void {
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
    refuse(what, value, `an integer from ${least} to ${most}`);
  }
  function number(what: string, value: unknown, least: number, most = Number.MAX_VALUE): void {
    if (typeof value === "number" && value >= least && value <= most) return;
    refuse(what, value, `a number from ${least}${most === Number.MAX_VALUE ? " up" : ` to ${most}`}`);
  }
  function oneOf(what: string, value: unknown, names: readonly string[]): void {
    if (!names.includes(value as string)) refuse(what, value, names.join(", "));
  }

  function nothingBut(known: readonly string[], lacking: string): void {
    for (const [key, value] of Object.entries(given)) {
      const nothing = value === undefined || value === false || (key === "scale" && value === 1);
      if (!nothing && !known.includes(key)) refuse(key, value, `none where there is no ${lacking}`);
    }
  }

  integer("sampleRate", given.sampleRate, 1, MAX_RATE);
  oneOf("layout", given.layout, ["mel-major", "frame-major"]);
  number("scale", given.scale ?? 1, 1 / MAX_FACTOR, MAX_FACTOR);
  if (given.padTo !== undefined) integer("padTo", given.padTo, 1, 2 ** 28);
  const { frame, mel, log, stacking, normalize, cmvn } = given;
  if (normalize) {
    oneOf("normalize.kind", normalize.kind, ["mean", "mean-and-deviation"]);
    integer("normalize.degrees", normalize.degrees ?? 1, 0, 1);
    number("normalize.varianceGuard", normalize.varianceGuard ?? 0, 0);
    number("normalize.deviationGuard", normalize.deviationGuard ?? 0, 0);
  }
  if (stacking) {
    integer("stacking.frames", stacking.frames, 1, 64);
    integer("stacking.step", stacking.step, 1, stacking.frames);
    integer("stacking.left", stacking.left ?? 0, 0, stacking.frames - 1);
    oneOf("stacking.incomplete", stacking.incomplete ?? "repeat", ["repeat", "drop"]);
    if (given.layout !== "frame-major")
      refuse("layout", given.layout, "frame-major where frames are stacked");
  }
  if (!frame) {
    if (mel) refuse("frame", frame, "a frame shape where there are mels");
    nothingBut(OF_SAMPLES, "frame");
    return;
  }
  integer("frame.fft", frame.fft, 1, mel ? Number.MAX_SAFE_INTEGER : MAX_LENGTH);
  if (mel && !supported(frame.fft)) {
    refuse("frame.fft", frame.fft, `2^a·3^b·5^c up to 8192, such as ${nearestSizes(frame.fft).join(" or ")}`);
  }
  integer("frame.length", frame.length, 1, frame.fft);
  integer("frame.hop", frame.hop, 1, Math.min(frame.fft, MAX_HOP));
  oneOf("frame.window", frame.window, Object.keys(WINDOWS));
  oneOf("frame.edges", frame.edges, ["snip", "reflect", "zero", "mirror"]);
  if (frame.left !== undefined) integer("frame.left", frame.left, 0, frame.length - 1);
  if (given.dither) {
    number("dither.amount", given.dither.amount, 0, MAX_FACTOR);
    integer("dither.seed", given.dither.seed, 0, 2 ** 32 - 1);
  }
  if (given.preEmphasis) {
    number("preEmphasis.coefficient", given.preEmphasis.coefficient, 0, 1);
    oneOf("preEmphasis.over", given.preEmphasis.over, ["signal", "frame"]);
  }
  if (given.power !== undefined && given.power !== 1 && given.power !== 2) {
    refuse("power", given.power, "1 for magnitudes or 2 for powers");
  }
  if (!mel) {
    nothingBut(OF_FRAMES, "mel");
    if (frame.window !== "rectangular")
      refuse("frame.window", frame.window, "rectangular where there is no mel");
    if (given.layout !== "frame-major") refuse("layout", given.layout, "frame-major where there is no mel");
    return;
  }
  integer("mel.count", mel.count, 1, MAX_MELS);
  oneOf("mel.scale", mel.scale, ["slaney", "htk"]);
  oneOf("mel.triangles", mel.triangles, ["hz", "mel", "symmetric"]);
  oneOf("mel.norm", mel.norm, ["slaney", "none"]);
  const nyquist = given.sampleRate / 2;
  const high = mel.high === 0 ? nyquist : mel.high;
  number("mel.high", high, Math.min(1, nyquist), nyquist);
  if (!(typeof mel.low === "number" && mel.low >= 0 && mel.low < high)) {
    refuse("mel.low", mel.low, `a number from 0 to below ${high}`);
  }
  if (log) {
    number("log.factor", log.factor, Number.MIN_VALUE, MAX_FACTOR);
    number("log.offset", log.offset, -MAX_FACTOR, MAX_FACTOR);
    number("log.floor", log.floor, 1.1754943508222875e-38, 1);
    number("log.guard", log.guard ?? 0, 0, MAX_FACTOR);
  } else if (given.energy || given.range !== undefined) {
    refuse("log", log, "a logarithm where there is an energy or a range");
  }
  if (given.energy) {
    oneOf("energy.place", given.energy.place, ["first", "last"]);
    number("energy.floor", given.energy.floor ?? 1, 0);
  }
  if (given.range !== undefined) number("range", given.range, 0);
  if (given.energy && given.range !== undefined) refuse("range", given.range, "none with an energy");
  if (given.cepstra !== undefined) {
    integer("cepstra", given.cepstra, 1, mel.count);
    if (given.layout !== "mel-major" || given.energy || stacking) {
      refuse("cepstra", given.cepstra, "none with an energy, stacking or frame-major layout");
    }
  }
  if (!cmvn) return;
  const width = (mel.count + (given.energy ? 1 : 0)) * (stacking?.frames ?? 1);
  if (given.layout !== "frame-major") refuse("layout", given.layout, "frame-major for cmvn");
  for (const part of ["shift", "scale"] as const) {
    const values: unknown = cmvn[part];
    if (!(values instanceof Float32Array)) refuse(`cmvn.${part}`, values, "a Float32Array");
    if (values.length !== width) refuse(`cmvn.${part}`, `${values.length} values`, `${width}, one a feature`);
    const bad = values.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) refuse(`cmvn.${part}[${bad}]`, values[bad], "finite numbers");
  }
}
