/**
 * The plan of a front end: its numbers and tables, read only once it is made.
 *
 *     0    ┌──────────────────────────────────────────────┐
 *          │ numbers, below                                │
 *     128  ├──────────────────────────────────────────────┤
 *          │ window, f32 × length, padded to a vector      │
 *          ├──────────────────────────────────────────────┤
 *          │ mel filters                                   │  mel-bank.ts
 *          ├──────────────────────────────────────────────┤
 *          │ roots of the transform, unless it is dft400   │  kernels/fft.ts
 *          └──────────────────────────────────────────────┘
 *
 * The workspace of an agent that runs it (vectors of four lanes, one frame a lane):
 *
 *     ┌───────────────┬─────────┬───────────────────┬─────────┬──────────┐
 *     │ transform     │ powers×4│ features, rows ×4 │ energy  │ span f32 │
 *     └───────────────┴─────────┴───────────────────┴─────────┴──────────┘
 */
import { arenaAllocate, arenaRelease } from "../memory/arena";
import { align64 } from "../memory/header";
import { DFT400_WORKSPACE, dft400Create, dft400TableBytes } from "../kernels/dft400";
import { realFftTableBuild, realFftTableBytes } from "../kernels/fft";
import { buildFilters, filterBytes } from "./mel-bank";
import { buildLogarithm } from "./logarithm";
import { fillWindow } from "./windows";

// Offsets of the numbers.
export namespace PLAN {
  // @ts-ignore: decorator
  @inline export const LENGTH: usize = 0;
  // @ts-ignore: decorator
  @inline export const HOP: usize = 4;
  // @ts-ignore: decorator
  @inline export const FFT: usize = 8;
  /** Samples of frame 0 left of the first sample, i32. */
  // @ts-ignore: decorator
  @inline export const LEFT: usize = 12;
  // @ts-ignore: decorator
  @inline export const EDGES: usize = 16;
  // @ts-ignore: decorator
  @inline export const FLAGS: usize = 20;
  // @ts-ignore: decorator
  @inline export const MELS: usize = 24;
  /** Values a frame: the mels, and the energy where it is asked for. */
  // @ts-ignore: decorator
  @inline export const ROWS: usize = 28;
  // @ts-ignore: decorator
  @inline export const PRE_EMPHASIS: usize = 32;
  // @ts-ignore: decorator
  @inline export const DITHER: usize = 36;
  // @ts-ignore: decorator
  @inline export const SEED: usize = 40;
  /** Factor from the energy of the samples to that of the scaled ones, f32. */
  // @ts-ignore: decorator
  @inline export const ENERGY_SCALE: usize = 44;
  /** Logarithm below which an energy is raised, f32. */
  // @ts-ignore: decorator
  @inline export const ENERGY_FLOOR: usize = 48;
  // @ts-ignore: decorator
  @inline export const WINDOW: usize = 52;
  // @ts-ignore: decorator
  @inline export const ROOTS: usize = 56;
  // @ts-ignore: decorator
  @inline export const FILTERS: usize = 60;
  /** Added to every filter's sum, f32. */
  // @ts-ignore: decorator
  @inline export const GUARD: usize = 68;
  /** Coefficients of the logarithm, see logarithm.ts. */
  // @ts-ignore: decorator
  @inline export const LOGARITHM: usize = 72;
  // @ts-ignore: decorator
  @inline export const NUMBERS: usize = 128;
}

/** What a frame undergoes. */
export namespace FLAG {
  // @ts-ignore: decorator
  @inline export const REMOVE_DC: u32 = 1;
  /** Pre-emphasis within each frame, as Kaldi has it. */
  // @ts-ignore: decorator
  @inline export const EMPHASIZE_FRAME: u32 = 2;
  /** Pre-emphasis along the signal, before it is cut into frames. */
  // @ts-ignore: decorator
  @inline export const EMPHASIZE_SIGNAL: u32 = 4;
  // @ts-ignore: decorator
  @inline export const MAGNITUDE: u32 = 8;
  // @ts-ignore: decorator
  @inline export const LOG: u32 = 16;
  // @ts-ignore: decorator
  @inline export const FRAME_MAJOR: u32 = 32;
  // @ts-ignore: decorator
  @inline export const ENERGY_FIRST: u32 = 64;
  // @ts-ignore: decorator
  @inline export const ENERGY_LAST: u32 = 128;
  /** The energy is that of the frame before pre-emphasis and window. */
  // @ts-ignore: decorator
  @inline export const ENERGY_RAW: u32 = 256;
  // @ts-ignore: decorator
  @inline export const DITHER: u32 = 512;
  /** A frame is the samples under its window, and nothing more. */
  // @ts-ignore: decorator
  @inline export const WAVEFORM: u32 = 1024;
  /** Whatever needs the frame as a whole before its window. */
  // @ts-ignore: decorator
  @inline export const CONDITION: u32 = 1 | 2 | 64 | 128 | 512;
  // @ts-ignore: decorator
  @inline export const ENERGY: u32 = 64 | 128;
}

/** What lies under a frame that reaches over the end of a clip. */
export namespace EDGE {
  /** No such frame: only whole ones. */
  // @ts-ignore: decorator
  @inline export const SNIP: u32 = 0;
  /** The clip mirrored, its last sample repeated. */
  // @ts-ignore: decorator
  @inline export const MIRROR: u32 = 1;
  /** The clip mirrored at its last sample. */
  // @ts-ignore: decorator
  @inline export const REFLECT: u32 = 2;
  // @ts-ignore: decorator
  @inline export const ZERO: u32 = 3;
}

/** Numbers that planCreate takes, f64 each, in this order. */
namespace GIVEN {
  // @ts-ignore: decorator
  @inline export const LENGTH: usize = 0;
  // @ts-ignore: decorator
  @inline export const HOP: usize = 8;
  // @ts-ignore: decorator
  @inline export const FFT: usize = 16;
  // @ts-ignore: decorator
  @inline export const LEFT: usize = 24;
  // @ts-ignore: decorator
  @inline export const EDGES: usize = 32;
  // @ts-ignore: decorator
  @inline export const FLAGS: usize = 40;
  // @ts-ignore: decorator
  @inline export const WINDOW: usize = 48;
  // @ts-ignore: decorator
  @inline export const SCALE: usize = 56;
  // @ts-ignore: decorator
  @inline export const PRE_EMPHASIS: usize = 64;
  // @ts-ignore: decorator
  @inline export const DITHER: usize = 72;
  // @ts-ignore: decorator
  @inline export const SEED: usize = 80;
  // @ts-ignore: decorator
  @inline export const ENERGY_FLOOR: usize = 88;
  // @ts-ignore: decorator
  @inline export const GUARD: usize = 96;
  /** Floor, factor and offset of the logarithm: factor × ln(max(x, floor)) + offset. */
  // @ts-ignore: decorator
  @inline export const LOGARITHM: usize = 104;
  /** See mel-bank.ts. */
  // @ts-ignore: decorator
  @inline export const FILTERS: usize = 128;
}

// @ts-ignore: decorator
@inline function given(numbers: usize, offset: usize): f64 {
  return load<f64>(numbers + offset);
}

// @ts-ignore: decorator
@inline function copyNumber(numbers: usize, from: usize, plan: usize, to: usize): void {
  store<u32>(plan + to, given(numbers, from) as u32);
}

// @ts-ignore: decorator
@inline function copyFactor(numbers: usize, from: usize, plan: usize, to: usize): void {
  store<f32>(plan + to, given(numbers, from) as f32);
}

/** Whether the 400-point transform of its own does it. */
// @ts-ignore: decorator
@inline export function isDft400(plan: usize): bool {
  return load<u32>(plan, PLAN.FFT) == 400;
}

function rootsBytes(fft: u32): usize {
  return fft == 400 ? 0 : (realFftTableBytes(fft) as usize);
}

/** Bytes of the plan that these numbers make. */
export function planBytes(numbers: usize): u32 {
  const length = given(numbers, GIVEN.LENGTH) as usize;
  const window = align64(4 * (length + 3));
  if (((given(numbers, GIVEN.FLAGS) as u32) & FLAG.WAVEFORM) != 0) return (PLAN.NUMBERS + window) as u32;
  const fft = given(numbers, GIVEN.FFT) as u32;
  return (PLAN.NUMBERS + window + align64(filterBytes(numbers + GIVEN.FILTERS, fft)) + rootsBytes(fft)) as u32;
}

/**
 * Makes a plan from `numbers`, f64 in the order of GIVEN. The transform's size is one that fft.ts has. Returns
 * its address, or 0 when the arena is exhausted.
 */
export function planCreate(numbers: usize): usize {
  const bytes = planBytes(numbers);
  const plan = arenaAllocate(bytes);
  if (!plan) return 0;
  copyNumber(numbers, GIVEN.LENGTH, plan, PLAN.LENGTH);
  copyNumber(numbers, GIVEN.HOP, plan, PLAN.HOP);
  copyNumber(numbers, GIVEN.FFT, plan, PLAN.FFT);
  store<i32>(plan, given(numbers, GIVEN.LEFT) as i32, PLAN.LEFT);
  copyNumber(numbers, GIVEN.EDGES, plan, PLAN.EDGES);
  copyNumber(numbers, GIVEN.FLAGS, plan, PLAN.FLAGS);
  copyNumber(numbers, GIVEN.SEED, plan, PLAN.SEED);
  copyFactor(numbers, GIVEN.PRE_EMPHASIS, plan, PLAN.PRE_EMPHASIS);
  copyFactor(numbers, GIVEN.DITHER, plan, PLAN.DITHER);
  copyFactor(numbers, GIVEN.ENERGY_FLOOR, plan, PLAN.ENERGY_FLOOR);
  copyFactor(numbers, GIVEN.GUARD, plan, PLAN.GUARD);
  const length = load<u32>(plan, PLAN.LENGTH);
  const flags = load<u32>(plan, PLAN.FLAGS);
  const scale = given(numbers, GIVEN.SCALE);
  store<f32>(plan, (scale * scale) as f32, PLAN.ENERGY_SCALE);
  let next = plan + PLAN.NUMBERS;
  store<u32>(plan, next as u32, PLAN.WINDOW);
  fillWindow(next, given(numbers, GIVEN.WINDOW) as u32, length, scale);
  if ((flags & FLAG.WAVEFORM) != 0) {
    store<u32>(plan, length, PLAN.ROWS);
    return plan;
  }
  const fft = load<u32>(plan, PLAN.FFT);
  next += align64(4 * ((length as usize) + 3));
  store<u32>(plan, next as u32, PLAN.FILTERS);
  const mels = buildFilters(next, numbers + GIVEN.FILTERS, fft);
  store<u32>(plan, mels, PLAN.MELS);
  store<u32>(plan, mels + ((flags & FLAG.ENERGY) != 0 ? 1 : 0), PLAN.ROWS);
  next += align64(filterBytes(numbers + GIVEN.FILTERS, fft));
  if (fft == 400) {
    const table = dft400Create();
    if (!table) {
      arenaRelease(plan, bytes);
      return 0;
    }
    next = table;
  } else {
    realFftTableBuild(fft, next);
  }
  store<u32>(plan, next as u32, PLAN.ROOTS);
  if ((flags & FLAG.LOG) != 0) {
    const at = numbers + GIVEN.LOGARITHM;
    buildLogarithm(plan + PLAN.LOGARITHM, given(at, 0), given(at, 8), given(at, 16));
  }
  return plan;
}

/** Bytes that a plan takes of the arena in all, for messages; the table of dft400 is shared by all. */
export function planNeeds(numbers: usize): u32 {
  return planBytes(numbers) + dft400TableBytes();
}

// Places in the workspace.

// @ts-ignore: decorator
@inline function transformBytes(plan: usize): usize {
  const fft = load<u32>(plan, PLAN.FFT) as usize;
  // Twice n / 2 + 1 complex elements of four lanes; n real vectors must fit into the first as well.
  return align64(isDft400(plan) ? DFT400_WORKSPACE : 2 * transformBuffer(fft));
}

/** One of the two buffers of a transform, see fft-real.ts. */
// @ts-ignore: decorator
@inline export function transformBuffer(fft: usize): usize {
  return ((fft & 1) != 0 ? fft << 5 : ((fft >> 1) + 1) << 5);
}

// @ts-ignore: decorator
@inline export function powersOf(plan: usize, work: usize): usize {
  return work + transformBytes(plan);
}

/** Bytes of the powers of one group. */
// @ts-ignore: decorator
@inline export function powerBytes(plan: usize): usize {
  return align64((((load<u32>(plan, PLAN.FFT) >> 1) + 1) as usize) << 4);
}

// @ts-ignore: decorator
@inline export function sumsOf(plan: usize, work: usize): usize {
  return powersOf(plan, work) + 4 * powerBytes(plan);
}

// @ts-ignore: decorator
@inline export function energyOf(plan: usize, work: usize): usize {
  return sumsOf(plan, work) + (load<u32>(plan, PLAN.MELS) as usize) * 64;
}

// @ts-ignore: decorator
@inline export function spanOf(plan: usize, work: usize): usize {
  return energyOf(plan, work) + 64;
}

/** Samples that four consecutive frames span. */
// @ts-ignore: decorator
@inline export function spanSamples(plan: usize): u32 {
  return 3 * load<u32>(plan, PLAN.HOP) + load<u32>(plan, PLAN.LENGTH);
}

/** Bytes of workspace that an agent needs to run a plan. */
export function planWorkspaceBytes(plan: usize): u32 {
  return spanOf(plan, 0) + align64(4 * (spanSamples(plan) as usize)) as u32;
}

/** Values a frame. */
export function planRows(plan: usize): u32 {
  return load<u32>(plan, PLAN.ROWS);
}

/** Place of the mel filters. */
export function planFilters(plan: usize): usize {
  return load<u32>(plan, PLAN.FILTERS) as usize;
}
